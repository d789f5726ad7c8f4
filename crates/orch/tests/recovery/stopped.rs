//! A supervisor that somebody stopped keeps no limits and hears no request.

use orch_testkit::until;

use crate::bed::{Bed, signal};

#[test]
fn a_run_whose_supervisor_stands_still_is_ended_and_deferred() {
    let bed = Bed::new(&[]);
    bed.hold_agents();
    let service = bed.orch.serve();
    let keys = bed.submit();
    let (run, supervisor, _) = bed.working("");
    signal("-STOP", supervisor);
    let (_, _, crashes) = bed.working(&run);
    assert_eq!(crashes, 0, "a run that stood still is no crash");
    let database = bed.database();
    let outcome: String = database
        .query_row("SELECT outcome_kind FROM runs WHERE run_id = ?1", [&run], |row| row.get(0))
        .unwrap();
    assert_eq!(outcome, "stalled");
    bed.let_agents_go();
    bed.all_done(&keys);
    drop(service);
}

#[test]
fn a_cancelled_run_ends_although_its_supervisor_stands_still() {
    let bed = Bed::new(&[]);
    bed.hold_agents();
    let service = bed.orch.serve();
    let keys = bed.submit();
    let (run, supervisor, _) = bed.working("");
    signal("-STOP", supervisor);
    bed.orch.ok(bed.root(), &["task", "cancel", &keys[0]]);
    until("its supervisor to go", || {
        let stat = std::fs::read_to_string(format!("/proc/{supervisor}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z")).then_some(())
    });
    // The only place is free again.
    assert_ne!(bed.working(&run).0, run);
    bed.let_agents_go();
    bed.all_done(&keys[1..]);
    drop(service);
}
