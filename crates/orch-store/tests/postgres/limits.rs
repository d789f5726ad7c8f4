//! Limits that count over all workers hold also where many claim at once.

use orch_core::ids::WorkerId;
use orch_core::serial_gate::GatePolicy;
use orch_store::ClaimRequest;

use crate::Engine;
use crate::engine::{at, worker};

#[test]
fn limits_over_all_workers_hold_under_a_rush() {
    let engine = Engine::postgres(GatePolicy { enabled: false, width: 1 });
    for _ in 0..40 {
        engine.submit();
    }
    let claimed: Vec<_> = std::thread::scope(|scope| {
        let rush = |name: String| {
            let engine = &engine;
            scope.spawn(move || {
                let request = |worker_id: WorkerId| ClaimRequest {
                    worker_id,
                    max_per_repo: Some(5),
                    ..engine.request(100)
                };
                let mut claimed = Vec::new();
                while let Some(claim) = engine.store.claim(at(40), &request(worker(&name))).unwrap()
                {
                    claimed.push(claim.task.key);
                }
                claimed
            })
        };
        let all: Vec<_> = (0..12).map(|n| rush(format!("w{n}"))).collect();
        all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(claimed.len(), 5, "{claimed:?}");
    assert_eq!(engine.violations(), []);
}

/// The server's clock rules leases, whatever a node's own says.
#[test]
fn leases_go_by_the_servers_clock() {
    let engine = Engine::postgres(GatePolicy { enabled: true, width: 1 });
    engine.submit();
    let wrong_by_years = at(40);
    let claim = engine.store.claim(wrong_by_years, &engine.request(1)).unwrap().unwrap();
    let orch_core::job::JobState::Running(owner) = &claim.job.state else { panic!("{claim:?}") };
    let now = jiff::Timestamp::now() + engine.store.clock_offset();
    let left = owner.lease_until.duration_since(now);
    assert!(left.as_secs() > 0 && left.as_secs() <= 45, "{left}");
}
