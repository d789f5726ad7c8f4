//! SQLite: how a connection is opened, and how a statement is run.

pub(crate) mod care;
mod connect;
pub(crate) mod migrate;

use std::sync::Arc;

use jiff::Timestamp;
use orch_core::ids::EventId;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Statement};

pub(crate) use connect::{Place, open_reader, open_writer, own_file};

use super::{Dialect, Row, Tx, Value};
use crate::error::{Result, StoreError};

/// One writer at a time: nothing to lock beyond the transaction itself.
const DIALECT: Dialect = Dialect { claim_lock: "", row_lock: "", claim_in_turn: "" };

/// The names of parameters, so that binding makes no text. As many as the longest statement has,
/// and some to spare for lists.
const NAMES: [&str; 48] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
    "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28",
    "$29", "$30", "$31", "$32", "$33", "$34", "$35", "$36", "$37", "$38", "$39", "$40", "$41",
    "$42", "$43", "$44", "$45", "$46", "$47", "$48",
];

/// The longest list of parameters that a statement may have.
pub(crate) const MAX_PARAMS: usize = NAMES.len();

/// A transaction on a SQLite connection; whoever makes one begins and ends it.
pub(crate) struct SqliteTx<'a> {
    connection: &'a Connection,
    /// The last event written within the present operation.
    pub last_event: Option<EventId>,
}

impl<'a> SqliteTx<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection, last_event: None }
    }
}

impl Tx for SqliteTx<'_> {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed("preparing"))?;
        bind(&mut statement, params)?;
        let changed = statement.raw_execute().map_err(failed("writing"))?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed("preparing"))?;
        bind(&mut statement, params)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed("reading"))? {
            let values = (0..columns).map(|index| row.get_ref(index).map(value));
            found.push(values.collect::<Result<Row, _>>().map_err(failed("reading"))?);
        }
        Ok(found)
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn wrote_event(&mut self, id: EventId) {
        self.last_event = self.last_event.max(Some(id));
    }

    fn lease_clock(&mut self, given: Timestamp) -> Result<Timestamp> {
        Ok(given)
    }

    fn attempt(&mut self, part: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()> {
        let before = self.last_event;
        self.execute("SAVEPOINT attempt", &[])?;
        let result = part(self);
        if result.is_err() {
            self.last_event = before;
            // A full disk has ended the whole transaction already, and the error says so.
            self.execute("ROLLBACK TO attempt", &[])?;
        }
        self.execute("RELEASE attempt", &[])?;
        result
    }
}

/// Binds by name: SQLite numbers `$2` by its first appearance, not by its digits.
fn bind(statement: &mut Statement<'_>, params: &[Value]) -> Result<()> {
    if statement.parameter_count() != params.len() || params.len() > MAX_PARAMS {
        let (wanted, given) = (statement.parameter_count(), params.len());
        let what = format!("a statement with {wanted} parameters was given {given}");
        return Err(StoreError::Internal(what));
    }
    for (name, param) in NAMES.iter().zip(params) {
        let index = statement.parameter_index(name).map_err(failed("binding"))?;
        let Some(index) = index else {
            return Err(StoreError::Internal(format!("a statement has no parameter {name}")));
        };
        match param {
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
            Value::Int(number) => statement.raw_bind_parameter(index, number),
            Value::Text(text) => statement.raw_bind_parameter(index, text),
            Value::Foreign(what) => {
                return Err(StoreError::Internal(format!("a parameter is {what}")));
            }
        }
        .map_err(failed("binding"))?;
    }
    Ok(())
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Foreign("text that is not UTF-8"),
        },
        ValueRef::Real(_) => Value::Foreign("a number with a fraction"),
        ValueRef::Blob(_) => Value::Foreign("binary data"),
    }
}

/// Turns an error of the engine into ours: a broken constraint by its name, all else by what was
/// being done.
pub(crate) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| {
        let code = error.sqlite_error_code();
        if code == Some(ErrorCode::ConstraintViolation) {
            return StoreError::Constraint {
                constraint: constraint(&error.to_string()),
                source: Arc::new(error),
            };
        }
        let transient = matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
        StoreError::Engine { doing, transient, source: Arc::new(error) }
    }
}

/// The constraint's name out of `CHECK constraint failed: NAME`, or a trigger's own words.
fn constraint(message: &str) -> String {
    let name = message.split_once(" failed: ").map_or(message, |(_, name)| name);
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (a INTEGER CONSTRAINT small CHECK (a < 5), b TEXT)")
            .unwrap();
        connection
    }

    #[test]
    fn parameters_go_by_their_number_wherever_they_stand() {
        let connection = connection();
        let mut tx = SqliteTx::new(&connection);
        let params = [Value::from("b"), Value::from(3_i64)];
        tx.execute("INSERT INTO t (a, b) VALUES ($2, $1)", &params).unwrap();
        let rows = tx.query("SELECT b, a, b FROM t WHERE a = $2 AND b = $1", &params).unwrap();
        assert_eq!(rows, [vec![Value::from("b"), Value::from(3_i64), Value::from("b")]]);
    }

    #[test]
    fn a_wrong_number_of_parameters_is_refused_and_not_read_as_null() {
        let connection = connection();
        let mut tx = SqliteTx::new(&connection);
        let error = tx.execute("INSERT INTO t (a, b) VALUES ($1, $2)", &[Value::from(1_i64)]);
        assert!(matches!(error, Err(StoreError::Internal(_))), "{error:?}");
    }

    #[test]
    fn a_broken_constraint_is_named() {
        let connection = connection();
        let error = SqliteTx::new(&connection)
            .execute("INSERT INTO t (a) VALUES ($1)", &[Value::from(9_i64)])
            .unwrap_err();
        let StoreError::Constraint { constraint, .. } = error else { panic!("{error:?}") };
        assert_eq!(constraint, "small");
    }

    #[test]
    fn values_of_no_kind_that_we_write_come_back_as_foreign() {
        let connection = connection();
        let rows = SqliteTx::new(&connection)
            .query("SELECT 1.5, x'00ff', CAST(x'ff' AS TEXT), NULL", &[])
            .unwrap();
        assert!(matches!(
            rows[0].as_slice(),
            [Value::Foreign(_), Value::Foreign(_), Value::Foreign(_), Value::Null]
        ));
    }
}
