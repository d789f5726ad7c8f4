//! What tests share: repositories with an origin, an environment that nothing leaks into, and the
//! real service under test.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

pub mod agent_clis;
pub mod agent_matrix;
pub mod postgres;
pub mod program;
#[cfg(feature = "provider")]
pub mod provider;
pub mod proxy;
mod repository;
#[cfg(feature = "s3")]
mod s3;
mod service;
mod sshd;
mod wait;

pub use repository::{Repository, git};
#[cfg(feature = "s3")]
pub use s3::{Fault, S3Server};
pub use service::{Orch, Served};
pub use sshd::Sshd;
pub use wait::until;
