//! Calls of a moment: look, stop, clean.

use std::time::{Duration, Instant};

use orch_core::ids::RunId;
use orch_core::remote::{Fault, FaultKind};

use super::client::{Client, Share};
use super::connection::{self, Connection, Heard};
use super::protocol::Said;
use super::script::Task;

/// The longest that the far side's part of a look may take.
const LOOK: Duration = Duration::from_secs(15);
/// The longest that the far side's part of a stop may take: three seconds of grace, then force.
const STOP: Duration = Duration::from_secs(20);
/// The same of a removal, which may be of many files.
const CLEAN: Duration = Duration::from_secs(20);
/// From one look at the caller's wish to the next.
const SLICE: Duration = Duration::from_millis(200);

/// Sees that work could be started there, and gives the folder that runs are kept in. It logs in
/// anew, so that it sees what a login is now, and leaves that connection open for others to share.
pub fn check(client: &Client, give_up: &dyn Fn() -> bool) -> Result<String, Fault> {
    if let Some(retire) = client.retire() {
        connection::retire(&retire);
    }
    let seen = call(client, Share::Make, &Task::Check, LOOK, give_up);
    if seen.is_err()
        && let Some(retire) = client.retire()
    {
        // A login that is no good would stay no good for all who share it, also once it is mended.
        connection::retire(&retire);
    }
    seen
}

/// Ends runs there, and keeps those from beginning that have not begun. `Ok` means that nothing of
/// them is left.
pub fn stop(client: &Client, runs: &[RunId]) -> Result<(), Fault> {
    let shared = call(client, Share::Use, &Task::Stop(runs), STOP, &|| false);
    match shared {
        Err(fault) if fault.kind.is_of_the_link() => {
            call(client, Share::Apart, &Task::Stop(runs), STOP, &|| false).map(drop)
        }
        other => other.map(drop),
    }
}

/// Removes the folders of runs that are over.
pub fn clean(client: &Client, runs: &[RunId]) -> Result<(), Fault> {
    call(client, Share::Use, &Task::Clean(runs), CLEAN, &|| false).map(drop)
}

fn call(
    client: &Client,
    share: Share,
    task: &Task<'_>,
    work: Duration,
    give_up: &dyn Fn() -> bool,
) -> Result<String, Fault> {
    let deadline = Instant::now() + client.patience(work);
    let mut connection = Connection::open(client, share, task)?;
    loop {
        match connection.hear(SLICE) {
            Heard::Said(Said::Done(told)) => return Ok(told),
            Heard::Said(Said::Fault(word, said)) => return Err(told(&word, said)),
            Heard::Said(_) => {}
            Heard::Nothing if Instant::now() < deadline && !give_up() => {}
            Heard::Nothing | Heard::Over => return Err(connection.close()),
        }
    }
}

/// A fault that the far side's script told of.
pub(super) fn told(word: &str, said: String) -> Fault {
    let kind = match word {
        "program" => FaultKind::MissingProgram,
        "room" => FaultKind::NoRoom,
        "disk" => FaultKind::DiskFull,
        "setup" => FaultKind::NotSetUp,
        "killed" => FaultKind::Killed,
        "stuck" => FaultKind::Stuck,
        _ => FaultKind::NoFrame,
    };
    Fault::new(kind, said)
}
