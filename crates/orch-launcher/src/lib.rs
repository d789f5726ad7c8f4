//! Versions of the program side by side, and the launcher: the smallest service manager that can
//! switch the service to another version of itself and back (S9).
//!
//! Everything is a file under one [`Prefix`], so that a request, a switch and its outcome outlive
//! every process: `versions/<version>/orch`, the links `current` and `previous`, `request.json`,
//! `trial.json`, `switches/<id>.json`, `bad/<version>.json`. What happens is decided by
//! [`orch_core::switch::Machine`]; here it is only done.
//!
//! Invariants: what `current` names is a whole version; a trial is on disk before anything of it is
//! done; the launcher ends the service's own process and never its supervisors.

mod bad;
mod error;
mod holder;
mod install;
mod prefix;
mod probe;
mod request;
mod run;
mod service;

pub use bad::{Bad, bad, forget_bad};
pub use error::LauncherError;
pub use install::{Installed, Staged, stage};
pub use prefix::{Lock, Prefix, Version};
pub use request::{Request, Switch, SwitchResult, ask, outcome, pending, recent};
pub use run::{Config, run};
