//! Chaos: a load of tasks on real repositories, every fault at random moments, and a judge who at
//! the end looks for anything lost, done twice, left over or stuck.

mod bed;
mod faults;
mod figures;
mod judge;
mod load;
mod operator;
mod peace;
mod plan;
mod processes;
mod programme;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bed::Bed;
use figures::Figures;
use plan::Amounts;

use crate::interrupt::Interrupt;
use crate::isolate;

/// Kill, stop, starve and restart the real service under load.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// `kill -9` of single processes: service, supervisor, agent.
    #[arg(long, default_value_t = 500)]
    kills: u32,
    /// Restarts in fresh pid namespaces, where the pids that the service remembers belong to
    /// others; needs the right to make namespaces.
    #[arg(long, default_value_t = 200)]
    restarts: u32,
    /// Of every other fault; unset means one for 40 kills, and at least one.
    #[arg(long)]
    others: Option<u32>,
    /// What the faults, their order and their moments are made from; unset means a random one.
    #[arg(long)]
    seed: Option<u64>,
    /// End the faults after so many minutes, whatever is left of them.
    #[arg(long)]
    minutes: Option<u64>,
    /// Tasks at least; while faults come, more are submitted so that there is always some work.
    #[arg(long, default_value_t = 50)]
    tasks: usize,
    /// Repositories that the tasks are on.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    repos: u8,
    /// Runs at once; one service in four runs with 1.
    #[arg(long, default_value_t = 4)]
    concurrency: u32,
    /// The program under torture; unset means the one built beside this program.
    #[arg(long)]
    orch: Option<PathBuf>,
    /// Keep everything below this directory instead of removing it.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
    /// Fail where this machine does not allow some of the faults, instead of leaving them out.
    #[arg(long)]
    require_all: bool,
}

/// Runs the programme to its end and judges.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let program = orch_testkit::program::find(args.orch.as_deref())?;
    let small_disk = isolate::own_mounts()?;
    let interrupt = Interrupt::listen()?;
    let namespaces = args.restarts > 0 && isolate::pid_namespaces();
    let mut left_out = Vec::new();
    if args.restarts > 0 && !namespaces {
        left_out.push("fresh pid namespaces: `unshare --pid` is not allowed here".to_owned());
    }
    if !small_disk {
        left_out.push("full disk: a tmpfs can't be mounted here".to_owned());
    }
    for what in &left_out {
        eprintln!("left out: {what}");
    }
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..=u64::from(u32::MAX)));
    let amounts = Amounts {
        kills: args.kills,
        restarts: if namespaces { args.restarts } else { 0 },
        others: args.others.unwrap_or_else(|| args.kills.div_ceil(40).max(1)),
        small_disk,
    };
    let bed = Bed::make(&program, args.keep.as_deref(), seed, usize::from(args.repos), small_disk)?;
    let begun = Instant::now();
    let minutes = args.minutes.map(Duration::from_mins);
    let orders = programme::Orders {
        seed,
        amounts,
        tasks: args.tasks,
        concurrency: args.concurrency,
        faults_end: minutes,
    };
    eprintln!("seed {seed}; {}", bed.root.display());
    let told = programme::carry_out(&bed, &orders, &interrupt)?;
    let verdict = judge::judge(&bed, &told)?;
    let command = command_line(args, seed);
    let figures = Figures::new(seed, command, begun.elapsed(), &told, verdict, left_out);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{figures}");
    }
    let complete = figures.left_out.is_empty() || !args.require_all;
    Ok(if figures.failures.is_empty() && complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The command that does the same again.
fn command_line(args: &Args, seed: u64) -> String {
    let Args { kills, restarts, tasks, repos, concurrency, .. } = args;
    let others = args.others.map(|others| format!(" --others {others}")).unwrap_or_default();
    format!(
        "cargo run --release -p orch-torture -- --kills {kills} --restarts {restarts}{others} \
         --tasks {tasks} --repos {repos} --concurrency {concurrency} --seed {seed}"
    )
}
