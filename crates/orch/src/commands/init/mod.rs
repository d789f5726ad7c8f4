//! `orch init`: looks at a repository, writes an `orch.toml` fitted to it, and registers it. What
//! is there already is kept; run twice, the second time changes nothing.

mod agents;
mod origin;
mod render;
mod report;
mod tests_of;
mod write;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use orch_core::ids::{KeyPrefix, RepoName};
use orch_core::settings::Source;
use orch_engine::RegisterRequest;
use orch_engine::register::{default_name, prefix};
use orch_git::Git;
use orch_git::checkout::{self, CheckoutInfo};

use super::doctor;
use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::service;
use crate::settings::{self, FILE_NAME, Text};
use agents::AgentCli;
use origin::Origin;
use render::{DefaultAgent, Facts};
use tests_of::Found;
use write::Written;

/// Fit this git repository out: write its orch.toml and register it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An orch.toml that is there is kept as it is. Run twice, it changes nothing."
)]
pub struct Args {
    /// The repository's name; without it that of its folder.
    #[arg(long)]
    name: Option<RepoName>,
    /// The prefix of task keys; without it made from the name.
    #[arg(long, value_name = "PREFIX")]
    key_prefix: Option<KeyPrefix>,
    /// A remote's name, a URL or a path; without it origin, or the only remote there is.
    #[arg(long)]
    remote: Option<String>,
    /// The branch that work lands on; without it the remote's default.
    #[arg(long, value_name = "BRANCH")]
    default_branch: Option<String>,
    /// Let a scripted agent play every role: rehearses the pipeline, calls no model.
    #[arg(long)]
    rehearsal: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was found out and done.
struct Done {
    repo: service::RepoFacts,
    changed: bool,
    config: PathBuf,
    config_written: Written,
    rehearsal: Option<Written>,
    origin_made: Option<PathBuf>,
    tests: Vec<Found>,
    agents: Vec<AgentCli>,
    missing: Vec<String>,
    stages: Vec<String>,
    left_out: Vec<(String, String)>,
}

/// The programs of the known agents.
pub fn known_agents() -> impl Iterator<Item = &'static str> {
    agents::KNOWN.into_iter().map(|agent| agent.program)
}

/// Runs the command.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let git = Git::default();
    let info = inspect(&git, env.cwd())?;
    let done = fit_out(args, env, &git, &info)?;
    report::print(&done, args.json, env)?;
    Ok(Exit::Done.into())
}

fn inspect(git: &Git, cwd: &Path) -> anyhow::Result<CheckoutInfo> {
    git.require_supported()?;
    let info = checkout::inspect(git, cwd)?;
    if info.is_bare {
        let what =
            format!("{} is a bare repository, without files to look at", info.root.display());
        return Err(Stop::usage(what).hint("run `orch init` in a clone of it").into());
    }
    if info.head.is_none() {
        let what = format!("{} has no commit yet", info.root.display());
        return Err(Stop::usage(what).hint("commit something, then run `orch init` again").into());
    }
    Ok(info)
}

fn fit_out(args: &Args, env: &Env, git: &Git, info: &CheckoutInfo) -> anyhow::Result<Done> {
    let config = info.root.join(FILE_NAME);
    let tests = tests_of::detect(&info.root);
    let agents = agents::detect(env);
    let folder_name = default_name(&info.root)?;
    let existing = settings::read_file(&config)?;
    let name = args.name.clone().unwrap_or_else(|| folder_name.clone());
    let remote = remote_of(args, info)?;
    let made = match &remote {
        Some(_) => None,
        None if existing.is_none() => Some(origin::ensure(env, git, info, &name)?),
        None => own_remote_missing(env, git, info, existing.as_ref(), &folder_name)?,
    };
    let mut rehearsal = None;
    let config_written = if existing.is_some() {
        Written::Kept
    } else {
        let made = made.as_ref().map(|origin| origin.path.display().to_string());
        let remote = remote.or(made).unwrap_or_default();
        let chosen = Chosen { args, info, name, remote, tests: &tests, agents: &agents };
        rehearsal = chosen.write(env, &config)?;
        Written::New
    };
    let file = settings::read_file(&config)?;
    let loaded = settings::repo(env, file.as_ref())?;
    settings::warn(env, &loaded.warnings);
    let pipeline = super::pipeline::resolve(env, file.as_ref())?;
    let request = RegisterRequest {
        checkout: info.root.clone(),
        remote: made.as_ref().map(|origin| origin.path.display().to_string()),
    };
    let (repo, changed) = service::register(env, &request)?;
    let left_out =
        pipeline.left_out.iter().map(|left| (left.stage.to_string(), left.reason.clone()));
    Ok(Done {
        missing: doctor::missing_programs(env, &loaded.value),
        stages: pipeline.stages.iter().map(|stage| stage.name.to_string()).collect(),
        left_out: left_out.collect(),
        repo,
        changed,
        config,
        config_written,
        rehearsal,
        origin_made: made.filter(|origin| origin.fresh).map(|origin| origin.path),
        tests,
        agents,
    })
}

/// An origin for a repository that has no remote and an `orch.toml` that names none either.
fn own_remote_missing(
    env: &Env,
    git: &Git,
    info: &CheckoutInfo,
    existing: Option<&Text>,
    folder_name: &RepoName,
) -> anyhow::Result<Option<Origin>> {
    let loaded = settings::repo(env, existing)?;
    let named = loaded
        .settings
        .iter()
        .any(|setting| setting.key == "repository.remote" && setting.source != Source::Default);
    if named {
        return Ok(None);
    }
    let name = loaded.value.repository.name.unwrap_or_else(|| folder_name.clone());
    origin::ensure(env, git, info, &name).map(Some)
}

/// The remote to land on: as told, else `origin`, else the only one. `None` where the repository
/// has none at all.
fn remote_of(args: &Args, info: &CheckoutInfo) -> Result<Option<String>, Stop> {
    if let Some(told) = &args.remote {
        return Ok(Some(told.clone()));
    }
    let names: Vec<&str> = info.remotes.iter().map(|(name, _)| name.as_str()).collect();
    match names.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some((*only).to_owned())),
        _ if names.contains(&"origin") => Ok(Some("origin".to_owned())),
        _ => Err(Stop::usage(format!("none of the remotes is origin: {}", names.join(", ")))
            .hint("say which one work lands on: orch init --remote NAME")),
    }
}

/// What goes into a fresh `orch.toml`.
struct Chosen<'a> {
    args: &'a Args,
    info: &'a CheckoutInfo,
    name: RepoName,
    remote: String,
    tests: &'a [Found],
    agents: &'a [AgentCli],
}

impl Chosen<'_> {
    /// Writes the file, and the rehearsal's script where one is asked for.
    fn write(&self, env: &Env, config: &Path) -> anyhow::Result<Option<Written>> {
        let prefix = self.args.key_prefix.clone().unwrap_or_else(|| prefix(&self.name));
        let (agent, others) = match (self.args.rehearsal, self.agents.split_first()) {
            (true, _) => (DefaultAgent::Rehearsal, self.agents),
            (false, Some((first, rest))) => (DefaultAgent::Cli(*first), rest),
            (false, None) => (DefaultAgent::Nobody, &[][..]),
        };
        let branch = self.default_branch()?;
        let facts = Facts {
            name: self.name.as_str(),
            remote: &self.remote,
            default_branch: &branch,
            key_prefix: prefix.as_str(),
            agent: &agent,
            other_agents: others,
            tests: self.tests,
        };
        let text = render::orch_toml(&facts);
        // What is written must be valid; a remote or branch with a strange name shows here.
        settings::repo_from(env, config, &text)?;
        let rehearsal = match agent {
            DefaultAgent::Rehearsal => {
                let script = self.info.root.join(render::REHEARSAL);
                Some(write::new_file(&script, render::REHEARSAL_SCRIPT)?)
            }
            _ => None,
        };
        write::new_file(config, &text)?;
        Ok(rehearsal)
    }

    fn default_branch(&self) -> Result<String, Stop> {
        self.args.default_branch.clone().or_else(|| self.info.default_branch.clone()).ok_or_else(
            || {
                Stop::usage("the default branch can't be told: no branch is checked out")
                    .hint("say which one work lands on: orch init --default-branch BRANCH")
            },
        )
    }
}
