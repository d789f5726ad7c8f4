//! Asks a run to end.

use std::io;

use rustix::process::Signal;

use crate::claim::{self, Claim};
use crate::fsio;
use crate::run_dir::RunDir;
use crate::signal;
use crate::{Liveness, identity};

/// Asks the supervisor to end the run: durably by a file, at once by a signal where the supervisor
/// lives. A run that has not started yet will end as cancelled; one that has ended stays as it is.
pub fn request_stop(dir: &RunDir) -> io::Result<()> {
    fsio::write_atomic(&dir.stop(), b"stop\n")?;
    if let Ok(Some(Claim::Supervisor { identity })) = claim::read(dir)
        && identity::liveness(&identity) == Liveness::Alive
    {
        signal::send(identity.pid, identity.start_time, Signal::TERM);
    }
    Ok(())
}
