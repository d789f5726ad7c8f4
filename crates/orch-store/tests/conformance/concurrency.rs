//! Many threads on one store.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use orch_core::serial_gate::GatePolicy;
use orch_store::ClaimRequest;

use crate::Engine;
use crate::engine::{at, fence, repo_name, worker};

const THREADS: usize = 8;
const REPOS: usize = 6;
const TASKS: usize = 20;

pub fn nothing_is_claimed_twice(engine: &Engine) {
    let width = 2;
    let engine = engine.another(GatePolicy { enabled: true, width });
    let repos: Vec<String> = (0..REPOS).map(|n| format!("r{n}")).collect();
    for repo in &repos {
        engine.register(repo);
        for _ in 0..TASKS / 2 {
            engine.submit_to(repo, 0);
        }
    }
    let owned = Mutex::new(BTreeSet::new());
    let finished = Mutex::new(0_usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (engine, owned, finished, repos) = (&engine, &owned, &finished, &repos);
            scope.spawn(move || {
                // Submitting and working at the same time.
                for n in (thread..REPOS * TASKS / 2).step_by(THREADS) {
                    engine.submit_to(&repos[n % REPOS], 0);
                }
                work(engine, owned, finished, &format!("w{thread}"), width);
            });
        }
    });
    assert_eq!(*finished.lock().unwrap(), REPOS * TASKS * 2, "every stage of every task, once");
    assert_eq!(engine.store.status_counts().unwrap().done, (REPOS * TASKS) as u64);
    assert_eq!(engine.violations(), []);
    assert_eq!(engine.store.integrity().unwrap(), Vec::<String>::new());
}

fn work(
    engine: &Engine,
    owned: &Mutex<BTreeSet<i64>>,
    finished: &Mutex<usize>,
    name: &str,
    width: u32,
) {
    // Only so that one thread's failure ends the others too.
    let deadline = Instant::now() + Duration::from_mins(2);
    while *finished.lock().unwrap() < REPOS * TASKS * 2 {
        assert!(Instant::now() < deadline, "the queue stands still");
        let request = ClaimRequest { worker_id: worker(name), ..engine.request(1) };
        let Some(claim) = engine.store.claim(at(40), &request).unwrap() else {
            std::thread::yield_now();
            continue;
        };
        assert!(owned.lock().unwrap().insert(claim.task.id.0), "{claim:?} is owned twice");
        let gate = engine.store.gate_view(&repo_name(claim.task.repo.as_str())).unwrap();
        assert!(gate.holders.len() <= width as usize, "{gate:?}");
        owned.lock().unwrap().remove(&claim.task.id.0);
        engine.pass(&claim);
        assert!(engine.store.stamp_base(&fence(&claim), &crate::engine::revision('f')).is_err());
        *finished.lock().unwrap() += 1;
    }
}

pub fn commits_are_shared(engine: &Engine) {
    let before = engine.store.writer_stats();
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                for _ in 0..8 {
                    engine.submit();
                }
            });
        }
    });
    let after = engine.store.writer_stats();
    let (operations, commits) =
        (after.operations - before.operations, after.commits - before.commits);
    assert_eq!(operations, 256);
    assert!(commits < operations && after.largest_group > 1, "{commits} commits: {after:?}");
    assert_eq!(after.failed_commits, 0);
}
