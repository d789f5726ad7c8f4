//! The form of an adapter: what the service has to know of one agent's program, as a small value.
//! Nothing here starts anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use orch_core::outcome::Demands;
use orch_core::process::{Polite, StepWatch};
use orch_core::settings::Adapter;

use crate::events::{Mapper, ReportMapper};
use crate::launch::{AgentError, LaunchContext};

/// An agent's program: how it is started, how its stream is read, how it ends (S6).
#[derive(Clone, Copy)]
pub struct Descriptor {
    /// Its name in `orch.toml`.
    pub adapter: Adapter,
    /// The program that is looked up where `command` names no other; empty where `command` or
    /// `script` is a must.
    pub program: &'static str,
    /// Variables of the service's environment that it may see beside the usual ones: its keys, the
    /// address of its provider.
    pub passes: &'static [&'static str],
    /// Of them, those each of which is a login.
    pub keys: &'static [&'static str],
    /// Where it keeps a login, relative to the user's home; a run's own home links to it.
    pub login_file: Option<&'static str>,
    /// How to log in, for people.
    pub login_remedy: &'static str,
    /// Where it keeps sessions, relative to its home; kept from run to run per task and role.
    /// `None` where it can't resume.
    pub sessions: Option<&'static str>,
    /// Whether each run gets a home of its own where the settings don't say otherwise.
    pub own_home: bool,
    /// What its end has to show before it counts as done.
    pub demands: Demands,
    /// The signals that ask it to end, in this order, each with its grace, before the last one.
    pub polite: &'static [Polite],
    /// Asks it for its version.
    pub version_args: &'static [&'static str],
    /// The program to start in place of the one that was found: a native one behind a wrapper.
    pub native: fn(&Path) -> Option<PathBuf>,
    /// Plans a launch.
    pub launch: fn(&AdapterConfig, &LaunchContext) -> Result<Invocation, AgentError>,
    /// Makes the mapper of one run's stream.
    pub mapper: fn() -> Box<dyn Mapper>,
    /// How its steps are counted, from the most that a run may take and the most that may be the
    /// same in a row; `None` is no limit.
    pub steps: fn(Option<u32>, Option<u32>) -> Vec<StepWatch>,
}

impl std::fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Descriptor").field(&self.adapter.name()).finish()
    }
}

impl PartialEq for Descriptor {
    fn eq(&self, other: &Self) -> bool {
        self.adapter == other.adapter
    }
}

impl Eq for Descriptor {}

/// How an agent is driven: a descriptor, and what the settings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterConfig {
    /// The program's form.
    pub descriptor: &'static Descriptor,
    /// The program and its first arguments in place of the descriptor's program; empty where the
    /// settings name none.
    pub command: Vec<String>,
    /// The script inside the repository, for the scripted agent alone.
    pub script: Option<PathBuf>,
    /// The model; `None` leaves it to the program.
    pub model: Option<String>,
    /// Further arguments.
    pub args: Vec<String>,
}

impl AdapterConfig {
    /// A program without settings of its own.
    pub fn new(descriptor: &'static Descriptor) -> Self {
        Self { descriptor, command: Vec::new(), script: None, model: None, args: Vec::new() }
    }
}

/// The session that a run works in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// A new one, which gets this name where the program lets one choose (a UUID).
    New {
        /// The name.
        name: String,
    },
    /// An earlier one is taken up.
    Resume {
        /// Its name, as the program spelt it.
        id: String,
    },
}

/// What an adapter makes of a launch; the rest is the same for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Set in its environment, above everything else.
    pub env: BTreeMap<String, String>,
    /// Files to be written before it starts, relative to its home; only into a home of its own.
    pub files: Vec<(PathBuf, String)>,
    /// The session's name, where it is known before the start.
    pub session: Option<String>,
}

/// A program of which nothing is known but that it runs and may report; what is known of another
/// stands beside it.
pub(super) const PLAIN: Descriptor = Descriptor {
    adapter: Adapter::Command,
    program: "",
    passes: &[],
    keys: &[],
    login_file: None,
    login_remedy: "",
    sessions: None,
    own_home: false,
    demands: Demands { closing: false, change: false },
    polite: &[Polite::Term],
    version_args: &[],
    native: as_found,
    launch: |config, context| {
        let mut argv = program(config, context)?;
        argv.extend(config.args.iter().cloned());
        Ok(Invocation { argv, ..Invocation::default() })
    },
    mapper: || Box::new(ReportMapper),
    steps: no_steps,
};

/// Adds the session to the arguments of a program that lets one choose its name; returns the name.
pub(super) fn named_session(argv: &mut Vec<String>, session: &Session) -> String {
    let (option, name) = match session {
        Session::New { name } => ("--session-id", name),
        Session::Resume { id } => ("--resume", id),
    };
    argv.extend([option.to_owned(), name.clone()]);
    name.clone()
}

/// The steps of Claude Code's stream: an answer of the model that calls tools.
pub(super) fn claude_steps(limit: Option<u32>, repeats: Option<u32>) -> Vec<StepWatch> {
    let marks = [r#""type":"assistant""#, r#""type":"tool_use""#].map(ToOwned::to_owned).into();
    vec![StepWatch { marks, same: Some("input".to_owned()), limit, repeats }]
}

/// No program is behind a wrapper.
pub(super) fn as_found(_: &Path) -> Option<PathBuf> {
    None
}

/// Steps can't be told from this stream.
pub(super) fn no_steps(_: Option<u32>, _: Option<u32>) -> Vec<StepWatch> {
    Vec::new()
}

/// The program and its first arguments: the configured ones, else the descriptor's program, or the
/// native one behind it.
pub(super) fn program(
    config: &AdapterConfig,
    context: &LaunchContext,
) -> Result<Vec<String>, AgentError> {
    let mut argv = if config.command.is_empty() {
        vec![config.descriptor.program.to_owned()]
    } else {
        config.command.clone()
    };
    let Some(first) = argv.first_mut().filter(|program| !program.trim().is_empty()) else {
        return Err(AgentError::EmptyCommand);
    };
    if let Some(found) = find(first, context)
        && let Some(native) = (config.descriptor.native)(&found)
    {
        native.to_str().ok_or_else(|| AgentError::NotUtf8(native.clone()))?.clone_into(first);
    }
    match argv.iter().chain(&config.args).find(|word| word.contains('\0')) {
        Some(word) => Err(AgentError::NulInCommand(word.clone())),
        None => Ok(argv),
    }
}

/// Where a program is: as a path, or on the `PATH` that the run will have.
fn find(program: &str, context: &LaunchContext) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(context.worktree.join(program)).filter(|path| path.is_file());
    }
    let path = context.inherited_env.get("PATH")?;
    std::env::split_paths(path).map(|dir| dir.join(program)).find(|path| path.is_file())
}
