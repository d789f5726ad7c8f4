//! `orch self status`: which versions there are, which runs, and how the last switches ended.

use std::process::ExitCode;

use jiff::Timestamp;
use orch_launcher::{bad, pending, recent};
use serde_json::json;

use super::Where;
use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, Table, ago, plain};

/// Show the installed versions, which one is current, and how the last switches ended.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    at: Where,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let (prefix, _) = args.at.open(env)?;
    let (current, previous) = (prefix.current(), prefix.previous());
    let (launcher, trial, asked) = (prefix.launcher(), prefix.trial()?, pending(&prefix)?);
    let (versions, switches) = (prefix.versions(), recent(&prefix));
    let (out, now) = (Out::new(env), Timestamp::now());
    if args.json {
        let listed: Vec<_> = versions
            .iter()
            .map(|version| {
                json!({
                    "version": version.name, "revision": version.revision,
                    "installed_at": version.installed_at,
                    "current": current.as_ref() == Some(&version.name),
                    "previous": previous.as_ref() == Some(&version.name),
                    "bad": bad(&prefix, &version.name),
                })
            })
            .collect();
        out.json(&json!({
            "prefix": prefix.path(), "launcher": launcher, "current": current,
            "previous": previous, "trial": trial, "asked": asked, "versions": listed,
            "switches": switches,
        }))?;
        return Ok(Exit::Done.into());
    }
    let pid = launcher.map_or_else(|| "not running".to_owned(), |pid| format!("process {pid}"));
    out.line(format!("{}  {}", out.style.bold("prefix  "), prefix.path().display()))?;
    out.line(format!("{}  {pid}", out.style.bold("launcher")))?;
    if let Some(trial) = &trial {
        out.line(format!("{}  {} after {}", out.style.bold("on trial"), trial.to, trial.from))?;
    }
    if let Some(asked) = asked {
        out.line(format!("{}  {}", out.style.bold("asked   "), asked.to))?;
    }
    let mut table = Table::new(&["VERSION", "", "INSTALLED"]);
    for version in &versions {
        let mark = match bad(&prefix, &version.name) {
            _ if current.as_ref() == Some(&version.name) => "current".to_owned(),
            Some(bad) => format!("failed: {}", plain(&bad.reason)),
            None if previous.as_ref() == Some(&version.name) => "previous".to_owned(),
            None => String::new(),
        };
        table.row([version.name.to_string(), mark, ago(now, version.installed_at)]);
    }
    out.table(&table, "no version is installed; see `orch self install --help`")?;
    if let Some(last) = switches.first() {
        let result = serde_json::to_value(&last.result)?;
        let word = result.get("result").and_then(serde_json::Value::as_str).unwrap_or_default();
        out.line(format!("last switch: to {}, {word}, {}", last.to, ago(now, last.at)))?;
    }
    Ok(Exit::Done.into())
}
