//! `orch doctor`: everything that may be lacking, each line with its remedy.

mod agents;
mod machine;
mod repository;
mod service;
mod supervisor;

use std::process::ExitCode;

pub use repository::missing_programs;
use serde::Serialize;

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, plain};

/// Check this machine, the state directory and the repository here; exit 1 where something fails.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but not with everything.
    Warn,
    /// Something will not work.
    Fail,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    name: &'static str,
    level: Level,
    detail: String,
    /// What to do; `None` where nothing is to be done.
    remedy: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, detail: detail.into(), remedy: None }
    }

    fn warn(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, level: Level::Warn, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    fn fail(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, level: Level::Fail, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}

/// Runs every check and tells what was found.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let mut checks = machine::checks(env);
    checks.extend(service::checks(env));
    checks.push(supervisor::check(env));
    checks.extend(repository::checks(env));
    let failed = checks.iter().any(|check| check.level == Level::Fail);
    let out = Out::new(env);
    if args.json {
        out.json(&serde_json::json!({ "ok": !failed, "checks": checks }))?;
    } else {
        for check in &checks {
            print(&out, check)?;
        }
    }
    Ok(if failed { Exit::Failed } else { Exit::Done }.into())
}

fn print(out: &Out, check: &Check) -> std::io::Result<()> {
    let word = match check.level {
        Level::Ok => out.style.green("ok  "),
        Level::Warn => out.style.yellow("warn"),
        Level::Fail => out.style.red("fail"),
    };
    out.line(format!("{word}  {:<12}  {}", check.name, plain(&check.detail)))?;
    match &check.remedy {
        Some(remedy) => out.line(format!("      {:<12}  → {}", "", plain(remedy))),
        None => Ok(()),
    }
}
