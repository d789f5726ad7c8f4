//! Versions of orch side by side, switched by the real launcher.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
