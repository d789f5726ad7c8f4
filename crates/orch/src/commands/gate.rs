//! `orch gate`: the serial gate, task by task and repository by repository.

use std::process::ExitCode;

use orch_core::ids::{RepoName, TaskKey};

use crate::env::Env;
use crate::exit::Exit;
use crate::output::Out;
use crate::service;

/// Let tasks step aside, and repositories rest.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Let one task step aside; the next one goes in its place.
    Pause(TaskArgs),
    /// Put a paused task back in its place.
    Resume {
        /// The task, such as HELLO-1.
        key: TaskKey,
    },
    /// Let no further task of a repository in.
    Freeze(RepoArgs),
    /// Let tasks of a repository in again.
    Unfreeze {
        /// The repository's name.
        repo: RepoName,
    },
}

/// A task and a reason.
#[derive(Debug, clap::Args)]
pub struct TaskArgs {
    /// The task, such as HELLO-1.
    pub key: TaskKey,
    /// Why; kept with the task.
    #[arg(long)]
    pub reason: Option<String>,
}

/// A repository and a reason.
#[derive(Debug, clap::Args)]
pub struct RepoArgs {
    /// The repository's name.
    repo: RepoName,
    /// Why; kept with the repository.
    #[arg(long)]
    reason: Option<String>,
}

/// Runs the command.
pub fn run(command: Command, env: &Env) -> anyhow::Result<ExitCode> {
    match command {
        Command::Pause(args) => pause(&args, env),
        Command::Resume { key } => resume(&key, env),
        Command::Freeze(args) => {
            service::client(env)?.freeze(args.repo.as_str(), args.reason.as_deref())?;
            done(env, &format!("{} is frozen", args.repo))
        }
        Command::Unfreeze { repo } => {
            service::client(env)?.unfreeze(repo.as_str())?;
            done(env, &format!("{repo} is not frozen any more"))
        }
    }
}

/// Lets a task step aside.
pub fn pause(args: &TaskArgs, env: &Env) -> anyhow::Result<ExitCode> {
    service::client(env)?.pause(&args.key.to_string(), args.reason.as_deref())?;
    done(env, &format!("{} is paused", args.key))
}

/// Puts a paused task back in its place.
pub fn resume(key: &TaskKey, env: &Env) -> anyhow::Result<ExitCode> {
    service::client(env)?.resume(&key.to_string())?;
    done(env, &format!("{key} takes its place again"))
}

/// Says what was done.
pub fn done(env: &Env, what: &str) -> anyhow::Result<ExitCode> {
    Out::new(env).line(what)?;
    Ok(Exit::Done.into())
}
