//! The whole crate against the real git, in folders of its own and away from any user's
//! configuration.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

mod archive;
mod checkout;
mod lend;
mod mirror;
mod push;
mod rebase;
mod start_over;
mod tree;
mod worktree;
mod world;
