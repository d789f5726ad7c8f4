//! The supervisor: the process that owns one run from its claim to its `exit.json`.
//!
//! It is small and synchronous: one thread, one `poll`, bounded buffers. It keeps going when the
//! disk is full, when the service is dead and when its terminal hangs up.

mod child;
mod deadline;
mod detach;
mod kill;
mod lines;
mod log_file;
mod output;
mod quota;
mod reap;
mod record;
mod run;
mod signals;
mod steps;
mod tail;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use orch_core::process::ProcessIdentity;

use crate::claim::{self, Claim};
use crate::hide::hide_environment;
use crate::launch::Handshake;
use crate::run_dir::RunDir;
use crate::{fsio, identity, masking};
use detach::Role;
pub(crate) use signals::{Signals, restore_defaults};

/// Exit code when the run was carried to its `exit.json`, or the supervisor was detached.
const DONE: i32 = 0;
/// Exit code when the supervisor could not do its work; `supervisor.err` says why.
const FAILED: i32 = 1;
/// Exit code for wrong arguments.
const USAGE: i32 = 2;
/// Exit code when somebody else holds the claim.
const REFUSED: i32 = 3;

/// `orch run-supervisor DIR`, given the arguments after the command's name. See [`supervise`].
pub fn run_supervisor_main(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let [dir] = arguments.as_slice() {
        supervise(Path::new(dir))
    } else {
        complain("run-supervisor takes one argument, the run directory");
        USAGE
    }
}

/// Detaches from the caller and carries one run to its end. The calling process returns at once
/// with 0; the detached one returns the exit code when the run is over. It must be called before
/// the program has started a thread or opened a file, and its result ends the program.
pub fn supervise(dir: &Path) -> i32 {
    match try_supervise(dir) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("the supervisor of {} failed: {error}", dir.display()));
            FAILED
        }
    }
}

fn try_supervise(dir: &Path) -> io::Result<i32> {
    detach::close_inherited();
    // Signals first: one that comes during the start must not kill us between claim and child.
    let signals = Signals::take_over()?;
    let dir = RunDir::new(std::fs::canonicalize(dir)?);
    let masks = masking::hear(io::stdin().lock())?;
    if !masks.is_empty() {
        // They stand in this process's memory, and the child may run as the same user.
        hide_environment();
    }
    match detach::detach()? {
        Role::Launcher => return Ok(DONE),
        Role::Supervisor => {}
    }
    let me = identity::current()?;
    if !claim::take(&dir, &Claim::Supervisor { identity: me.clone() })? {
        answer(&Handshake::Refused)?;
        return Ok(REFUSED);
    }
    fsio::publish(&dir.supervisor(), &serde_json::to_vec(&me)?)?;
    tell_ready(me)?;
    let exit = run::carry_out(&dir, &signals, masks);
    record::write_exit(&dir, &exit)?;
    Ok(DONE)
}

/// A launcher that died meanwhile is none of our concern.
fn tell_ready(me: ProcessIdentity) -> io::Result<()> {
    let _ = answer(&Handshake::Ready(me));
    detach::close_stdout()
}

fn answer(handshake: &Handshake) -> io::Result<()> {
    let mut line = serde_json::to_vec(handshake)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Standard error is `supervisor.err` in the run directory. It may be on a full disk, and there is
/// nobody else to tell.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
