//! The end of the demo: what came of each task, what is on `main`, and whether it is as expected.

use std::time::Duration;

use orch_core::event::EventKind;
use orch_core::ids::{EventId, TaskKey};
use orch_core::task::TaskState;
use orch_engine::Operator;
use orch_store::EventFilter;

use super::cast::CAST;
use super::example::{Example, git};
use crate::output::{Out, Table};

/// Shows the summary; true where everything is as expected.
pub fn show(
    operator: &Operator,
    example: &Example,
    keys: &[TaskKey],
    took: Duration,
    out: &Out,
) -> anyhow::Result<bool> {
    let mut table = Table::new(&[
        "TASK",
        "TITLE",
        "END",
        "STAGES PASSED",
        "TIME",
        "ON MAIN",
        "BOUNCES AND WHY",
    ]);
    let mut faults = Vec::new();
    for (key, role) in keys.iter().zip(CAST) {
        let task = operator.task(key)?;
        let bounces = bounces(operator, key)?;
        let (passed, end) = match &task.state {
            TaskState::Done { .. } => (task.pipeline.stages.len(), "done"),
            TaskState::Cancelled { .. } => (0, "cancelled"),
            TaskState::Open => (0, "open"),
        };
        let landed = task.progress.merged.as_ref();
        let time = task.updated_at.duration_since(task.created_at).as_secs_f64();
        table.row([
            key.to_string(),
            task.title.clone(),
            end.to_owned(),
            format!("{passed} of {}", task.pipeline.stages.len()),
            format!("{time:.1} s"),
            landed.map_or_else(|| "-".to_owned(), |commit| commit.short().to_owned()),
            if bounces.is_empty() { "-".to_owned() } else { bounces.join("; ") },
        ]);
        if end != "done" {
            faults.push(format!("{key} is {end}, not done"));
        }
        if task.progress.bounces != role.bounces {
            faults.push(format!(
                "{key} went back {} times, not {}",
                task.progress.bounces, role.bounces
            ));
        }
        if let Some(from) = role.from
            && !bounces.iter().any(|bounce| bounce.starts_with(from))
        {
            faults.push(format!("{key} did not go back from {from}"));
        }
        if let Some(commit) = landed
            && git(&example.origin, &["merge-base", "--is-ancestor", commit.as_str(), "main"])
                .is_err()
        {
            faults.push(format!("{key} is not on main"));
        }
    }
    out.line("")?;
    out.table(&table, "no task")?;
    out.line(format!("\n{} (origin)", out.style.bold("git log --oneline main")))?;
    out.line(git(&example.origin, &["log", "--format=%h %<(14,trunc)%an %s", "main"])?.trim_end())?;
    let current = std::fs::read_link(example.deployed.join("current")).unwrap_or_default();
    let main = git(&example.origin, &["rev-parse", "main"])?;
    out.line(format!("\ndeployed: {}", current.display()))?;
    if current.to_str() != Some(main.trim()) {
        faults.push(format!("what is deployed is not main ({})", main.trim()));
    }
    for fault in &faults {
        out.line(format!("{} {fault}", out.style.red("not as expected:")))?;
    }
    if faults.is_empty() {
        let done = format!(
            "all {} tasks reached their expected end in {:.1} s",
            keys.len(),
            took.as_secs_f64()
        );
        out.line(out.style.green(&done))?;
    }
    Ok(faults.is_empty())
}

/// Each time the task went back: from where, and why.
fn bounces(operator: &Operator, key: &TaskKey) -> anyhow::Result<Vec<String>> {
    let filter = EventFilter {
        task: Some(key.clone()),
        kinds: vec![EventKind::TaskBounced],
        ..EventFilter::default()
    };
    let events = operator.store().events(EventId(0), &filter, 100)?;
    Ok(events.into_iter().map(|event| event.what.message).collect())
}
