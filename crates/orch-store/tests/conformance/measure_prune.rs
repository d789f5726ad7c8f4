//! Figures, not assertions: what pruning a long history costs, and what it costs the others.
//! `cargo test --release -p orch-store --test conformance -- --ignored --nocapture measure_prune`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use orch_store::{ClaimRequest, DueTasks, PrunedTasks};

use crate::Engine;
use crate::engine::{ONE, at};

/// Rows per step and tasks per look, as the service takes them.
const ROWS: u32 = 200;
const TASKS: u32 = 50;

/// Finished tasks with four jobs, runs and gate results and twelve events each.
fn history(engine: &Engine, tasks: u32) {
    engine.submit();
    engine.pass(&engine.claimed());
    engine.pass(&engine.claimed());
    let ms = at(20).as_millisecond();
    let many = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM n WHERE n < {})",
        999 + tasks
    );
    let each = |copies: u32| {
        format!(
            "{many}, c (c) AS (SELECT 0 UNION ALL SELECT c + 1 FROM c WHERE c < {})",
            copies - 1
        )
    };
    let four = each(4);
    engine.force(&format!(
        "PRAGMA synchronous = OFF;
        {many} INSERT INTO tasks (id, repo_id, key, priority, status, stage, created_at, \
            updated_at, finished_at, title, feedback, pipeline, body) \
            SELECT n, repo_id, 'OLD-' || n, 0, 'done', stage, {ms}, {ms}, {ms} - 1000000 + n, title, \
            feedback, pipeline, body FROM n, tasks WHERE tasks.id = 1;
        {four} INSERT INTO jobs (id, task_id, stage, agent, status, priority, available_at, \
            run_epoch, finished_at, created_at) \
            SELECT n * 4 + c, n, 'testing', 'test-runner', 'succeeded', 0, {ms}, 1, {ms}, {ms} FROM n, c;
        {four} INSERT INTO runs (run_id, job_id, task_id, stage, agent, attempt, run_epoch, \
            worker_id, started_at, finished_at, outcome_kind, outcome) \
            SELECT 'old-' || (n * 4 + c), n * 4 + c, n, 'testing', 'test-runner', 1, 1, 'w1', {ms}, \
            {ms}, outcome_kind, outcome FROM n, c, (SELECT outcome_kind, outcome FROM runs LIMIT 1);
        {four} INSERT INTO gate_results (run_id, task_id, stage, gate, verdict, reasons, at) \
            SELECT 'old-' || (n * 4 + c), n, stage, gate, verdict, reasons, {ms} \
            FROM n, c, (SELECT stage, gate, verdict, reasons FROM gate_results LIMIT 1);
        {} INSERT INTO events (at, kind, task, repo, run_id, message, data) \
            SELECT {ms}, kind, 'OLD-' || n, repo, run_id, message, data \
            FROM n, c, (SELECT kind, repo, run_id, message, data FROM events \
            WHERE run_id IS NOT NULL LIMIT 1);",
        each(12)
    ));
}

/// One task after the other, submitted, claimed and passed, until told to stop; how long each
/// claim took.
fn claims(engine: &Engine, until: impl Fn() -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    engine.register("busy");
    while !until() {
        engine.submit_to("busy", 0);
        for _ in 0..2 {
            let request = ClaimRequest { ..engine.request(1_000) };
            let begun = Instant::now();
            let claim = engine.store.claim(at(40), &request).unwrap().unwrap();
            took.push(begun.elapsed());
            engine.pass(&claim);
        }
    }
    took
}

fn told(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let [middle, slow, worst] =
        [took.len() / 2, took.len() * 99 / 100, took.len() - 1].map(|n| took[n]);
    println!("{what}: {} times, p50 {middle:.2?}, p99 {slow:.2?}, worst {worst:.2?}", took.len());
}

fn prune(engine: &Engine) -> (PrunedTasks, Vec<Duration>) {
    // The history has ended by then; what is claimed meanwhile has not.
    let due = DueTasks { before: at(0), keep: 0 };
    let (mut all, mut took) = (PrunedTasks::default(), Vec::new());
    loop {
        let tasks = engine.store.due_tasks(due, None, TASKS).unwrap();
        let ids: Vec<_> = tasks.iter().map(|task| task.id).collect();
        if ids.is_empty() {
            return (all, took);
        }
        loop {
            let begun = Instant::now();
            let step = engine.store.prune_tasks(due.before, &ids, ROWS).unwrap();
            took.push(begun.elapsed());
            all.tasks += step.tasks;
            all.rows += step.rows;
            thread::sleep(begun.elapsed().clamp(Duration::from_millis(5), Duration::from_secs(1)));
            if step.rows < ROWS.into() {
                break;
            }
        }
    }
}

#[test]
#[ignore = "prints figures"]
fn measure_prune() {
    let tasks = std::env::var("TASKS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let engine = Engine::sqlite(ONE);
    history(&engine, tasks);
    let size = || std::fs::metadata(engine.path()).unwrap().len() / 1_000_000;
    println!("{tasks} finished tasks, {} MB", size());
    let begun = Instant::now();
    told("claims beside nothing", claims(&engine, || begun.elapsed() > Duration::from_secs(10)));
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    let (all, steps, beside) = thread::scope(|scope| {
        let beside = scope.spawn(|| claims(&engine, || over.load(Ordering::Relaxed)));
        let (all, steps) = prune(&engine);
        over.store(true, Ordering::Relaxed);
        (all, steps, beside.join().unwrap())
    });
    println!("pruned {} tasks, {} rows in {:.1?}", all.tasks, all.rows, begun.elapsed());
    told("steps", steps);
    told("claims beside pruning", beside);
    println!("{} MB on the disk; complaints: {:?}", size(), engine.store.integrity().unwrap());
}
