//! `orch self switch` and `rollback`: asks the launcher for another version and waits for the end.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use orch_core::ids::VersionName;
use orch_launcher::{Prefix, Request, Switch, SwitchResult, ask, outcome};

use super::Where;
use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::{Out, note, plain};

/// From one look for the end to the next.
const LOOK: Duration = Duration::from_millis(200);
/// How long a launcher may be away: it is restarted by whoever looks after it.
const AWAY: Duration = Duration::from_mins(1);

/// Switch the running service to another installed version, and back where it does not get healthy.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The launcher stops the service, starts the version and asks it for its health; \
    where it does not get healthy in time, the version before takes its place again, and the version \
    is not tried again by itself. Exit code 0 where the version serves, 1 where it does not."
)]
pub struct Args {
    /// The version, as `orch self status` lists it; the beginning of its name is enough.
    version: String,
    #[command(flatten)]
    how: How,
}

/// Switch back to the version that ran before the present one.
#[derive(Debug, clap::Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
struct How {
    /// Try a version that failed before once more.
    #[arg(long)]
    again: bool,
    /// Ask for it and do not wait for the end.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    at: Where,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs `orch self switch`.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let (prefix, _) = args.how.at.open(env)?;
    let version = named(&prefix, &args.version)?;
    to(&prefix, version, &args.how, env)
}

/// Runs `orch self rollback`.
pub fn roll_back(args: &RollbackArgs, env: &Env) -> anyhow::Result<ExitCode> {
    let (prefix, _) = args.how.at.open(env)?;
    let version = prefix.previous().ok_or_else(|| {
        Stop::not_found("no version ran before the present one")
            .hint("name one that is installed: orch self switch VERSION")
    })?;
    to(&prefix, version, &args.how, env)
}

/// The one version whose name begins so.
fn named(prefix: &Prefix, name: &str) -> Result<VersionName, Stop> {
    let found: Vec<VersionName> = prefix
        .versions()
        .into_iter()
        .map(|version| version.name)
        .filter(|version| version.as_str().starts_with(name))
        .collect();
    if let Some(whole) = found.iter().find(|version| version.as_str() == name) {
        return Ok(whole.clone());
    }
    match <[VersionName; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(none) if none.is_empty() => Err(Stop::not_found(format!("no version {name}"))
            .hint("`orch self status` lists those that are installed")),
        Err(several) => Err(Stop::usage(format!("{} versions begin so", several.len()))
            .hint("name more of it; see `orch self status`")),
    }
}

fn to(prefix: &Prefix, version: VersionName, how: &How, env: &Env) -> anyhow::Result<ExitCode> {
    let id = format!("by-hand-{}", jiff::Timestamp::now().as_microsecond());
    let request = Request { id, to: version };
    ask(prefix, &request, how.again)?;
    let out = Out::new(env);
    if how.no_wait {
        return if how.json {
            out.json(&request).map(|()| Exit::Done.into())
        } else {
            out.line(format!("{} {}", out.style.cyan("asked for:"), request.to))?;
            Ok(Exit::Done.into())
        };
    }
    let ended = wait(prefix, &request.id)?;
    if how.json {
        out.json(&ended)?;
    }
    match &ended.result {
        SwitchResult::Switched if how.json => Ok(Exit::Done.into()),
        SwitchResult::Switched => {
            out.line(format!("{} {}", out.style.green("serves:"), ended.to))?;
            Ok(Exit::Done.into())
        }
        _ if how.json => Ok(Exit::Failed.into()),
        _ => Err(failure(&ended).into()),
    }
}

/// Waits for the end of a switch; fails where no launcher is there to follow it.
pub fn wait(prefix: &Prefix, id: &str) -> anyhow::Result<Switch> {
    let mut seen = Instant::now();
    let mut told = false;
    loop {
        if let Some(ended) = outcome(prefix, id)? {
            return Ok(ended);
        }
        if prefix.launcher().is_some() {
            seen = Instant::now();
        } else if !told {
            told = true;
            note("no launcher runs for this prefix; waiting a minute for one");
        }
        if seen.elapsed() >= AWAY {
            return Err(Stop::failed(format!("no launcher runs for {}", prefix.path().display()))
                .hint(
                    "start it: orch launcher, or systemctl start orchestrator; the request stands",
                )
                .into());
        }
        thread::sleep(LOOK);
    }
}

/// What a switch that did not succeed is to its caller.
pub fn failure(ended: &Switch) -> Stop {
    let (to, from) = (&ended.to, &ended.from);
    match &ended.result {
        SwitchResult::Switched => Stop::failed(format!("{to} serves")),
        SwitchResult::Returned { reason, trouble: None } => Stop::failed(format!(
            "version {to} did not get healthy, and {from} serves again: {}",
            plain(reason)
        ))
        .hint("see the service's log; `orch self switch --again` tries it once more"),
        SwitchResult::Returned { reason, trouble: Some(trouble) } => Stop::failed(format!(
            "version {to} did not get healthy: {}; and {from}, which was started again, is not \
             healthy either: {}",
            plain(reason),
            plain(trouble)
        ))
        .hint("see the service's log, `orch self status` and `orch doctor`"),
        SwitchResult::Kept { reason } => Stop::failed(format!(
            "version {to} did not get healthy and stays all the same: {}",
            plain(reason)
        ))
        .hint("mend it with a newer version; see docs/operations/self-deploy.md"),
        SwitchResult::Refused { reason } => Stop::failed(plain(reason).clone()),
    }
}
