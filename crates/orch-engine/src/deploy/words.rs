//! What a task's deploy is at, in lines for people: it stands in the answer to why.

use orch_core::ids::TaskId;
use orch_core::verdict::tail;
use orch_store::{Monitor, MonitorState, Store, StoreError};

use super::log;

/// What is quoted of one step.
const QUOTED: usize = 300;

/// Where a task's last deploy stands, and its watch; empty where it never had one.
pub fn standing(store: &Store, task: TaskId) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    let Some(deploy) = store.last_deploy(task)? else { return Ok(lines) };
    if deploy.ended.is_none()
        && let Some(step) = store.deploy_steps(deploy.id)?.last()
    {
        let name = step.entry.action.word().replace('_', " ");
        let result = log::result(step);
        lines.push(format!(
            "deploy of {} to {}: {name}, {}",
            deploy.revision.short(),
            deploy.target,
            tail(&result, QUOTED)
        ));
    }
    lines.extend(store.monitor_of(task)?.as_ref().map(watch));
    Ok(lines)
}

/// A watch in a line.
fn watch(monitor: &Monitor) -> String {
    let (target, revision) = (&monitor.deploy.target, monitor.deploy.revision.short());
    let seen = format!("{} looks, {} faults", monitor.watch.looks, monitor.watch.faults);
    let because = monitor.reason.as_deref().map(|reason| format!(": {}", tail(reason, QUOTED)));
    let because = because.unwrap_or_default();
    match monitor.state {
        MonitorState::Watching => {
            let until = monitor.until;
            format!(
                "post-deploy-monitor watches {revision} on {target} until {until} ({seen}){because}"
            )
        }
        MonitorState::TakingBack => {
            format!("post-deploy-monitor takes {revision} back from {target}{because}")
        }
        MonitorState::Passed => {
            format!("post-deploy-monitor watched {revision} on {target} to the end ({seen})")
        }
        MonitorState::Superseded => {
            format!("post-deploy-monitor of {revision} on {target} was superseded{because}")
        }
        MonitorState::RolledBack => {
            format!("post-deploy-monitor took {revision} back from {target}{because}")
        }
        MonitorState::Failed => {
            format!("post-deploy-monitor found {revision} on {target} bad, and it runs on{because}")
        }
    }
}
