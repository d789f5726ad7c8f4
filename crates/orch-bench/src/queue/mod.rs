//! The queue: the disk first, then jobs per second beside the raw limit, the latency of claims,
//! recovery, and the way from a submission to a process.

mod bed;
mod disk;
mod fill;
mod latency;
mod raw;
mod recovery;
mod report;
mod spawn;
mod template;
mod throughput;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bed::{Bed, Engine};
use latency::Scene;
use report::Report;
use template::Cycle;

/// Which databases are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engines {
    Sqlite,
    Postgres,
    Both,
}

impl Engines {
    fn list(self) -> &'static [Engine] {
        match self {
            Self::Sqlite => &[Engine::Sqlite],
            Self::Postgres => &[Engine::Postgres],
            Self::Both => &[Engine::Sqlite, Engine::Postgres],
        }
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Throughput,
    Latency,
    Recovery,
    Spawn,
}

/// Measure the queue beside what its database and its disk allow.
#[derive(Debug, clap::Args)]
#[command(after_help = "Store and raw limit take turns in short slices, and so do the scenes of \
    the latency: the ratios of one run hold on a machine that others use too, the figures \
    themselves only there and then. PostgreSQL is a throwaway server of the installed package, \
    with fsync on. A goal that is missed is said and is no failure.")]
pub struct Args {
    /// The databases.
    #[arg(long, value_enum, default_value_t = Engines::Both)]
    engine: Engines,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// A smoke of everything in seconds; its figures say nothing.
    #[arg(long)]
    quick: bool,
    /// Claimers at once, a line of the table each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16, 32], value_name = "N,…",
        value_parser = clap::value_parser!(u16).range(1..=128))]
    claimers: Vec<u16>,
    /// Seconds for the store in each line, and as many for each raw limit.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Finished jobs that a claim has to get along with, a line of the table each; the first is
    /// what the others are compared with.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 10_000, 100_000, 1_000_000],
        value_name = "N,…")]
    history: Vec<u64>,
    /// Jobs that wait behind one busy repository.
    #[arg(long, default_value_t = 50_000)]
    blocked: u64,
    /// Repositories with a job to claim in each.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    repositories: u64,
    /// Claims that are measured in each line.
    #[arg(long, default_value_t = 2_000)]
    claims: usize,
    /// Queued jobs at the start that is measured.
    #[arg(long, default_value_t = 10_000)]
    queued: u64,
    /// Running jobs at that start, their processes dead.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    running: u64,
    /// Spawns that are measured.
    #[arg(long, default_value_t = 200)]
    spawns: usize,
    /// Where the databases are put; unset means where temporary files go.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The program that is started; unset means the one built beside this program.
    #[arg(long)]
    orch: Option<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    /// What a smoke does; what was asked for beside it holds where it is less.
    fn quickened(&self) -> Self {
        Self {
            claimers: self.claimers.iter().copied().filter(|claimers| *claimers <= 4).collect(),
            seconds: 1,
            history: vec![0, 200],
            blocked: self.blocked.min(200),
            repositories: self.repositories.min(20),
            claims: self.claims.min(20),
            queued: self.queued.min(200),
            running: self.running.min(5),
            spawns: self.spawns.min(3),
            dir: self.dir.clone(),
            orch: self.orch.clone(),
            only: self.only.clone(),
            ..*self
        }
    }

    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// Measures and tells.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let quick = args.quick.then(|| args.quickened());
    let report = measure(quick.as_ref().unwrap_or(args))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &Args) -> anyhow::Result<Report> {
    let bed = Bed::make(args.dir.as_deref())?;
    let syncs = if args.quick { 50 } else { 1_000 };
    eprintln!("fsync: {syncs} times");
    let fsync = disk::fsync(bed.path(), syncs)?;
    eprintln!("  {fsync}");
    let (mut throughput, mut latency) = (Vec::new(), Vec::new());
    for engine in args.engine.list() {
        if args.wants(Part::Throughput) {
            throughput.extend(rates(args, &bed, *engine)?);
        }
        if args.wants(Part::Latency) {
            eprintln!("claim latency");
            latency.extend(latency::measure(&bed, *engine, &scenes(args), args.claims)?);
        }
    }
    let recovery = if args.wants(Part::Recovery) {
        eprintln!("recovery of {} queued and {} running", args.queued, args.running);
        let program = orch_testkit::program::find(args.orch.as_deref())?;
        let root = bed.path().join("recovery");
        Some(recovery::measure(&root, &program, args.queued, args.running)?)
    } else {
        None
    };
    let spawn = if args.wants(Part::Spawn) {
        eprintln!("from a submission to a process, {} times", args.spawns);
        let program = orch_testkit::program::find(args.orch.as_deref())?;
        Some(spawn::measure(&bed, &program, args.spawns)?)
    } else {
        None
    };
    let goals = report::goals(&throughput, &latency, recovery.as_ref(), spawn.as_ref());
    let fsync_after = disk::fsync(bed.path(), syncs)?;
    let command = command_line();
    Ok(Report { command, fsync, fsync_after, throughput, latency, recovery, spawn, goals })
}

fn rates(args: &Args, bed: &Bed, engine: Engine) -> anyhow::Result<Vec<throughput::Rate>> {
    let cycle = Cycle::record(bed, engine)?;
    let each =
        if args.quick { Duration::from_millis(200) } else { Duration::from_secs(args.seconds) };
    let measure = |claimers: &u16| {
        eprintln!("throughput: {}, {claimers} claimers", engine.name());
        throughput::measure(bed, engine, &cycle, usize::from(*claimers), each)
    };
    args.claimers.iter().map(measure).collect()
}

fn scenes(args: &Args) -> Vec<Scene> {
    let history = args.history.iter().map(|jobs| Scene::History(*jobs));
    history.chain([Scene::Blocked(args.blocked), Scene::Repositories(args.repositories)]).collect()
}

/// The command as it was given.
fn command_line() -> String {
    let args: Vec<String> = std::env::args().skip(1).collect();
    format!("cargo run --release -p orch-bench -- {}", args.join(" "))
}
