//! Writes `exit.json`, the one file whose loss would cost the run its result.

use std::io;
use std::time::{Duration, Instant};

use orch_core::process::RunExit;

use crate::fsio;
use crate::run_dir::RunDir;

/// How long to try against a full or failing disk; somebody may make room.
const PATIENCE: Duration = Duration::from_mins(10);
/// The first pause between two tries; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Writes the exit durably, and with it that there was a run, trying again for ten minutes. Gives up at once where the directory is gone:
/// whoever removed it does not want the result.
pub(super) fn write_exit(dir: &RunDir, exit: &RunExit) -> io::Result<()> {
    let content = serde_json::to_vec(exit)?;
    let give_up_at = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        match fsio::write_atomic(&dir.exit(), &content).and_then(|()| dir.sync_entry()) {
            Ok(()) => return Ok(()),
            Err(error) if !dir.path().is_dir() || Instant::now() >= give_up_at => {
                return Err(error);
            }
            Err(_) => {}
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use orch_core::process::ExitCause;

    use super::*;

    fn exit() -> RunExit {
        RunExit {
            cause: ExitCause::Cancelled,
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::UNIX_EPOCH,
            stdout_tail: String::new(),
            stderr_tail: String::new(),
            lines: 0,
            survivors_killed: 0,
        }
    }

    #[test]
    fn a_disk_that_refuses_is_tried_again() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::new(base.path());
        // A file can't take a directory's place, so every try fails until it is gone.
        std::fs::create_dir(dir.exit()).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| write_exit(&dir, &exit()));
            std::fs::remove_dir(dir.exit()).unwrap();
            writer.join().unwrap().unwrap();
        });
        assert_eq!(fsio::read_json(&dir.exit()).unwrap(), Some(exit()));
    }

    #[test]
    fn a_removed_directory_is_given_up_at_once() {
        let base = tempfile::tempdir().unwrap();
        assert!(write_exit(&RunDir::new(base.path().join("gone")), &exit()).is_err());
    }
}
