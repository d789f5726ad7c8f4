//! From an adapter and a context to a command line.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use orch_core::ids::{AgentName, RunId, StageName, TaskKey};

/// How an agent is driven. Each real agent CLI becomes a variant of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdapterConfig {
    /// Any program.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
    },
    /// The built-in agent that plays a script.
    Scripted {
        /// The script, relative to the repository.
        script: PathBuf,
    },
}

/// What an adapter knows of a run.
#[derive(Debug, Clone)]
pub struct LaunchContext {
    /// The task.
    pub task: TaskKey,
    /// Its title.
    pub title: String,
    /// The stage.
    pub stage: StageName,
    /// The role.
    pub agent: AgentName,
    /// Which attempt at the stage this is, from 1.
    pub attempt: u32,
    /// The run.
    pub run_id: RunId,
    /// The task's worktree.
    pub worktree: PathBuf,
    /// The task's artifact folder, absolute.
    pub artifact_dir: PathBuf,
    /// The rendered brief.
    pub brief_file: PathBuf,
    /// The folder of the `orch.toml`, where scripts are looked up first.
    pub base_dir: PathBuf,
    /// The `orch` binary.
    pub orch_program: PathBuf,
    /// The allowed part of the service's environment.
    pub inherited_env: BTreeMap<String, String>,
}

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchPlan {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The complete environment.
    pub env: BTreeMap<String, String>,
    /// What it reads on standard input.
    pub stdin: PathBuf,
}

/// Why an agent can't be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// The command is empty.
    #[error("the agent's command is empty")]
    EmptyCommand,
    /// The script leaves the repository.
    #[error("the script {} is not inside the repository; give a relative path without `..`", .0.display())]
    ScriptOutside(PathBuf),
    /// The script is nowhere.
    #[error("the script {} is neither in {} nor in {}", .script.display(), .base.display(), .worktree.display())]
    NoScript {
        /// As configured.
        script: PathBuf,
        /// Looked up first.
        base: PathBuf,
        /// Looked up second.
        worktree: PathBuf,
    },
}

/// Plans a launch.
pub fn plan(adapter: &AdapterConfig, context: &LaunchContext) -> Result<LaunchPlan, AgentError> {
    let argv = match adapter {
        AdapterConfig::Command { argv } if argv.is_empty() => return Err(AgentError::EmptyCommand),
        AdapterConfig::Command { argv } => argv.clone(),
        AdapterConfig::Scripted { script } => {
            let script = find(script, context)?.display().to_string();
            vec![
                context.orch_program.display().to_string(),
                "scripted-agent".into(),
                "--script".into(),
                script,
            ]
        }
    };
    let mut env = context.inherited_env.clone();
    env.extend(facts(context));
    Ok(LaunchPlan { argv, env, stdin: context.brief_file.clone() })
}

fn facts(context: &LaunchContext) -> [(String, String); 8] {
    [
        ("ORCH_BRIEF_FILE", context.brief_file.display().to_string()),
        ("ORCH_TASK", context.task.to_string()),
        ("ORCH_TITLE", context.title.clone()),
        ("ORCH_STAGE", context.stage.to_string()),
        ("ORCH_AGENT", context.agent.to_string()),
        ("ORCH_ATTEMPT", context.attempt.to_string()),
        ("ORCH_RUN_ID", context.run_id.to_string()),
        ("ORCH_ARTIFACT_DIR", context.artifact_dir.display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

fn find(script: &Path, context: &LaunchContext) -> Result<PathBuf, AgentError> {
    let inside =
        script.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Err(AgentError::ScriptOutside(script.to_owned()));
    }
    let places = [&context.base_dir, &context.worktree];
    places.iter().map(|place| place.join(script)).find(|path| path.is_file()).ok_or_else(|| {
        AgentError::NoScript {
            script: script.to_owned(),
            base: context.base_dir.clone(),
            worktree: context.worktree.clone(),
        }
    })
}
