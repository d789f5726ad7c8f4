//! Asks a run to end, or ends it for good.

use std::io;
use std::time::{Duration, Instant};

use orch_core::ids::RunId;
use rustix::process::Signal;

use crate::claim::{self, Claim};
use crate::fsio;
use crate::run_dir::RunDir;
use crate::signal;
use crate::wait::is_over;
use crate::{Revocation, identity, observe, sweep, wait_exit};

/// How long a supervisor has to end its tree once it was asked: twice what the politest takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks the supervisor to end the run: for good by a file, at once by a signal where the supervisor
/// lives. A run that has not started yet will end as cancelled; one that has ended stays as it is.
pub fn request_stop(dir: &RunDir) -> io::Result<()> {
    fsio::publish(&dir.stop(), b"stop\n")?;
    if let Ok(Some(Claim::Supervisor { identity })) = claim::read(dir)
        && identity::liveness(&identity).may_act()
    {
        signal::send(identity.pid, identity.start_time, Signal::TERM);
        // One that somebody stopped hears nothing until it goes on.
        signal::send(identity.pid, identity.start_time, Signal::CONT);
    }
    Ok(())
}

/// Ends a run's processes, whatever is left of them, and keeps one that never began from beginning.
/// Returns within half a minute: a supervisor that does not end its tree when asked is killed, and
/// the tree is swept. An error says that the request could not be written; the end is as thorough.
pub fn end(dir: &RunDir, run_id: &RunId) -> io::Result<()> {
    end_within(dir, run_id, PATIENCE)
}

fn end_within(dir: &RunDir, run_id: &RunId, patience: Duration) -> io::Result<()> {
    let mut asked = Ok(());
    if dir.path().exists() && !matches!(claim::revoke(dir), Ok(Revocation::Revoked)) {
        if !is_over(&observe(dir)) {
            asked = request_stop(dir);
            let deadline = Instant::now() + patience;
            wait_exit(dir, &|| Instant::now() >= deadline);
        }
        if let Some(supervisor) = observe::supervisor(dir)
            && identity::liveness(&supervisor).may_act()
        {
            signal::send(supervisor.pid, supervisor.start_time, Signal::KILL);
        }
    }
    sweep(run_id);
    asked
}
