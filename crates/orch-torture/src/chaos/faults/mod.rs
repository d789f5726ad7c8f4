//! The faults, one file per place that they strike.

pub mod database;
pub mod disk;
pub mod files;
pub mod signals;

use std::time::{Duration, Instant};

/// Sleeps, and wakes early when told to stop.
fn hold(lasts: Duration, stop: &dyn Fn() -> bool) {
    let until = Instant::now() + lasts;
    while Instant::now() < until && !stop() {
        std::thread::sleep(Duration::from_millis(10));
    }
}
