//! The server restarts: nodes work a queue on a real PostgreSQL that is stopped, as by a person and
//! as by a crash, every few seconds. Nothing acknowledged may be lost, owned twice or written by
//! whoever lost it, and everything goes on by itself.

mod judge;
mod ledger;
mod node;

use std::fmt;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use fastrand::Rng;
use orch_core::serial_gate::GatePolicy;
use orch_store::{Store, StoreOptions};
use orch_testkit::postgres::{Cluster, Shutdown};
use serde::Serialize;

use crate::interrupt::Interrupt;
use ledger::Ledger;

/// The gate that all nodes keep: narrow, so that tasks wait.
pub(super) const OPTIONS: StoreOptions =
    StoreOptions { gate: GatePolicy { enabled: true, width: 2 } };

/// How long work may take to go on after a restart before it counts as wedged.
const PATIENCE: Duration = Duration::from_mins(2);

/// Restart the PostgreSQL server under load; nothing acknowledged may be lost.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Restarts of the server; every other one as by a crash.
    #[arg(long, default_value_t = 30)]
    restarts: u32,
    /// Seconds from one restart to the next, at random between the two.
    #[arg(long, default_value = "5..40", value_parser = span, value_name = "A..B")]
    every: (u64, u64),
    /// Nodes, each with connections of its own.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=26))]
    nodes: u8,
    /// Threads of each node that submit, claim and end runs.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..))]
    threads: u8,
    /// Decides the moments and what the load does; how the threads meet is up to the machine.
    #[arg(long)]
    seed: Option<u64>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

fn span(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once("..").and_then(|(from, to)| {
        Some((from.trim().parse::<u64>().ok()?, to.trim().parse::<u64>().ok()?))
    });
    parsed
        .filter(|(from, to)| from < to)
        .ok_or_else(|| format!("{text:?} is not A..B with A before B, such as 5..40"))
}

/// What the torture came to.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Where all chance came from.
    pub seed: u64,
    /// The command that does the same again.
    pub command: String,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// Restarts of the server as by a person.
    pub fast: u32,
    /// Restarts as by a crash.
    pub crashes: u32,
    /// Tasks whose submission was answered.
    pub tasks: usize,
    /// Submissions repeated under their idempotency key because no answer came.
    pub submitted_again: u64,
    /// Runs claimed.
    pub runs: u64,
    /// Ends of runs that were answered.
    pub ended: u64,
    /// Operations that failed for the moment and were tried again.
    pub failed_for_the_moment: u64,
    /// Events that each node's follower read.
    pub events: u64,
    /// Acknowledged and not there.
    pub lost: usize,
    /// There, and nobody was told of it.
    pub unknown: usize,
    /// A claim of a job whose earlier claim was not over.
    pub double_owned: u64,
    /// Writes of a run that was over, tried on purpose.
    pub stale_tried: u64,
    /// Those that were accepted.
    pub stale_accepted: u64,
    /// Events that a follower missed, or read twice.
    pub events_missed: u64,
    /// From the server's return to the first answered write, in milliseconds, the slowest.
    pub slowest_recovery_ms: u64,
    /// Everything that must not be; empty is a pass.
    pub failures: Vec<String>,
}

/// Runs the programme to its end and judges.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..=u64::from(u32::MAX)));
    let begun = Instant::now();
    let cluster = Cluster::start(true);
    let url = cluster.database();
    eprintln!("seed {seed}; {} nodes of {} threads", args.nodes, args.threads);
    let ledger = Ledger::default();
    let mut restarts =
        Restarts { args, cluster: &cluster, ledger: &ledger, told: [0; 2], slowest: 0 };
    let worked: anyhow::Result<()> = std::thread::scope(|scope| {
        let (mut threads, mut followers) = (Vec::new(), Vec::new());
        for node in 0..args.nodes {
            let store = open(&url)?;
            let name = char::from(b'a' + node);
            followers.push(scope.spawn({
                let (store, ledger) = (store.clone(), &ledger);
                move || node::follow(&store, ledger)
            }));
            for thread in 0..args.threads {
                let rng = Rng::with_seed(seed ^ (u64::from(node) << 8 | u64::from(thread)));
                let (store, ledger) = (store.clone(), &ledger);
                let name = format!("{name}{thread}");
                threads.push(scope.spawn(move || node::work(&store, ledger, &name, rng)));
            }
        }
        let done = restarts.carry_out(&mut Rng::with_seed(seed), &interrupt, || {
            threads.iter().any(std::thread::ScopedJoinHandle::is_finished)
        });
        ledger.stop.store(true, Ordering::Release);
        let mut ended: Vec<_> =
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        // Followers end by it, also where a thread failed.
        let last = open(&url).and_then(|store| Ok(store.last_event_id()?.0));
        ledger.last_event.store(*last.as_ref().unwrap_or(&i64::MAX), Ordering::Release);
        ended.extend(followers.into_iter().map(std::thread::ScopedJoinHandle::join));
        last?;
        for thread in ended {
            thread.map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        }
        done
    });
    worked?;
    let [fast, crashes] = restarts.told;
    let slowest_recovery_ms = restarts.slowest;
    let store = open(&url)?;
    let verdict = judge::judge(&store, &ledger)?;
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Acquire);
    let figures = Figures {
        seed,
        command: command_line(args, seed),
        seconds: begun.elapsed().as_secs(),
        fast,
        crashes,
        tasks: verdict.tasks,
        submitted_again: count(&ledger.submitted_again),
        runs: count(&ledger.claimed),
        ended: count(&ledger.ended),
        failed_for_the_moment: count(&ledger.failed),
        events: verdict.events,
        lost: verdict.lost,
        unknown: verdict.unknown,
        double_owned: count(&ledger.double_owned),
        stale_tried: count(&ledger.stale_tried),
        stale_accepted: count(&ledger.stale_accepted),
        events_missed: verdict.events_missed,
        slowest_recovery_ms,
        failures: verdict.failures,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{figures}");
    }
    Ok(if figures.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn open(url: &str) -> anyhow::Result<Store> {
    Store::open_url(url, OPTIONS).context("a node can't open the database")
}

struct Restarts<'a> {
    args: &'a Args,
    cluster: &'a Cluster,
    ledger: &'a Ledger,
    /// As by a person, as by a crash.
    told: [u32; 2],
    slowest: u64,
}

impl Restarts<'_> {
    fn carry_out(
        &mut self,
        rng: &mut Rng,
        interrupt: &Interrupt,
        ended: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        let (from, to) = self.args.every;
        for number in 0..self.args.restarts {
            let calm = Instant::now() + Duration::from_millis(rng.u64(from * 1000..to * 1000));
            while Instant::now() < calm {
                interrupt.check()?;
                if ended() {
                    bail!("a thread of a node has ended in the middle");
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let (how, place) =
                if number % 2 == 0 { (Shutdown::Immediate, 1) } else { (Shutdown::Fast, 0) };
            self.cluster.stop(how);
            self.cluster.resume();
            self.told[place] += 1;
            self.until_it_goes_on()?;
            eprintln!("restart {} of {}", number + 1, self.args.restarts);
        }
        Ok(())
    }

    /// Waits for writes to be answered again.
    fn until_it_goes_on(&mut self) -> anyhow::Result<()> {
        let back = Instant::now();
        let before = self.ledger.ended.load(Ordering::Acquire);
        while self.ledger.ended.load(Ordering::Acquire) == before {
            if back.elapsed() > PATIENCE {
                bail!("nothing was worked for {} s after a restart", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.slowest = self.slowest.max(back.elapsed().as_millis() as u64);
        Ok(())
    }
}

fn command_line(args: &Args, seed: u64) -> String {
    let Args { restarts, every: (from, to), nodes, threads, .. } = args;
    format!(
        "cargo run --release -p orch-torture -- postgres --restarts {restarts} \
         --every {from}..{to} --nodes {nodes} --threads {threads} --seed {seed}"
    )
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: [(&str, u64); 16] = [
            ("restarts as by a person", self.fast.into()),
            ("restarts as by a crash", self.crashes.into()),
            ("tasks", self.tasks as u64),
            ("submissions repeated", self.submitted_again),
            ("runs", self.runs),
            ("runs ended", self.ended),
            ("failed for the moment", self.failed_for_the_moment),
            ("events", self.events),
            ("lost", self.lost as u64),
            ("there and never told of", self.unknown as u64),
            ("double-owned", self.double_owned),
            ("stale writes tried", self.stale_tried),
            ("stale writes accepted", self.stale_accepted),
            ("events missed", self.events_missed),
            ("slowest recovery, ms", self.slowest_recovery_ms),
            ("seconds", self.seconds),
        ];
        for (name, count) in rows {
            writeln!(f, "{name:<26} {count:>8}")?;
        }
        for failure in &self.failures {
            writeln!(f, "FAILED: {failure}")?;
        }
        writeln!(f, "{}", if self.failures.is_empty() { "passed" } else { "failed" })?;
        writeln!(f, "again: {}", self.command)
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_has_two_ends_in_order() {
        assert_eq!(span("5..40"), Ok((5, 40)));
        for wrong in ["5", "40..5", "5..5", "a..b", "-1..5", ""] {
            let error = span(wrong).unwrap_err();
            assert!(error.contains("such as 5..40"), "{error}");
        }
    }
}
