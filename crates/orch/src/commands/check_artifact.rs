//! `orch check-artifact FILE`: one artifact, judged by the rules of the gate that reads it.

use std::path::PathBuf;
use std::process::ExitCode;

use orch_core::artifact::judge_file;
use serde_json::json;

use super::check_gate::exit;
use crate::env::Env;
use crate::output::{Out, plain};
use orch_engine::artifacts::read_one;

/// Judge one artifact file by its name: exit 0 pass, 1 fail, 2 refused.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The revision that the artifact speaks of is not compared; see `orch check-gate`."
)]
pub struct Args {
    /// The file, such as 13-test-report.md.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Reads the file, judges it and tells the verdict.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let content = read_one(&env.cwd().join(&args.file));
    let judged = judge_file(&args.file.to_string_lossy(), &content);
    let (verdict, kind) = (judged.verdict, judged.kind.name());
    let out = Out::new(env);
    if args.json {
        out.json(&json!({
            "verdict": verdict.word(),
            "reasons": verdict.lines(),
            "kind": kind,
            "file": args.file,
        }))?;
    } else {
        let file = plain(&args.file.to_string_lossy());
        out.line(format!("{} {file} ({kind})", out.style.state(verdict.word())))?;
        for line in verdict.lines() {
            out.line(format!("  - {}", plain(&line)))?;
        }
    }
    Ok(exit(&verdict).into())
}
