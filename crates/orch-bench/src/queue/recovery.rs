//! Recovery: a service is started on what a machine that lost its power has left, thousands of
//! queued jobs and some hundred that run, with nobody alive of theirs.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use orch_core::ids::RunId;
use orch_core::process::ProcessIdentity;
use orch_core::redact::Masks;
use orch_process::{Observation, RunDir, RunSpec};
use orch_store::Store;
use orch_testkit::Orch;
use rustix::process::{Pid, Signal};
use serde::Serialize;

use super::bed::{Database, Engine};
use super::fill;
use super::work::{WORKER, Work, fence};

/// Longer than any recovery takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a start came to.
#[derive(Debug, Serialize)]
pub struct Recovery {
    /// Jobs that were queued.
    pub queued: u64,
    /// Jobs that ran, each with a run directory, and no process.
    pub running: u64,
    /// From the start of the process until no job was left with a run that is dead.
    pub recovered_us: u64,
    /// From the start of the process until it answered.
    pub ready_us: u64,
}

/// Leaves a state directory behind as the dead do, and starts a service on it.
pub fn measure(root: &Path, program: &Path, queued: u64, running: u64) -> anyhow::Result<Recovery> {
    let orch = Orch::new(program, root);
    std::fs::create_dir_all(orch.home())?;
    std::fs::write(orch.home().join("worker-id"), WORKER)?;
    let database = Database::at(orch.home().join("orch.db"));
    drop(database.store()?);
    database.fill(&fill::repositories(Engine::Sqlite, running))?;
    let store = database.store()?;
    leave_behind(&store, &orch, program, queued, running)?;
    let counts = store.queue_snapshot(Timestamp::now())?.counts;
    ensure!(
        (counts.queued, counts.running) == (queued, running),
        "{} jobs are queued and {} run before the start",
        counts.queued,
        counts.running
    );
    start(&store, &orch, queued, running)
}

/// Submits, claims and launches, then kills everything at once.
fn leave_behind(
    store: &Store,
    orch: &Orch,
    program: &Path,
    queued: u64,
    running: u64,
) -> anyhow::Result<()> {
    let work = Work::new()?;
    let all = queued + running;
    std::thread::scope(|scope| {
        let submit = |thread: u64| {
            let (store, work) = (store, &work);
            scope.spawn(move || {
                let mine = (0..all).filter(|number| number % 32 == thread);
                mine.map(|number| format!("r{}", number % running))
                    .try_for_each(|repo| work.submit(store, &repo))
            })
        };
        let threads: Vec<_> = (0..32).map(submit).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?
        })
    })?;
    let mut processes = Vec::new();
    for _ in 0..running {
        let claim = work.claimed(store)?;
        let fence = fence(&claim)?;
        let dir = RunDir::new(orch.home().join("runs").join(fence.run_id.to_string()));
        let sleeper = sleeper(&fence.run_id);
        let supervisor = orch_process::launch(program, &dir, &sleeper, &Masks::default())
            .context("a run could not be launched")?;
        store.stamp_process(&fence, &supervisor)?;
        processes.push((supervisor, dir));
    }
    for (supervisor, dir) in &processes {
        let lives = || matches!(orch_process::observe(dir), Observation::Running(_)).then_some(());
        orch_testkit::until("a run to begin", lives);
        kill(supervisor);
        orch_process::child(dir).iter().for_each(kill);
    }
    for (_, dir) in &processes {
        let dead = || matches!(orch_process::observe(dir), Observation::Lost { .. }).then_some(());
        orch_testkit::until("a killed run to be gone", dead);
    }
    Ok(())
}

fn kill(process: &ProcessIdentity) {
    if let Some(pid) = Pid::from_raw(process.pid as i32) {
        // It may be gone with its supervisor.
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

/// A run that lasts.
fn sleeper(run_id: &RunId) -> RunSpec {
    RunSpec {
        run_id: run_id.clone(),
        argv: vec!["/bin/sleep".to_owned(), "600".to_owned()],
        cwd: "/".into(),
        env: std::collections::BTreeMap::new(),
        stdin: None,
        timeout: Duration::from_mins(10),
        stall: None,
        polite: Vec::new(),
        steps: Vec::new(),
        grace: Duration::from_secs(1),
        disk: None,
        log_limit: 1 << 20,
    }
}

/// Starts the service and waits until nothing is left to recover. It claims nothing, so that what
/// is taken back stays where it is seen.
fn start(store: &Store, orch: &Orch, queued: u64, running: u64) -> anyhow::Result<Recovery> {
    let log = std::fs::File::create(orch.home().join("bench-serve.log"))?;
    let begun = Instant::now();
    let mut child = orch
        .command(&orch.home())
        .args(["serve", "--no-worker"])
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("the service can't be started")?;
    let measured = (|| {
        let until = |what: &str, done: &dyn Fn() -> anyhow::Result<bool>| {
            while !done()? {
                ensure!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(begun.elapsed().as_micros() as u64)
        };
        let recovered_us = until("the recovery", &|| {
            Ok(store.queue_snapshot(Timestamp::now())?.counts.running == 0)
        })?;
        let client = orch_api::Client::new(&orch.url(), None);
        let ready_us = until("an answer", &|| Ok(client.ready().is_ok()))?;
        let counts = store.queue_snapshot(Timestamp::now())?.counts;
        ensure!(counts.queued == queued + running, "{} jobs are queued afterwards", counts.queued);
        Ok(Recovery { queued, running, recovered_us, ready_us })
    })();
    // It may have ended by itself, and then the wait was in vain.
    drop(child.kill());
    drop(child.wait());
    measured
}
