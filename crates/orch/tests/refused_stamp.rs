//! A run was started and the database refuses to note its process: the job goes back to the queue,
//! and the run must not work on beside the next try.

use std::collections::BTreeSet;

use orch_core::ids::RunId;
use orch_process::marked_processes;
use orch_testkit::{Orch, Repository, until};

const SETTINGS: &str = r#"
[repository]
name = "slow"
key_prefix = "SLOW"
[agents.default]
adapter = "command"
command = ["sleep", "600"]
[budgets]
infra = 0
"#;

#[test]
fn a_run_that_could_not_be_noted_does_not_work_on() {
    let root = tempfile::tempdir().unwrap();
    let repository = Repository::make(root.path(), "slow", &[("orch.toml", SETTINGS)]);
    let orch = Orch::new(env!("CARGO_BIN_EXE_orch"), root.path());
    orch.ok(&repository.checkout, &["init"]);
    let service = orch.serve();
    let database = rusqlite::Connection::open(orch.home().join("orch.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE UPDATE OF pid ON jobs WHEN NEW.pid IS NOT NULL \
             BEGIN SELECT RAISE(ABORT, 'refused on purpose'); END",
        )
        .unwrap();
    orch.ok(&repository.checkout, &["task", "add", "Take your time"]);
    until("the job to be given back", || {
        let held = "SELECT count(*) FROM jobs WHERE status = 'held'";
        let held: i64 = database.query_row(held, [], |row| row.get(0)).ok()?;
        (held == 1).then_some(())
    });
    let begun: BTreeSet<String> = std::fs::read_dir(orch.home().join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(begun.len(), 1, "one run was started: {begun:?}");
    for run in begun {
        let left = marked_processes(&RunId::new(run.clone()).unwrap());
        assert!(left.is_empty(), "{run} was given back and lives on: {left:?}");
    }
    drop(service);
}
