//! Adapters: one folder per sort of agent program. An adapter turns a run's context into a command
//! line; it never starts anything.

pub mod command;
pub mod scripted;

use std::path::PathBuf;

use orch_core::llm::CallSite;

use crate::launch::{AgentError, LaunchContext, LaunchPlan, environment};

/// How an agent is driven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdapterConfig {
    /// Any program.
    Command {
        /// The program and its arguments; no shell is implied.
        argv: Vec<String>,
    },
    /// The built-in agent that plays a script.
    Scripted {
        /// The script, relative to the repository.
        script: PathBuf,
    },
}

/// Plans a launch at a registered call site. Fails where the settings name nothing that could be
/// started.
pub fn plan(
    site: CallSite,
    adapter: &AdapterConfig,
    context: &LaunchContext,
) -> Result<LaunchPlan, AgentError> {
    let argv = match adapter {
        AdapterConfig::Command { argv } => command::argv(argv)?,
        AdapterConfig::Scripted { script } => scripted::argv(script, context)?,
    };
    let env = environment(context)?;
    Ok(LaunchPlan { site, argv, env, stdin: context.brief_file.clone() })
}
