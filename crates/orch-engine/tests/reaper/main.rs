//! The reaper's tick, by hand.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod bed;
mod leases;
mod sanitizer;
