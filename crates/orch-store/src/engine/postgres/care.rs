//! What PostgreSQL itself can say of a database's health.

use super::{Connection, failed};
use crate::error::Result;

/// The most complaints of one kind that are listed.
const MAX_COMPLAINTS: i64 = 100;

/// The tables with CHECK constraints.
const TABLES: [&str; 6] = ["repos", "tasks", "jobs", "runs", "gate_results", "workers"];

/// Rows that break a CHECK constraint of their table, which was switched off for somebody's edit,
/// and references that lead nowhere. Empty is healthy.
pub(crate) fn complaints(connection: &mut Connection) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for table in TABLES {
        broken_checks(connection, table, &mut found)?;
    }
    broken_references(connection, &mut found)?;
    Ok(found)
}

fn broken_checks(connection: &mut Connection, table: &str, found: &mut Vec<String>) -> Result<()> {
    let client = connection.client();
    let checks = client
        .query(
            "SELECT conname, pg_get_expr(conbin, conrelid) FROM pg_constraint \
             WHERE contype = 'c' AND conrelid = to_regclass($1) ORDER BY conname",
            &[&table],
        )
        .map_err(failed("checking"))?;
    for check in checks {
        let (name, rule): (String, String) = (check.get(0), check.get(1));
        let sql = format!("SELECT count(*) FROM {table} WHERE NOT ({rule})");
        let broken: i64 = client.query_one(&sql, &[]).map_err(failed("checking"))?.get(0);
        if broken > 0 {
            found.push(format!("CHECK constraint failed in {table}: {name}, {broken} rows"));
        }
    }
    Ok(())
}

fn broken_references(connection: &mut Connection, found: &mut Vec<String>) -> Result<()> {
    let client = connection.client();
    let references = client
        .query(
            "SELECT c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text, \
             f.attname::text FROM pg_constraint c \
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
             JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1] \
             WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace ORDER BY 1, 2",
            &[],
        )
        .map_err(failed("checking references"))?;
    for reference in references {
        let [table, column, parent, key] = [0, 1, 2, 3].map(|n| reference.get::<_, String>(n));
        let sql = format!(
            "SELECT c.{column}::text FROM {table} c WHERE c.{column} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.{key} = c.{column}) \
             LIMIT {MAX_COMPLAINTS}"
        );
        for row in client.query(&sql, &[]).map_err(failed("checking references"))? {
            let id: String = row.get(0);
            found.push(format!("a row of {table} refers to {parent} {id}, which is not there"));
        }
    }
    Ok(())
}
