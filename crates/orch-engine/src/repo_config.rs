//! A repository's settings, read anew for every run from where the user keeps them: the checkout
//! that was registered, else the default branch in the mirror. Never from a task's branch, where
//! an agent could change what it is judged by.

use std::path::PathBuf;
use std::time::Duration;

use orch_agents::AdapterConfig;
use orch_core::ids::{AgentName, RepoName};
use orch_core::pipeline::{self, Pipeline};
use orch_core::remote::SshTarget;
use orch_core::settings::{
    Adapter, AgentHome, AgentSettings, CommandLine, RepoSettings, SettingsErrors,
};
use orch_core::suite::Mark;
use orch_store::Repo;

use crate::engine::Engine;
use crate::error::chain;
use crate::runners::RunnerKind;

/// A repository's settings, ready for use.
#[derive(Debug, Clone)]
pub struct RepoConfig {
    /// All of them.
    pub settings: RepoSettings,
    /// The folder of the `orch.toml`; scripts and prompts are looked up here first.
    pub base_dir: PathBuf,
}

/// A runner's command and limit.
#[derive(Debug, Clone)]
pub struct SuiteConfig {
    /// What is run.
    pub command: CommandLine,
    /// The absolute limit.
    pub timeout: Duration,
    /// What only the suite itself prints.
    pub marks: Vec<Mark>,
    /// How many per cent fewer tests than the last time still count.
    pub fewer_tests_percent: u32,
}

/// What an agent's launch needs.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// The sort of program.
    pub kind: Adapter,
    /// All of its settings.
    pub settings: AgentSettings,
    /// The adapter and its own settings.
    pub adapter: AdapterConfig,
    /// The absolute limit.
    pub timeout: Duration,
    /// The longest silence; `None` is no limit.
    pub stall: Option<Duration>,
    /// Further environment names it may see.
    pub env: Vec<String>,
    /// A prompt of its own.
    pub prompt: Option<PathBuf>,
    /// Whether the next run goes on in the session of the last one.
    pub resume: bool,
    /// Whether each run has a home of its own.
    pub own_home: bool,
    /// Steps that one run may take; `None` is no limit.
    pub steps: Option<u32>,
    /// The same step in a row; `None` is no limit.
    pub repeats: Option<u32>,
}

impl AgentConfig {
    /// The provider account that pays.
    pub fn account(&self, repo: &RepoName) -> String {
        crate::accounts::name_of(repo, &self.settings)
    }
}

/// The name of the settings file at a repository's root.
pub const FILE: &str = "orch.toml";

impl RepoConfig {
    /// Reads the settings; the error names file, line and remedy.
    pub fn load(engine: &Engine, repo: &Repo) -> Result<Self, String> {
        let (text, base_dir) = source(engine, repo)?;
        let path = base_dir.join(FILE).display().to_string();
        let loaded =
            engine.sources.repository(&path, &text).map_err(|errors| errors.to_string())?;
        Ok(Self { settings: loaded, base_dir })
    }

    /// The pipeline that a new task of the repository gets.
    pub fn pipeline(&self, name: &RepoName) -> Result<Pipeline, Vec<String>> {
        pipeline::resolve(&self.settings, name).map_err(|errors| lines(&errors))
    }

    /// A runner's command; `None` where the repository has none.
    pub fn suite(&self, kind: RunnerKind) -> Option<SuiteConfig> {
        let settings = &self.settings;
        let (command, timeout, marks, fewer_tests_percent) = match kind {
            RunnerKind::Test => {
                let own = &settings.test_runner;
                (&own.command, own.timeout, &*own.marks, own.fewer_tests_percent)
            }
            RunnerKind::Staging => {
                let own = &settings.staging_runner;
                (&own.command, own.timeout, &*own.marks, own.fewer_tests_percent)
            }
            RunnerKind::Deploy => (&settings.deploy.command, settings.deploy.timeout, &[][..], 100),
        };
        let marks = marks.iter().filter_map(|mark| Mark::new(mark).ok()).collect();
        let command = command.clone()?;
        Some(SuiteConfig { command, timeout, marks, fewer_tests_percent })
    }

    /// The other machine that a runner's command runs on; `None` is this one.
    pub fn host(&self, kind: RunnerKind) -> Option<&SshTarget> {
        match kind {
            RunnerKind::Staging => self.settings.staging_runner.host(),
            RunnerKind::Deploy => self.settings.deploy.ssh_target.as_ref(),
            RunnerKind::Test => None,
        }
    }

    /// The channels to other machines that the repository's tasks need.
    pub fn channels(&self, repo: &RepoName) -> Vec<SshTarget> {
        let staging = &self.settings.staging_runner;
        let used = staging.covers(repo) && staging.command.is_some();
        let deploy = &self.settings.deploy;
        let deploys_to = deploy.ssh_target.as_ref().filter(|_| deploy.command.is_some());
        let mut all: Vec<SshTarget> =
            staging.host().filter(|_| used).into_iter().chain(deploys_to).cloned().collect();
        all.dedup();
        all
    }

    /// An agent's launch; the error says what to set.
    pub fn agent(&self, role: &AgentName) -> Result<AgentConfig, String> {
        let found = self.settings.agents.for_role(role);
        let Some(agent) = found else {
            return Err(format!(
                "no agent for {role}: set [agents.default] or [agents.{role}] in {FILE}"
            ));
        };
        let adapter = adapter(role, agent)?;
        let own_home = match agent.home {
            Some(home) => home == AgentHome::Own,
            None => adapter.descriptor.own_home,
        };
        Ok(AgentConfig {
            kind: agent.adapter,
            settings: agent.clone(),
            adapter,
            timeout: agent.timeout,
            stall: agent.stall,
            env: agent.env.clone(),
            prompt: agent.prompt.clone().map(PathBuf::from),
            resume: agent.resume,
            own_home,
            steps: agent.steps,
            repeats: agent.repeats,
        })
    }
}

/// Every problem as a line.
pub fn lines(errors: &SettingsErrors) -> Vec<String> {
    errors.0.iter().map(ToString::to_string).collect()
}

fn adapter(role: &AgentName, agent: &AgentSettings) -> Result<AdapterConfig, String> {
    let name = agent.adapter.name();
    let descriptor = orch_agents::descriptor(agent.adapter).ok_or_else(|| {
        format!(
            "[agents.{role}] adapter \"{name}\" is not part of this version; use \"command\" with \
             the CLI's own command line"
        )
    })?;
    Ok(AdapterConfig {
        descriptor,
        command: agent.command.clone().unwrap_or_default(),
        script: agent.script.clone().map(PathBuf::from),
        model: agent.model.clone(),
        args: agent.args.clone(),
    })
}

fn source(engine: &Engine, repo: &Repo) -> Result<(String, PathBuf), String> {
    if let Some(checkout) = &repo.info.checkout {
        let checkout = PathBuf::from(checkout);
        match std::fs::read_to_string(checkout.join(FILE)) {
            Ok(text) => return Ok((text, checkout)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", checkout.join(FILE).display())),
        }
    }
    let committed = engine.mirror(repo).and_then(|mirror| {
        let head = mirror.remote_head(&repo.info.default_branch)?;
        head.map_or(Ok(None), |head| mirror.file_at(&head, FILE))
    });
    match committed.map_err(|error| chain(&error))? {
        Some(bytes) => {
            let text = String::from_utf8(bytes)
                .map_err(|_| format!("{FILE} on {} is not UTF-8", repo.info.default_branch))?;
            Ok((text, engine.home.path().to_owned()))
        }
        None => Ok((String::new(), engine.home.path().to_owned())),
    }
}
