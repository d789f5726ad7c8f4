//! Whole runs with real processes: every way in which one can start, misbehave and end.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

mod crashes;
mod ends;
mod identities;
mod launches;
mod measure;
mod outputs;
mod support;
mod trees;
