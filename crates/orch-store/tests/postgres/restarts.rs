//! The server restarts under load, as after a crash: nothing acknowledged is lost, nothing is owned
//! twice, and everything goes on by itself.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use orch_core::serial_gate::GatePolicy;
use orch_store::{ClaimRequest, Store, StoreError, StoreOptions};
use orch_testkit::postgres::{Cluster, Shutdown};

use crate::engine::{self, at, repo, submission, worker};

const WORKERS: usize = 6;
const RESTARTS: usize = 6;
const GATE: GatePolicy = GatePolicy { enabled: true, width: 3 };

#[derive(Default)]
struct Ledger {
    submitted: Mutex<BTreeSet<String>>,
    owned: Mutex<BTreeSet<i64>>,
    finished: AtomicU64,
    failures: AtomicU64,
    stop: AtomicBool,
}

/// Tries again what passes, as the service does.
fn patiently<T>(ledger: &Ledger, mut act: impl FnMut() -> Result<T, StoreError>) -> T {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        match act() {
            Ok(done) => return done,
            Err(error) if error.is_transient() && Instant::now() < deadline => {
                ledger.failures.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn nothing_is_lost_when_the_server_restarts_under_load() {
    let cluster = Cluster::start(true);
    let url = cluster.database();
    let open = || Store::open_url(&url, StoreOptions { gate: GATE }).unwrap();
    open().register_repo(at(0), &repo("hello")).unwrap();
    let ledger = Ledger::default();
    let runs = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for n in 0..WORKERS {
            let (ledger, runs, store) = (&ledger, &runs, open());
            scope.spawn(move || work(&store, ledger, runs, n));
        }
        for round in 0..RESTARTS {
            let before = ledger.finished.load(Ordering::Relaxed);
            // Under load: only when something was done since the last time.
            orch_testkit::until("work to be done between restarts", || {
                (ledger.finished.load(Ordering::Relaxed) > before + 5).then_some(())
            });
            cluster.stop(if round % 2 == 0 { Shutdown::Immediate } else { Shutdown::Fast });
            cluster.resume();
        }
        ledger.stop.store(true, Ordering::Relaxed);
    });
    let store = open();
    let snapshot = store.snapshot().unwrap();
    let there: BTreeSet<String> = snapshot.tasks.iter().map(|task| task.key.to_string()).collect();
    let submitted = ledger.submitted.into_inner().unwrap();
    let lost: Vec<_> = submitted.difference(&there).collect();
    assert_eq!(lost, Vec::<&String>::new(), "acknowledged and not there");
    assert_eq!(there.len(), submitted.len(), "and none that nobody was told of");
    assert!(snapshot.damaged.is_empty(), "{:?}", snapshot.damaged);
    assert_eq!(orch_core::audit::audit(&snapshot.into_state(GATE)), []);
    assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    println!(
        "{RESTARTS} restarts under {WORKERS} workers: {} tasks submitted, {} stages worked, \
         {} operations failed for the moment, 0 lost",
        submitted.len(),
        ledger.finished.load(Ordering::Relaxed),
        ledger.failures.load(Ordering::Relaxed),
    );
}

/// Submits a task, claims whatever there is, and ends it.
fn work(store: &Store, ledger: &Ledger, runs: &AtomicU64, n: usize) {
    while !ledger.stop.load(Ordering::Relaxed) {
        let task = patiently(ledger, || store.submit(at(1), &submission("hello", 0), None)).task;
        assert!(ledger.submitted.lock().unwrap().insert(task.key.to_string()), "{task:?} twice");
        let request = ClaimRequest {
            worker_id: worker(&format!("w{n}")),
            run_id: orch_core::ids::RunId::from_parts(1, runs.fetch_add(1, Ordering::Relaxed)),
            lease: engine::LEASE,
            labels: std::collections::BTreeSet::new(),
            max_running: 1,
            max_per_repo: None,
            max_per_agent: None,
        };
        let Some(claim) = patiently(ledger, || store.claim(at(40), &request)) else { continue };
        let id = claim.task.id.0;
        assert!(ledger.owned.lock().unwrap().insert(id), "{claim:?} is owned twice");
        ledger.owned.lock().unwrap().remove(&id);
        patiently(ledger, || engine::pass_on(store, &claim));
        ledger.finished.fetch_add(1, Ordering::Relaxed);
    }
}
