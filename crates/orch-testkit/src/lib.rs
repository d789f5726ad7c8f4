//! What tests share: repositories with an origin, an environment that nothing leaks into, and the
//! real service under test.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

pub mod postgres;
mod repository;
mod service;
mod wait;

pub use repository::{Repository, git};
pub use service::{Orch, Served};
pub use wait::until;
