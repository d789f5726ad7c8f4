//! The process floor: one supervisor process per run, process identity, tree-kill.
//!
//! A run lives in a [`RunDir`]. [`launch`] writes its `spec.json` and starts a supervisor that
//! detaches from the caller, takes the directory's one *claim*, starts the child, keeps its output
//! in `log.jsonl`, enforces the limits, ends the whole process tree and writes `exit.json` as its
//! last act. The caller may die at any moment: [`observe`] tells afterwards from the files and the
//! process table where the run stands, and [`wait_exit`] waits for its end.
//!
//! Invariants: whoever creates the claim decides for good whether a run starts ([`revoke`] takes
//! the same claim); a child is never started before the claim is on disk; `exit.json` appears only
//! when no process of the tree is left (or none that can be killed, which the log then says).
//!
//! This is the only crate with unsafe code. Linux only: everything here looks at `/proc`.

mod cgroup;
mod claim;
mod disk;
pub mod files;
mod fsio;
mod hide;
pub mod identity;
mod launch;
pub mod log;
mod masking;
mod observe;
mod procfs;
mod run_dir;
pub mod sandbox;
mod service;
mod signal;
mod spec;
pub mod ssh;
mod stop;
mod supervise;
mod sweep;
mod wait;

pub use claim::{Revocation, revoke};
pub use disk::free_disk;
pub use hide::hide_environment;
pub use identity::Liveness;
pub use launch::{LaunchError, launch};
pub use observe::{Observation, child, observe, supervisor};
pub use run_dir::RunDir;
pub use service::{kill, reap_orphans, runs_from, terminate};
pub use spec::{MARK, RunSpec};
pub use stop::{end, request_stop};
pub use supervise::{run_supervisor_main, supervise};
pub use sweep::{marked_processes, sweep, sweep_where};
pub use wait::wait_exit;
