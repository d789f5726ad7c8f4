//! `orch task`: tasks from submission to their end.

mod add;
mod list;
mod logs;
mod show;
mod watch;

use std::process::ExitCode;

use orch_api::RetryRequest;
use orch_core::breaker::CauseId;
use orch_core::ids::TaskKey;
use orch_core::money::prices::micros;

use super::gate::{self, TaskArgs, done};
use crate::env::Env;
use crate::exit::Exit;
use crate::service;

/// Submit tasks, look at them, and act on them.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Add(add::Args),
    List(list::Args),
    Show(show::Args),
    Logs(logs::Args),
    /// Let a task step aside at the serial gate; the next one goes in its place.
    Pause(TaskArgs),
    /// Put a paused task back in its place.
    Resume {
        /// The task, such as HELLO-1.
        key: TaskKey,
    },
    /// End a task for good; what it runs is ended too.
    Cancel(TaskArgs),
    /// Set a held or deferred task going again, or all that one fault holds.
    Retry {
        /// The task, such as HELLO-1.
        #[arg(required_unless_present = "cause", conflicts_with = "cause")]
        key: Option<TaskKey>,
        /// The fault, as `orch queue` and `orch why` name it: all its tasks go on.
        #[arg(long, value_name = "ID", conflicts_with_all = ["raise_budget", "raise_tokens"])]
        cause: Option<CauseId>,
        /// US dollars that it may cost above its budget.
        #[arg(long, value_name = "USD", value_parser = dollars)]
        raise_budget: Option<u64>,
        /// Tokens that it may read and write above its budget.
        #[arg(long, value_name = "N")]
        raise_tokens: Option<u64>,
    },
    /// Say yes to a task that waits for a person.
    Approve {
        /// The task, such as HELLO-1.
        key: TaskKey,
        /// Who says so; kept in the history.
        #[arg(long)]
        by: Option<String>,
    },
    /// Answer a task that waits for advice; the text goes into the next brief.
    Answer {
        /// The task, such as HELLO-1.
        key: TaskKey,
        /// The answer; - reads it from standard input.
        text: String,
    },
}

fn dollars(text: &str) -> Result<u64, String> {
    micros(text).ok_or_else(|| "not an amount of US dollars such as 2.50".to_owned())
}

/// Runs the command.
pub fn run(command: Command, env: &Env) -> anyhow::Result<ExitCode> {
    match command {
        Command::Add(args) => add::run(&args, env),
        Command::List(args) => list::run(&args, env),
        Command::Show(args) => show::run(&args, env),
        Command::Logs(args) => logs::run(&args, env),
        Command::Pause(args) => gate::pause(&args, env),
        Command::Resume { key } => gate::resume(&key, env),
        Command::Cancel(args) => {
            service::client(env)?.cancel(&args.key.to_string(), args.reason.as_deref())?;
            done(env, &format!("{} is cancelled", args.key))
        }
        Command::Retry { key, cause, raise_budget, raise_tokens } => {
            let request = RetryRequest { raise_cost_micros: raise_budget, raise_tokens };
            retry(key.as_ref(), cause.as_ref(), &request, env)
        }
        Command::Approve { key, by } => {
            let by = by.or_else(|| env.user());
            service::client(env)?.approve(&key.to_string(), by.as_deref())?;
            done(env, &format!("{key} is approved"))
        }
        Command::Answer { key, text } => {
            let text = if text == "-" { std::io::read_to_string(std::io::stdin())? } else { text };
            service::client(env)?.answer(&key.to_string(), &text)?;
            done(env, &format!("{key} is answered"))
        }
    }
}

fn retry(
    key: Option<&TaskKey>,
    cause: Option<&CauseId>,
    request: &RetryRequest,
    env: &Env,
) -> anyhow::Result<ExitCode> {
    let client = service::client(env)?;
    if let Some(key) = key {
        client.retry_with(&key.to_string(), request)?;
        done(env, &format!("{key} goes on"))?;
    }
    if let Some(cause) = cause {
        let going = client.retry_cause(cause.as_str())?.going;
        let going = if going.is_empty() { "no held task".to_owned() } else { going.join(", ") };
        done(env, &format!("{going} goes on; what was paused for {cause} is not any more"))?;
    }
    Ok(Exit::Done.into())
}
