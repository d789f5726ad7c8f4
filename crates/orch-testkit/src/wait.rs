//! Waiting for a condition, never for a time.

use std::thread;
use std::time::{Duration, Instant};

/// Polls until `look` finds something; panics with `what` after a generous minute or two.
///
/// # Panics
/// When nothing was found in 120 seconds.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited 120 s in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
