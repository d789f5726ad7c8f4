//! The git command line, driven: mirrors, worktrees, rebase, push with lease.
//!
//! Floor 2. The engine above asks for things; what happens is always a `git` process started by
//! one builder ([`Git`]) with a pinned environment, and its output is read by the pure functions
//! of `parse`. A repository's user checkout is only ever read ([`checkout::inspect`]).
//!
//! Two invariants: a conflict is a value ([`Rebase::Conflict`]), never an error; and every
//! command inside a worktree names its git directory, so that a worktree whose `.git` was
//! deleted can never make git work on a repository further up the tree.

mod archive;
mod build_tree;
pub mod checkout;
mod classify;
mod command;
mod environment;
mod error;
mod files;
mod mirror;
mod names;
mod objects;
mod parse;
mod push;
mod rebase;
mod run;
mod snapshot;
mod tree;
mod worktree;

pub use build_tree::BuildTree;
pub use command::{Git, Identity, MINIMUM_VERSION};
pub use error::{GitError, Result};
pub use files::remove_all;
pub use mirror::{Mirror, WorktreeInfo};
pub use objects::{
    ChangeKind, ChangedPath, CommitRange, CommitSummary, DiffStat, EntryKind, Objects, TreeEntry,
};
pub use push::{Landing, Pushed};
pub use rebase::{ConflictHunk, Rebase};
pub use worktree::{CommitScope, StatusEntry, TakenBack, Worktree};
