//! The power cut: records the writes of a real store under load, cuts the power at many moments,
//! and looks at what is left.
//!
//! `record` runs the load (`workload`) under strace, `strace` reads the log, `history` makes it
//! the events of a disk, `cuts` chooses moments, `disk` says what a cut leaves, `check` looks at
//! it, `replay` drives all that.

mod ack;
mod check;
mod cuts;
mod disk;
mod history;
mod record;
mod replay;
mod report;
mod strace;
mod workload;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;

use disk::Flush;
use replay::{Plan, Tally, replay};
use report::Report;
use workload::Load;

/// Events that a disk without honest flushes holds in its cache: a few commits.
const LYING_CACHE: usize = 256;
/// Broken images that each core keeps: the first ones tell the story.
const KEEP_AT_MOST: usize = 5;
/// Faults that are printed per broken image.
const SHOW_AT_MOST: usize = 3;

/// Records the writes of a store under load, cuts the power, and looks at what is left. Exit code
/// 1 where anything is lost or broken; 2 where the test could not be made.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    mode: Option<Mode>,
    /// Moments at which the power is cut.
    #[arg(long, default_value_t = 500)]
    cuts: usize,
    /// Decides what the load does, and what each cut leaves.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Images per cut that chance decides, beside "all of the cache" and "nothing of the cache".
    #[arg(long, default_value_t = 2)]
    scrambles: u32,
    /// Threads of the load.
    #[arg(long, default_value_t = 4)]
    threads: usize,
    /// Operations that each thread tries; one may be a whole run.
    #[arg(long, default_value_t = 240)]
    steps: usize,
    /// The control: a disk that answers a flush and does nothing. Something must be lost.
    #[arg(long)]
    ignore_fsync: bool,
    /// Replays an earlier recording instead of making one.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Only this cut.
    #[arg(long, value_name = "CUT")]
    only: Option<usize>,
    /// Where recording and images go if anything is broken.
    #[arg(long, value_name = "DIR", default_value = "power-cut-broken")]
    keep: PathBuf,
    /// Prints the figures as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Mode {
    /// The load itself; what the recording runs.
    #[command(hide = true)]
    Workload(Load),
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(Mode::Workload(load)) = &args.mode {
        return workload::run(load).map(|()| ExitCode::SUCCESS);
    }
    let began = Instant::now();
    let scratch = tempfile::tempdir().context("cannot make a folder for the recording")?;
    let log = if let Some(log) = &args.trace {
        log.clone()
    } else {
        eprintln!("recording {} threads of {} steps …", args.threads, args.steps);
        let dir = scratch.path().canonicalize().context("the recording's folder")?;
        let (threads, steps) = (args.threads, args.steps);
        record::record(&Load { dir, seed: args.seed, threads, steps })?
    };
    let history = record::read(&log)?;
    let chosen = match args.only {
        Some(cut) => vec![cut],
        None => cuts::choose(&history.events, args.cuts),
    };
    eprintln!(
        "{} events on the disk, {} acknowledged operations; cutting {} times …",
        history.events.len(),
        history.acks.len(),
        chosen.len()
    );
    let plan = Plan {
        history: &history,
        cuts: &chosen,
        scrambles: args.scrambles,
        seed: args.seed,
        flush: if args.ignore_fsync {
            Flush::Ignored { cache: LYING_CACHE }
        } else {
            Flush::Honest
        },
        keep: &args.keep,
        // The control is broken on purpose.
        keep_at_most: if args.ignore_fsync { 0 } else { KEEP_AT_MOST },
    };
    let step = (chosen.len() / 10).max(1);
    let tally = replay(&plan, &|done| {
        if done % step == 0 {
            eprintln!("  {done} of {} cuts", chosen.len());
        }
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let (seed, ignore_fsync) = (args.seed, args.ignore_fsync);
    let report =
        Report { seed, ignore_fsync, seconds, ..Report::new(&history, chosen.len(), &tally) };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", report.table());
    }
    if tally.broken.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    show(args, &log, &tally)?;
    Ok(ExitCode::from(1))
}

/// Says what is broken and how to see it again; the recording is kept, as threads never meet in
/// the same way twice.
fn show(args: &Args, log: &Path, tally: &Tally) -> anyhow::Result<()> {
    for broken in tally.broken.iter().take(KEEP_AT_MOST) {
        eprintln!("cut {}, image {}:", broken.cut, broken.image);
        broken.faults.iter().take(SHOW_AT_MOST).for_each(|fault| eprintln!("  {fault}"));
        if let Some(more) = broken.faults.len().checked_sub(SHOW_AT_MOST).filter(|n| *n > 0) {
            eprintln!("  and {more} more");
        }
        if let Some(kept) = &broken.kept {
            eprintln!("  kept in {}", kept.display());
        }
    }
    let kept = args.keep.join("strace.log");
    if log != kept {
        std::fs::create_dir_all(&args.keep)
            .and_then(|()| std::fs::copy(log, &kept))
            .with_context(|| format!("cannot keep the recording as {}", kept.display()))?;
    }
    let first = tally.broken.first().map_or(0, |broken| broken.cut);
    eprintln!(
        "again: cargo run --release -p orch-torture -- power-cut --trace {} --seed {} \
         --scrambles {}{} --only {first}",
        kept.display(),
        args.seed,
        args.scrambles,
        if args.ignore_fsync { " --ignore-fsync" } else { "" },
    );
    Ok(())
}
