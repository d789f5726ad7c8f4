//! `orch task add`: submits a task; the key alone goes to stdout.

use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use orch_api::{Client, NewTask};
use orch_core::ids::{RepoName, TaskKey};

use super::watch;
use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::Out;
use crate::service;

/// The longest body that is read, in bytes; the service's own limit is tighter.
const MAX_BODY: u64 = 1 << 20;

/// Submit a task and print its key.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With --wait the exit code is 0 when the task is done, and 1 when it is held or \
    cancelled, with the reason on stderr."
)]
pub struct Args {
    /// What is wanted, in one line.
    #[arg(value_parser = title)]
    title: String,
    /// The request in full: a file, or - for stdin.
    #[arg(long, value_name = "FILE|-")]
    body: Option<String>,
    /// The repository; without it that of the current folder, else the only one.
    #[arg(long, value_name = "NAME")]
    repo: Option<RepoName>,
    /// Higher goes first.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// Wait until the task is done, held or cancelled.
    #[arg(long)]
    wait: bool,
}

fn title(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("the title is empty; say in one line what is wanted".to_owned());
    }
    Ok(text.to_owned())
}

/// Submits the task, and waits for its end where that is wanted.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = service::client(env)?;
    let task = NewTask {
        title: args.title.clone(),
        body: args
            .body
            .as_deref()
            .map(|from| body(from, env.cwd()))
            .transpose()?
            .unwrap_or_default(),
        repo: match &args.repo {
            Some(name) => Some(name.to_string()),
            None => repo_here(&client, env)?,
        },
        priority: args.priority,
    };
    let submitted = client.submit(&task, None)?;
    let key: TaskKey = submitted.task.key.parse()?;
    Out::new(env).line(&key)?;
    if args.wait {
        return watch::to_its_end(&client, &key, env);
    }
    Ok(Exit::Done.into())
}

fn body(from: &str, cwd: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if from == "-" {
        io::stdin().take(MAX_BODY + 1).read_to_string(&mut text).context("stdin can't be read")?;
    } else {
        let path = cwd.join(from);
        let context = || format!("the body {} can't be read", path.display());
        let file = std::fs::File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow::Error::from(
                Stop::not_found(format!("no file {}", path.display()))
                    .hint("--body takes a file, or - for stdin"),
            ),
            _ => anyhow::Error::from(error).context(context()),
        })?;
        file.take(MAX_BODY + 1).read_to_string(&mut text).with_context(context)?;
    }
    if text.len() as u64 > MAX_BODY {
        return Err(Stop::usage(format!("the body is longer than {MAX_BODY} bytes"))
            .hint("put long material into the repository and name it in the body")
            .into());
    }
    Ok(text)
}

/// The registered repository whose checkout the current folder belongs to; `None` where there is
/// none, and the service takes the only one it has.
fn repo_here(client: &Client, env: &Env) -> anyhow::Result<Option<String>> {
    let cwd = env.cwd().canonicalize().unwrap_or_else(|_| env.cwd().to_owned());
    let repos = service::repos(client)?;
    let here = repos
        .iter()
        .filter_map(|repo| Some((repo, repo.checkout.as_deref()?)))
        .filter(|(_, checkout)| cwd.starts_with(checkout))
        .max_by_key(|(_, checkout)| checkout.len())
        .map(|(repo, _)| repo.name.clone());
    if here.is_none() && repos.len() > 1 {
        let names: Vec<&str> = repos.iter().map(|repo| repo.name.as_str()).collect();
        return Err(Stop::usage("the current folder belongs to no registered repository")
            .hint(format!("say which one: --repo {}", names.join(" | ")))
            .into());
    }
    Ok(here)
}
