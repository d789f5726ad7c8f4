//! A job that takes its worker down three times is held with the reason; what is adopted is not
//! counted, however often the service is killed over it.

use orch_testkit::until;

use crate::bed::{Bed, signal};

#[test]
fn a_job_whose_supervisor_dies_three_times_is_held_and_goes_on_when_retried() {
    let bed = Bed::new(&[]);
    bed.hold_agents();
    let service = bed.orch.serve();
    let key = bed.submit().swap_remove(0);
    let mut run = String::new();
    for crashes in 0..3 {
        let (next, supervisor, counted) = bed.working(&run);
        assert_eq!(counted, crashes);
        signal("-KILL", supervisor);
        run = next;
    }
    let why = until("the task to be held", || {
        let why = bed.why(&key);
        (why["state"] == "held").then_some(why)
    });
    assert!(why.to_string().contains("lost with its worker 3 times"), "{why}");
    until("the dead runs' processes to go", || (!is_marked(&run)).then_some(()));
    // It blocks nobody: the other repository's task has the place now.
    assert_ne!(bed.working(&run).0, run);
    bed.let_agents_go();
    bed.orch.ok(bed.root(), &["task", "retry", &key]);
    bed.all_done(&["LEFT-1".to_owned(), "RIGHT-1".to_owned()]);
    drop(service);
    bed.orch.ok(bed.root(), &["db", "check"]);
}

#[test]
fn a_run_that_is_adopted_again_and_again_is_not_a_crash() {
    let bed = Bed::new(&[]);
    bed.hold_agents();
    let mut service = bed.orch.serve();
    let keys = bed.submit();
    let (run, supervisor, _) = bed.working("");
    for round in 0..4 {
        if round % 2 == 0 {
            service.kill();
        } else {
            service.stop();
        }
        // Eight hours of suspend, or a clock that was put back: an own run counts by its process.
        let lease = if round < 2 { 1 } else { 9_999_999_999_999_i64 };
        bed.forge("UPDATE jobs SET lease_until = ?1 WHERE status = 'running'", [lease]);
        service = bed.orch.serve();
        assert_eq!(bed.working(""), (run.clone(), supervisor, 0), "the same run goes on");
    }
    bed.let_agents_go();
    bed.all_done(&keys);
    drop(service);
}

/// Whether a process carries the run's mark.
fn is_marked(run: &str) -> bool {
    let mark = format!("ORCH_RUN_MARK={run}");
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let environ = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    })
}
