//! Faults of infrastructure that several tasks share, with the program itself: one pause, one alert,
//! and everything goes on from where it stood.
#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod alerts;
mod bed;
mod shared;
