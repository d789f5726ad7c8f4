//! What a run may reach of the machine (S6): a plan made from values, and the two things that
//! enforce one, bubblewrap and the kernel's Landlock.
//!
//! Bubblewrap gives a run namespaces of its own: what is hidden is not there, processes outside
//! can't be seen, and the network can be taken away. Landlock needs no program and no namespaces;
//! it refuses access to files and TCP ports and signals to processes outside, but hides nothing.

mod bwrap;
mod confine;
mod cover;
mod detect;
mod egress;
mod exec;
mod hosts;
mod relay;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use bwrap::command as bubblewrap_command;
pub use detect::{Available, available};
pub use exec::{Call, ExecError, Execute, run};
pub use hosts::HostPattern;

/// What enforces a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcer {
    /// Namespaces, by the program `bwrap`.
    Bubblewrap,
    /// The kernel's Landlock, by the process itself before it becomes the run's program.
    Landlock,
}

impl Enforcer {
    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bubblewrap => "bubblewrap",
            Self::Landlock => "landlock",
        }
    }
}

/// What a run reaches of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// All of it.
    On,
    /// Nothing but a loopback of its own, where the enforcer gives one.
    Off,
    /// These hosts, through a proxy.
    Only(Vec<HostPattern>),
}

/// What a run may reach. Of nested paths the deeper one counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confinement {
    /// May be read and written: the worktree, the run's own folders.
    pub writable: Vec<PathBuf>,
    /// May be read although something around it is hidden.
    pub readable: Vec<PathBuf>,
    /// Can't be seen or, by Landlock, not be opened.
    pub hidden: Vec<PathBuf>,
    /// The run's folder for temporary files; under bubblewrap it is `/tmp`.
    pub tmp: PathBuf,
    /// The network.
    pub network: Network,
}
