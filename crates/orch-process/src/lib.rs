//! Supervisor of runs, process identity, tree-kill; the only crate with unsafe code.
