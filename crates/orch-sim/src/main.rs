//! `orch-sim`: runs seeds or a script, and prints what was simulated. A seed that breaks a law is
//! shrunk and printed as a script; the exit code is 1.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Parser;
use orch_sim::Plant;
use orch_sim::run::{self, Failure, Summary};
use orch_sim::script::Script;

/// Simulates workers, processes, clocks, git, people and faults around the real decisions and the
/// real store.
#[derive(Debug, Parser)]
#[command(name = "orch-sim")]
struct Args {
    /// The seed; everything follows from it
    #[arg(long, default_value_t = 1, conflicts_with = "seeds")]
    seed: u64,
    /// Several seeds, from A up to but not B
    #[arg(long, value_name = "A..B")]
    seeds: Option<String>,
    /// Steps per seed, before its world comes to rest
    #[arg(long, default_value_t = 1_000)]
    steps: u64,
    /// Performs a script and prints its transcript
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "seeds"])]
    script: Option<PathBuf>,
    /// Plants a bug, which the simulator has to find
    #[arg(long, value_name = "BUG")]
    plant: Option<Plant>,
    /// Prints the summary as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if let Some(path) = &args.script {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let (transcript, broken) = Script::parse(&text)
            .and_then(|script| script.play(args.plant))
            .with_context(|| path.display().to_string())?;
        print!("{transcript}");
        return Ok(if broken.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let seeds = match &args.seeds {
        None => args.seed..args.seed.saturating_add(1),
        Some(text) => range(text)?,
    };
    let mut summary = Summary::default();
    let begun = Instant::now();
    for seed in seeds {
        if let Some(failure) = run::seed(seed, args.steps, args.plant, &mut summary)? {
            summary.failures += 1;
            explain(&failure)?;
        }
    }
    summary.seconds = begun.elapsed().as_secs_f64();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        println!("{summary}");
        let faults: Vec<_> = summary.faults.iter().map(|(k, n)| format!("{k} {n}")).collect();
        println!("faults: {}", faults.join(", "));
    }
    Ok(if summary.failures > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn range(text: &str) -> anyhow::Result<std::ops::Range<u64>> {
    let parsed = text
        .split_once("..")
        .and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
    match parsed {
        Some((from, to)) if from < to => Ok(from..to),
        _ => bail!("--seeds {text:?} is not A..B with A before B, such as 1..50"),
    }
}

/// Says what broke, how to do it again, and the shortest script that breaks it too.
fn explain(failure: &Failure) -> anyhow::Result<()> {
    let Failure { violation, script, setup, plant, .. } = failure;
    println!("seed {} broke {}: {}", failure.seed, violation.law, violation.what);
    println!("again: {}", failure.command());
    let short = run::shrink(*setup, *plant, &violation.law, script)?;
    println!("shrunk from {} to {} directives:\n", script.len(), short.len());
    println!("{}", Failure::text(setup, &short));
    Ok(())
}
