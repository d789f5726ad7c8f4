//! Figures, not assertions: `cargo test -p orch-store -- --ignored --nocapture measure`.

use std::io::Write;
use std::time::{Duration, Instant};

use orch_store::ClaimRequest;

use crate::Engine;
use crate::engine::{ONE, at, worker};

const JOBS: usize = 400;

/// The disk first: it rules every other figure.
fn fsync_latency(engine: &Engine) -> Duration {
    let mut file = std::fs::File::create(engine.dir.path().join("probe")).unwrap();
    let started = Instant::now();
    for _ in 0..200 {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    started.elapsed() / 200
}

/// Enqueue, claim and apply, each durable, by so many threads with a repository each.
fn cycles(threads: usize) -> (f64, f64) {
    let engine = Engine::sqlite(ONE);
    let before = engine.store.writer_stats();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let engine = &engine;
            scope.spawn(move || {
                let repo = format!("r{thread}");
                engine.register(&repo);
                for _ in 0..JOBS / threads {
                    engine.submit_to(&repo, 0);
                    let name = worker(&format!("w{thread}"));
                    let request = ClaimRequest { worker_id: name, ..engine.request(1) };
                    if let Some(claim) = engine.store.claim(at(40), &request).unwrap() {
                        engine.pass(&claim);
                    }
                }
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    let after = engine.store.writer_stats();
    let operations = (after.operations - before.operations) as f64;
    (JOBS as f64 / seconds, operations / (after.commits - before.commits) as f64)
}

/// The slowest and the middle claim that finds nothing, and one that finds something, with so many
/// tasks waiting behind a busy repository.
fn claim_behind(blocked: usize) -> [Duration; 3] {
    let engine = Engine::sqlite(ONE);
    engine.submit();
    engine.claimed();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| (0..blocked / 64).for_each(|_| drop(engine.submit())));
        }
    });
    let mut empty: Vec<Duration> = (0..200)
        .map(|_| {
            let started = Instant::now();
            assert_eq!(engine.claim(), None);
            started.elapsed()
        })
        .collect();
    empty.sort_unstable();
    engine.register("other");
    engine.submit_to("other", 0);
    let started = Instant::now();
    engine.claimed();
    [empty[100], empty[198], started.elapsed()]
}

#[test]
#[ignore = "prints figures"]
fn measure() {
    let engine = Engine::sqlite(ONE);
    println!("fsync: {:?}", fsync_latency(&engine));
    for threads in [1, 8] {
        let (rate, group) = cycles(threads);
        println!(
            "{threads} threads: {rate:.0} enqueue+claim+apply/s, {group:.1} operations/commit"
        );
    }
    for blocked in [0, 50_000] {
        let [middle, slow, found] = claim_behind(blocked);
        println!("{blocked} blocked: empty claim p50 {middle:?} p99 {slow:?}, a claim {found:?}");
    }
}
