//! Files that go, or go bad.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::signals;
use crate::chaos::bed::Bed;
use crate::chaos::processes::Kind;

/// How long to wait for a run to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Removes a worktree; false where there is none.
pub fn delete_worktree(bed: &Bed, rng: &mut Rng) -> bool {
    let entries = std::fs::read_dir(bed.orch.home().join("worktrees"));
    let mut found: Vec<PathBuf> =
        entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    if found.is_empty() {
        return false;
    }
    let chosen = found.swap_remove(rng.usize(0..found.len()));
    // Whoever works in it may write while it goes: then some of it stays.
    let _ = std::fs::remove_dir_all(chosen);
    true
}

/// Cuts the log of a living run in half; false where there is none with a log.
pub fn truncate_log(bed: &Bed, rng: &mut Rng) -> bool {
    let Some(supervisor) = signals::choose(bed, rng, Kind::Supervisor) else { return false };
    let path = PathBuf::from(supervisor.last_argument).join("log.jsonl");
    let Ok(file) = OpenOptions::new().write(true).open(path) else { return false };
    let length = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    length > 0 && file.set_len(length / 2).is_ok()
}

/// Waits, while no service runs, until one of the living runs has written its exit, and damages
/// it; false where none did.
pub fn corrupt_exit(bed: &Bed, rng: &mut Rng) -> bool {
    let runs: Vec<PathBuf> = bed
        .processes()
        .into_iter()
        .filter(|process| process.kind == Kind::Supervisor)
        .map(|process| PathBuf::from(process.last_argument).join("exit.json"))
        .collect();
    let deadline = Instant::now() + PATIENCE;
    while !runs.is_empty() && Instant::now() < deadline {
        if let Some(exit) = runs.iter().find(|exit| exit.exists()) {
            let whole = std::fs::read(exit).unwrap_or_default();
            let damaged: &[u8] = match rng.u8(0..3) {
                0 => &whole[..whole.len() / 2],
                1 => b"",
                _ => b"{\"cause\":{\"kind\":\"exited\",\"code\":\x00\xff",
            };
            return std::fs::write(exit, damaged).is_ok();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}
