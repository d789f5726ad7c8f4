//! A hostile disk: full, read-only, locked by somebody else, damaged. The store says what is
//! wrong, keeps what it acknowledged, never panics, and works again when the fault is gone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damaged;
mod full;
mod locked;
mod read_only;
mod words;
