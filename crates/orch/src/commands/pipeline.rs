//! `orch pipeline`: a repository's stages as they are in force.

use std::path::PathBuf;
use std::process::ExitCode;

use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_engine::register::default_name;

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::{Out, Table, plain};
use crate::settings::{self, Text};

/// Show or check a repository's pipeline.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show the stages: who works each, what closes it, where a failure leads.
    Show(Args),
    /// Check the stages as a graph; exit 2 where something is wrong.
    Check(Args),
}

/// Which pipeline, and how it is printed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An orch.toml; without it that of the current repository.
    file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(command: Command, env: &Env) -> anyhow::Result<ExitCode> {
    let (args, checks) = match command {
        Command::Show(args) => (args, false),
        Command::Check(args) => (args, true),
    };
    let file = match &args.file {
        None => settings::nearest_file(env.cwd())?,
        Some(path) => Some(settings::read_file(&env.cwd().join(path))?.ok_or_else(|| {
            Stop::not_found(format!("{}: no such file", path.display()))
                .hint("name an orch.toml, or leave it out for that of the current repository")
        })?),
    };
    let pipeline = resolve(env, file.as_ref())?;
    let out = Out::new(env);
    if args.json {
        out.json(&pipeline)?;
    } else if checks {
        let names: Vec<&str> = pipeline.stages.iter().map(|s| s.name.as_str()).collect();
        out.line(format!("{} {} → done", out.style.green("ok:"), names.join(" → ")))?;
    } else {
        show(&out, &pipeline)?;
    }
    Ok(Exit::Done.into())
}

/// The pipeline that a settings file makes; without a file, the one of the defaults.
pub fn resolve(env: &Env, file: Option<&Text>) -> anyhow::Result<Pipeline> {
    let loaded = settings::repo(env, file)?;
    let root = file.and_then(|file| file.path.parent()).unwrap_or(env.cwd());
    let name = match &loaded.value.repository.name {
        Some(name) => name.clone(),
        None => default_name(root)?,
    };
    Ok(orch_core::pipeline::resolve(&loaded.value, &name)?)
}

fn show(out: &Out, pipeline: &Pipeline) -> anyhow::Result<()> {
    let mut table = Table::new(&["STAGE", "PRODUCER", "GATE", "ON FAIL", "ATTEMPTS", "NEXT"]);
    for stage in &pipeline.stages {
        table.row([
            stage.name.to_string(),
            producer(stage),
            stage.gate.name().to_owned(),
            on_fail(&stage.on_fail),
            stage.attempts.to_string(),
            stage.next.as_ref().map_or_else(|| "done".to_owned(), ToString::to_string),
        ]);
    }
    out.table(&table, "no stages")?;
    for left in &pipeline.left_out {
        let line = format!("left out: {} ({})", left.stage, plain(&left.reason));
        out.line(out.style.dim(&line))?;
    }
    Ok(())
}

fn producer(stage: &StageSpec) -> String {
    let worker = match &stage.producer {
        Producer::Agent(name) => format!("agent {name}"),
        Producer::Runner(name) => format!("runner {name}"),
        Producer::Human => "human".to_owned(),
        Producer::MergeOnly => return "merge gate".to_owned(),
    };
    if stage.merges { format!("merge gate, {worker}") } else { worker }
}

fn on_fail(on_fail: &OnFail) -> String {
    match on_fail {
        OnFail::Retry => "retry".to_owned(),
        OnFail::Bounce(to) => format!("bounce to {to}"),
        OnFail::Hold => "hold".to_owned(),
    }
}
