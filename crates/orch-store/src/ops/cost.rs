//! What the hot statements cost, in steps of SQLite's machine and not in time: behind one busy
//! repository with 50,000 jobs, and before 1,000 repositories, as much as in a small queue.

use rusqlite::{Connection, StatementStatus};

use super::admission::{NEEDLESS, PASSING, WAITING};
use super::claim::{ORDER, SEARCH};
use crate::engine::migrate::MIGRATIONS;
use crate::engine::sqlite::migrate::migrate;

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, None, MIGRATIONS).unwrap();
    connection
}

/// Repositories with so many tasks each; the first task of each is inside, at `testing`, and runs
/// or waits for a worker; the others wait in line at `development`.
fn fill(connection: &Connection, repositories: u32, tasks: u32, running: bool) {
    let status = if running { "running" } else { "queued" };
    let owner = if running { "'r-' || t.id, 'w1', 1, 2, 1" } else { "NULL, NULL, NULL, NULL, 0" };
    connection
        .execute_batch(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {repositories}) \
             INSERT INTO repos (id, name, key_prefix, remote, default_branch, created_at) \
             SELECT i, 'r' || i, 'R' || i, 'x', 'main', 0 FROM n; \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {tasks}) \
             INSERT INTO tasks (repo_id, key, priority, status, stage, gate_slot, created_at, \
             updated_at, title, feedback, pipeline, body) \
             SELECT r.id, 'R' || r.id || '-' || n.i, 0, 'open', \
             CASE n.i WHEN 1 THEN 'testing' ELSE 'development' END, \
             CASE n.i WHEN 1 THEN 0 END, 0, 0, 't', '[]', '{{}}', '' FROM n, repos r ORDER BY n.i; \
             INSERT INTO jobs (task_id, stage, agent, status, priority, available_at, created_at) \
             SELECT t.id, t.stage, 'a', 'queued', 0, 0, 0 FROM tasks t; \
             UPDATE jobs SET status = '{status}', (run_id, worker_id, started_at, lease_until, \
             run_epoch) = (SELECT {owner} FROM tasks t WHERE t.id = jobs.task_id) \
             WHERE task_id IN (SELECT id FROM tasks WHERE gate_slot IS NOT NULL)"
        ))
        .unwrap();
}

/// The rows found and the steps taken.
fn cost(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> (usize, i32) {
    let mut statement = connection.prepare(sql).unwrap();
    let found = statement.query_map(params, |_| Ok(())).unwrap().count();
    (found, statement.get_status(StatementStatus::VmStep))
}

fn plan(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let lines = statement.query_map(params, |row| row.get::<_, String>(3)).unwrap();
    lines.map(Result::unwrap).collect()
}

fn claim() -> String {
    format!("{SEARCH}{ORDER}")
}

#[test]
fn a_claim_behind_a_busy_repository_costs_the_same_with_fifty_thousand_waiting() {
    let (small, large) = (database(), database());
    fill(&small, 1, 50, true);
    fill(&large, 1, 50_000, true);
    for guarded in [&[][..], &["development", "testing"][..]] {
        for stage in guarded {
            for connection in [&small, &large] {
                connection.execute("INSERT INTO gate_stages VALUES (?1)", [stage]).unwrap();
            }
        }
        let (found, steps) = cost(&small, &claim(), [9]);
        assert_eq!((found, cost(&large, &claim(), [9])), (0, (0, steps)));
        let (found, steps) = cost(&small, WAITING, [1, 1]);
        assert_eq!((found, cost(&large, WAITING, [1, 1])), (1, (1, steps)));
    }
}

#[test]
fn a_claim_costs_the_same_before_a_thousand_repositories() {
    let (small, large) = (database(), database());
    fill(&small, 10, 5, false);
    fill(&large, 1000, 5, false);
    let (found, steps) = cost(&small, &claim(), [9]);
    assert_eq!((found, cost(&large, &claim(), [9])), (1, (1, steps)));
    let (found, steps) = cost(&small, WAITING, [7, 2]);
    assert_eq!((found, cost(&large, WAITING, [7, 2])), (2, (2, steps)));
}

#[test]
fn a_claim_costs_the_same_with_fifty_thousand_that_wait_for_a_shut_channel() {
    let (small, large) = (database(), database());
    for (connection, waiting) in [(&small, 5), (&large, 50_000)] {
        fill(connection, 1, waiting, false);
        connection
            .execute_batch(
                "INSERT INTO channels (id, kind, name, paused_until, reason) \
                 VALUES (1, 'account', 'one', 999, 'rate limited'); \
                 UPDATE tasks SET gate_slot = id, parked_on = 1 WHERE gate_slot IS NULL",
            )
            .unwrap();
    }
    let (found, steps) = cost(&small, &claim(), [9]);
    assert_eq!((found, cost(&large, &claim(), [9])), (1, (1, steps)));
}

#[test]
fn stages_that_are_not_guarded_are_found_without_a_look_at_the_line() {
    let (small, large) = (database(), database());
    fill(&small, 1, 50, true);
    fill(&large, 1, 50_000, true);
    let between = format!("{NEEDLESS} AND t.stage > $2 AND t.stage < $3");
    for (after, before, expected) in [("development", "testing", 0), ("", "development", 0)] {
        let (found, steps) = cost(&small, &between, (1, after, before));
        assert_eq!(found, expected);
        assert_eq!(cost(&large, &between, (1, after, before)), (found, steps));
    }
    for connection in [&small, &large] {
        connection.execute("INSERT INTO gate_stages VALUES ('development')", []).unwrap();
    }
    let (found, steps) = cost(&small, PASSING, (1, 1 << 20));
    assert_eq!((found, cost(&large, PASSING, (1, 1 << 20))), (0, (0, steps)));
}

#[test]
fn every_statement_of_the_gate_goes_by_its_index() {
    let connection = database();
    let waiting = plan(&connection, WAITING, [1, 1]);
    assert_eq!(waiting[0], "SEARCH t USING INDEX tasks_waiting (repo_id=?)", "{waiting:?}");
    assert!(!waiting.iter().any(|line| line.contains("TEMP B-TREE FOR ORDER")), "{waiting:?}");
    let between = format!("{NEEDLESS} AND t.stage > $2 AND t.stage < $3");
    let needless = plan(&connection, &between, (1, "a", "b"));
    assert!(
        needless[0].contains("tasks_waiting_by_stage (repo_id=? AND stage>? AND stage<?)"),
        "{needless:?}"
    );
    let passing = plan(&connection, PASSING, (1, 1));
    assert!(
        passing.iter().any(|line| line.contains("tasks_inside_by_stage (repo_id=? AND stage=?)")),
        "{passing:?}"
    );
}
