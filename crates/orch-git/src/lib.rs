//! The git command line, driven: mirrors, worktrees, rebase, push with lease.
