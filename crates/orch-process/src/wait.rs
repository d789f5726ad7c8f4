//! Waits for a run's end, woken by the kernel when the supervisor goes.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::observe::{Observation, observe, supervisor};
use crate::run_dir::RunDir;
use crate::signal;

/// How often the caller is asked whether to go on, and files are looked at where there is no
/// supervisor to wait on.
const SLICE: Duration = Duration::from_millis(100);

/// Blocks until the run has ended (`Exited`, `Lost` or `Revoked`) or `give_up` says true, which is
/// asked at least every 100 ms; then returns what was last seen. A run that nobody has started yet
/// is waited for as well.
pub fn wait_exit(dir: &RunDir, give_up: &dyn Fn() -> bool) -> Observation {
    let mut handle = None;
    loop {
        let seen = observe(dir);
        if is_over(&seen) || give_up() {
            return seen;
        }
        if handle.is_none() {
            handle = supervisor(dir).and_then(|s| signal::open(s.pid, s.start_time).ok().flatten());
            if handle.is_some() {
                // It may have gone before we held it; look once more before sleeping.
                let seen = observe(dir);
                if is_over(&seen) {
                    return seen;
                }
            }
        }
        if sleep_until_exit(handle.as_ref()) {
            handle = None;
        }
    }
}

/// Nothing of the run is to come any more.
pub(crate) fn is_over(seen: &Observation) -> bool {
    matches!(seen, Observation::Exited(_) | Observation::Lost { .. } | Observation::Revoked)
}

/// Sleeps one slice, less if the process ends; true if it did. A failure is a short sleep, never a
/// hot loop.
fn sleep_until_exit(handle: Option<&OwnedFd>) -> bool {
    let Some(handle) = handle else {
        std::thread::sleep(SLICE);
        return false;
    };
    let timeout = Timespec { tv_sec: 0, tv_nsec: SLICE.as_nanos() as i64 };
    let mut fds = [PollFd::new(handle, PollFlags::IN)];
    if let Ok(ready) = rustix::event::poll(&mut fds, Some(&timeout)) {
        return ready > 0;
    }
    std::thread::sleep(Duration::from_millis(1));
    false
}
