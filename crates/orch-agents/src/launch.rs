//! What every adapter is given and what it gives back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_core::ids::{AgentName, RunId, StageName, TaskKey};
use orch_core::llm::CallSite;

use crate::adapters::Session;

/// The most of a title in the environment, in bytes: the kernel refuses a program whose single
/// variable is above 128 KiB. The brief holds the rest.
const MAX_TITLE: usize = 4 * 1024;

/// Variables that name places in the user's home.
const USERS_OWN: [&str; 4] =
    ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"];

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
    /// Which attempt of the task at the stage this is, from 1; a bounce leads to the next one.
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
    /// The run's own home; `None` where it has the user's.
    pub home: Option<PathBuf>,
    /// The run's own directory for temporary files; `None` where it has the user's.
    pub temp: Option<PathBuf>,
    /// The session it works in.
    pub session: Session,
    /// How long it may print nothing; `None` means for ever. A program's own patience with its
    /// provider has to stay below.
    pub stall: Option<Duration>,
    /// The part of the service's environment that [`allowed_env`](crate::allowed_env) let pass.
    pub inherited_env: BTreeMap<String, String>,
}

/// What is to be started, in the task's worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchPlan {
    /// The registered place that asks for it (S11).
    pub site: CallSite,
    /// The program and its arguments; never empty.
    pub argv: Vec<String>,
    /// The complete environment.
    pub env: BTreeMap<String, String>,
    /// What it reads on standard input: the brief.
    pub stdin: PathBuf,
    /// Files to be written into its own home before it starts, by their path there.
    pub files: Vec<(PathBuf, String)>,
    /// The session's name, where it is known before the start.
    pub session: Option<String>,
}

/// Why an agent can't be started. All of it is the settings' fault, never the code's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// The command names no program.
    #[error("the agent's command is empty; set `command` to the program and its arguments")]
    EmptyCommand,
    /// No program can be given such an argument.
    #[error("the agent's command holds a NUL character in {0:?}; remove it")]
    NulInCommand(String),
    /// The script leaves the repository.
    #[error("the script {} is not inside the repository; give a relative path without `..`", .0.display())]
    ScriptOutside(PathBuf),
    /// The script is in neither place.
    #[error("the script {} is neither in {} nor in {}; write it, or correct `script`", .script.display(), .base.display(), .worktree.display())]
    NoScript {
        /// As configured.
        script: PathBuf,
        /// Looked up first.
        base: PathBuf,
        /// Looked up second.
        worktree: PathBuf,
    },
    /// A path that can't be told to a program without changing it.
    #[error("the path {} is not UTF-8; use a path that is", .0.display())]
    NotUtf8(PathBuf),
}

/// The environment of a run: what it inherits, and the facts of the contract above that.
pub(crate) fn environment(context: &LaunchContext) -> Result<BTreeMap<String, String>, AgentError> {
    let facts = [
        ("ORCH_BRIEF_FILE", utf8(&context.brief_file)?),
        ("ORCH_TASK", context.task.to_string()),
        ("ORCH_TITLE", title(&context.title)),
        ("ORCH_STAGE", context.stage.to_string()),
        ("ORCH_AGENT", context.agent.to_string()),
        ("ORCH_ATTEMPT", context.attempt.to_string()),
        ("ORCH_RUN_ID", context.run_id.to_string()),
        ("ORCH_ARTIFACT_DIR", utf8(&context.artifact_dir)?),
    ];
    let mut env = context.inherited_env.clone();
    if let Some(home) = &context.home {
        // They point into the user's home, where a run of its own home has nothing to do.
        env.retain(|name, _| !USERS_OWN.contains(&name.as_str()));
        env.insert("HOME".to_owned(), utf8(home)?);
    }
    if let Some(temp) = &context.temp {
        env.insert("TMPDIR".to_owned(), utf8(temp)?);
    }
    env.extend(facts.map(|(name, value)| (name.to_owned(), value)));
    Ok(env)
}

/// The path as text, unchanged.
pub(crate) fn utf8(path: &Path) -> Result<String, AgentError> {
    path.to_str().map(ToOwned::to_owned).ok_or_else(|| AgentError::NotUtf8(path.to_owned()))
}

/// A title that an environment can hold.
fn title(title: &str) -> String {
    let mut end = title.len().min(MAX_TITLE);
    while !title.is_char_boundary(end) {
        end -= 1;
    }
    title[..end].replace('\0', "\u{FFFD}")
}
