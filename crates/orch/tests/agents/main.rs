//! The real agent programs, driven by the real service against a provider on loopback: whole
//! pipelines, every fault with what follows, and sessions that are resumed.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod bed;
mod faults;
mod pipelines;
mod sandboxed;
mod sessions;
