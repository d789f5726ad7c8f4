//! Waits for a task's end, telling on stderr what happens to it.

use std::process::ExitCode;

use orch_api::{Client, EventItem, TaskSummary};
use orch_core::ids::TaskKey;

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::{Style, moment, note, plain};

/// Follows a task until it is done (exit 0), or held or cancelled (exit 1, with the reason). A
/// service that restarts meanwhile is waited for.
pub fn to_its_end(client: &Client, key: &TaskKey, env: &Env) -> anyhow::Result<ExitCode> {
    let style = Style::for_stderr(env);
    let name = key.to_string();
    // The stream is opened first: what happens between the two is in it.
    let events = client.task_events_stream(&name, Some(0))?;
    if let Some(end) = end_of(client, &name)? {
        return end;
    }
    for event in events {
        let event = event?;
        if env.stderr_terminal {
            tell(style, &event);
        }
        if may_end(&event)
            && let Some(end) = end_of(client, &name)?
        {
            return end;
        }
    }
    Err(Stop::failed(format!("the events of {name} broke off")).hint("see `orch why`").into())
}

fn tell(style: Style, event: &EventItem) {
    let at = style.dim(&moment(event.at));
    note(format!("{at}  {}  {}", style.cyan(&plain(&event.kind)), plain(&event.message)));
}

/// Whether a task may have ended, or be waiting for somebody, after an event of this kind.
fn may_end(event: &EventItem) -> bool {
    use orch_core::event::EventKind;
    [EventKind::TaskDone, EventKind::TaskCancelled, EventKind::TaskHeld]
        .iter()
        .any(|kind| kind.name() == event.kind)
}

/// What the task has come to; `None` while it is under way.
fn end_of(client: &Client, key: &str) -> anyhow::Result<Option<anyhow::Result<ExitCode>>> {
    let TaskSummary { state, .. } = client.task(key)?.summary;
    Ok(match state.as_str() {
        "done" => Some(Ok(Exit::Done.into())),
        "cancelled" | "held" | "waiting_for_human" => {
            let why = client.why(key)?;
            let told: Vec<String> = [vec![why.headline], why.reasons].concat();
            let stop = Stop::failed(format!("{key} is {state}: {}", told.join("; ")));
            Some(Err(stop.hint(why.next).into()))
        }
        _ => None,
    })
}
