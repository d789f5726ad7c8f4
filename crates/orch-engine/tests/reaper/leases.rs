//! Whose runs are taken back, and when: another worker's by its lease, an own one by what is on the
//! disk, and each of them once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use orch_core::ids::WorkerId;
use orch_core::job::{Fence, Job, JobState};
use orch_store::{ClaimRequest, StoreError};

use crate::bed::{Bed, bed};

/// Claims the one task's job for a worker, with a lease that began so long ago.
fn claim(bed: &Bed, worker: &WorkerId, ago: SignedDuration) -> Fence {
    let engine = &bed.engine;
    let request = ClaimRequest {
        worker_id: worker.clone(),
        run_id: engine.clock.run_id(),
        lease: Duration::from_secs(45),
        labels: std::collections::BTreeSet::new(),
        max_running: 9,
        max_per_repo: None,
        max_per_agent: None,
    };
    // Due for long, whatever the lease's beginning.
    crate::bed::open(&bed.path()).execute("UPDATE jobs SET available_at = 0", []).unwrap();
    let claim = engine.store.claim(engine.clock.now() - ago, &request).unwrap().unwrap();
    Fence { job_id: claim.job.id, run_id: request.run_id, run_epoch: claim.job.run_epoch }
}

fn job(bed: &Bed, fence: &Fence) -> Job {
    bed.engine.store.job(fence.job_id).unwrap()
}

fn reaped(bed: &Bed) -> u64 {
    bed.engine.stats.reaped.load(Ordering::Relaxed)
}

#[test]
fn another_workers_run_is_left_alone_for_as_long_as_its_lease_holds() {
    let bed = bed("true");
    let other = WorkerId::new("w-other").unwrap();
    let fence = claim(&bed, &other, SignedDuration::ZERO);
    let before = job(&bed, &fence);
    for _ in 0..3 {
        assert!(bed.tick());
    }
    assert_eq!(job(&bed, &fence), before);
    // Its clock is an hour ahead of ours: the lease ends later, not earlier.
    let ahead = crate::bed::open(&bed.path());
    ahead.execute("UPDATE jobs SET lease_until = lease_until + 3600000", []).unwrap();
    assert!(bed.tick());
    assert_eq!((job(&bed, &fence).state.status(), reaped(&bed)), ("running", 0));
}

#[test]
fn another_workers_run_is_taken_back_once_after_its_lease_and_it_is_fenced() {
    let bed = bed("true");
    let other = WorkerId::new("w-other").unwrap();
    let fence = claim(&bed, &other, SignedDuration::from_hours(8));
    for _ in 0..3 {
        assert!(bed.tick());
    }
    let back = job(&bed, &fence);
    assert!(matches!(back.state, JobState::Queued { .. }), "{back:?}");
    assert_eq!((back.crashes, back.run_epoch, reaped(&bed)), (1, 1, 1));
    let late = bed.engine.store.stamp_log_dir(&fence, "/elsewhere");
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
    let fences = [fence];
    let lease = Duration::from_secs(45);
    let now = bed.engine.clock.now();
    assert_eq!(bed.engine.store.heartbeat(now, &other, lease, &fences).unwrap(), fences);
}

/// The service died between the claim and the launch; the new one does not wait for the lease.
#[test]
fn an_own_run_that_never_began_is_taken_back_at_once_and_held_at_the_third_time() {
    let bed = bed("true");
    let worker = bed.engine.worker.clone();
    for crashes in 1..=3_u32 {
        let fence = claim(&bed, &worker, SignedDuration::ZERO);
        assert!(bed.tick());
        assert!(bed.tick());
        let back = job(&bed, &fence);
        assert_eq!(reaped(&bed), u64::from(crashes));
        if crashes < 3 {
            assert_eq!((back.state.status(), back.crashes), ("queued", crashes));
        } else {
            let JobState::Held { hold, .. } = back.state else { panic!("{back:?}") };
            assert!(hold.reason.contains("lost with its worker 3 times"), "{hold:?}");
        }
        let dir = orch_process::RunDir::new(bed.engine.home.run(&fence.run_id));
        let seen = orch_process::observe(&dir);
        assert_eq!(seen, orch_process::Observation::Revoked, "it can't begin any more");
    }
}
