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

/// Writes the exit, trying again for ten minutes. Gives up at once where the directory is gone:
/// whoever removed it does not want the result.
pub(super) fn write_exit(dir: &RunDir, exit: &RunExit) -> io::Result<()> {
    let content = serde_json::to_vec(exit)?;
    let give_up_at = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        match fsio::write_atomic(&dir.exit(), &content) {
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
