//! What is looked at once the faults are over and the service is left in peace.

use orch_api::TaskQuery;

use super::bed::Bed;
use super::processes::Kind;
use super::service;

/// Whether nothing is left of what is over: no worktree, no process of a run.
pub fn is_tidy(bed: &Bed) -> bool {
    let worktrees = std::fs::read_dir(bed.orch.home().join("worktrees"));
    worktrees.is_ok_and(|mut entries| entries.next().is_none())
        && !bed.processes().iter().any(|p| matches!(p.kind, Kind::Supervisor | Kind::Agent))
}

/// The number of the last event; as long as it rises, something moves.
pub fn newest_event(bed: &Bed) -> rusqlite::Result<i64> {
    bed.database()?.query_row("SELECT max(id) FROM events", [], |row| row.get(0))
}

/// What the service says of every task that is not done.
pub fn open_tasks(bed: &Bed) -> Vec<String> {
    let client = service::client(bed);
    let wanted = TaskQuery { state: Some("open".to_owned()), ..TaskQuery::default() };
    let tasks = client.every_task(&wanted);
    let open = tasks.filter_map(Result::ok);
    open.map(|task| match client.why(&task.key) {
        Ok(why) => format!("{}: {} ({})", task.key, why.headline, why.reasons.join("; ")),
        Err(error) => format!("{}: {error}", task.key),
    })
    .collect()
}
