//! `orch check-gate STAGE --dir DIR`: the very gate that the service asks, on a folder on disk.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use orch_core::artifact::ArtifactSet;
use orch_core::gate::{self, GateInput};
use orch_core::ids::{Revision, StageName};
use orch_core::stage::{Gate, MERGE, STAGE_TRANSITIONS, standard};
use orch_core::verdict::Verdict;
use serde_json::json;

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::{Out, plain};
use crate::settings;
use orch_engine::artifacts::read_set;

/// Run a stage's gate on a folder of artifacts: exit 0 pass, 1 fail, 2 refused.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --commit the revision is not compared. Where the gate also reads the \
    branch, only the artifacts are judged and the output says so."
)]
pub struct Args {
    /// The stage, such as `testing`.
    stage: String,
    /// The artifact folder, such as docs/work-items/HELLO-1.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The full revision that the artifacts have to speak of.
    #[arg(long, value_name = "REV")]
    commit: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Asks the gate and tells its verdict.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let gate = gate_of(&args.stage, env)?;
    let commit = args.commit.as_deref().map(revision).transpose()?;
    let dir = env.cwd().join(&args.dir);
    let verdict = judge(gate, &dir, commit.as_ref());
    let note = reads_more(gate);
    let out = Out::new(env);
    if args.json {
        out.json(&json!({
            "verdict": verdict.word(),
            "reasons": verdict.lines(),
            "stage": args.stage,
            "gate": gate.name(),
            "commit": commit,
            "note": note,
        }))?;
    } else {
        out.line(format!("{} {} ({})", out.style.state(verdict.word()), args.stage, gate.name()))?;
        for line in verdict.lines() {
            out.line(format!("  - {}", plain(&line)))?;
        }
        if let Some(note) = note {
            out.line(out.style.dim(&format!("  {note}")))?;
        }
    }
    Ok(exit(&verdict).into())
}

/// The exit code of a verdict.
pub fn exit(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Pass { .. } => Exit::Done,
        Verdict::Fail { .. } => Exit::Failed,
        Verdict::Refused { .. } => Exit::Usage,
    }
}

fn judge(gate: Gate, dir: &Path, at_hand: Option<&Revision>) -> Verdict {
    if !dir.is_dir() {
        return Verdict::refused(format!("{} is not a folder", dir.display()));
    }
    let artifacts: ArtifactSet = read_set(dir);
    gate::check(
        gate,
        &GateInput { artifacts: &artifacts, at_hand, branch: None, merged: None, approval: None },
    )
}

/// What the gate reads beside artifacts, for people; `None` where that is nothing.
fn reads_more(gate: Gate) -> Option<&'static str> {
    match gate {
        Gate::DevelopmentComplete => {
            Some("artifacts only: the gate also asks for commits, a clean tree and the guards")
        }
        Gate::Merged => Some("artifacts only: the gate also asks whether the branch has landed"),
        Gate::DeployStatus => {
            Some("artifacts only: the gate also compares the revision that was merged")
        }
        Gate::HumanApproved => Some("artifacts only: the gate asks for a person's approval"),
        _ => None,
    }
}

/// The gate of a stage: that of the repository's own pipeline where one is here, else of the
/// standard one.
fn gate_of(stage: &str, env: &Env) -> anyhow::Result<Gate> {
    let mut known: Vec<String> = Vec::new();
    if let Some(file) = settings::nearest_file(env.cwd())? {
        let pipeline = super::pipeline::resolve(env, Some(&file))?;
        let found = StageName::new(stage).ok().and_then(|name| pipeline.stage(&name).cloned());
        if let Some(found) = found {
            return Ok(found.gate);
        }
        known.extend(pipeline.stages.iter().map(|spec| spec.name.to_string()));
    }
    if let Some(work) = standard(stage).and_then(|row| row.work) {
        return Ok(work.gate);
    }
    if stage == MERGE {
        return Ok(Gate::Merged);
    }
    known.extend(STAGE_TRANSITIONS.iter().filter(|r| r.work.is_some()).map(|r| r.stage.to_owned()));
    Err(unknown(stage, &known).into())
}

fn unknown(stage: &str, known: &[String]) -> Stop {
    let message = format!("no stage {stage:?}");
    match crate::output::nearest(stage, known) {
        Some(near) => Stop::usage(message).hint(format!("did you mean {near:?}?")),
        None => Stop::usage(message).hint(format!("there are: {}", known.join(", "))),
    }
}

fn revision(text: &str) -> Result<Revision, Stop> {
    Revision::new(text.to_ascii_lowercase())
        .map_err(|error| Stop::usage(format!("--commit: {error}")).hint("see `git rev-parse HEAD`"))
}
