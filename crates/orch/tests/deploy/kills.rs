//! The service is killed at each step of a deploy: the next one goes on from there, and no command
//! is run twice.

use crate::bed::{BY_COMMAND, Bed, PROBED};

const ALL: &str = "rollback_check = \"sh check.sh\"\ndrain = \"sh drain.sh\"\n";

/// Submits a task, lets the service be killed at `point`, starts it again, and waits for the end.
fn cut(bed: &Bed, point: &str) -> String {
    let mut service = bed.serve();
    match point.strip_prefix("health ") {
        Some(many) => bed.say("kill-at-health", many),
        None => bed.say("kill", point),
    }
    let key = bed.submit();
    orch_testkit::until(&format!("the kill at {point}"), || service.has_ended().then_some(()));
    let service = bed.serve();
    let state = bed.settled(&key);
    drop(service);
    assert_eq!(bed.ran("deploy.sh"), 1, "cut at {point}: {:?}", bed.ran_lines());
    format!("{state} {} {}", bed.status(&key), bed.runs(&key))
}

#[test]
fn cut_off_at_any_step_a_good_deploy_is_done_once() {
    let points =
        ["check", "drain", "deploy-begins", "deploy-ends", "health 1", "health 2", "health 4"];
    for point in points {
        let bed = Bed::new(&(PROBED.to_owned() + ALL));
        assert_eq!(cut(&bed, point), "done SUCCESS new", "cut at {point}\n{}", bed.last_log());
        assert_eq!(bed.ran("rollback.sh"), 0);
    }
}

#[test]
fn cut_off_at_any_step_a_bad_deploy_is_rolled_back_once() {
    for point in ["health 5", "rollback-begins", "rollback-ends", "rollback-is-verified"] {
        let bed = Bed::new(PROBED);
        bed.say("next", "bad");
        assert_eq!(cut(&bed, point), "held ROLLED_BACK old", "cut at {point}\n{}", bed.last_log());
        assert_eq!(bed.ran("rollback.sh"), 1, "{:?}", bed.ran_lines());
    }
}

#[test]
fn a_deploy_that_stands_goes_on_after_a_retry_and_is_not_run_again() {
    let bed = Bed::new(BY_COMMAND);
    bed.say("mode", "block");
    let service = bed.serve();
    let key = bed.submit();
    assert_eq!(bed.settled(&key), "held");
    let why = bed.why(&key);
    assert!(why.contains("neither promoted nor rolled back"), "{why}");
    bed.unsay("blocked");
    bed.orch.ok(&bed.repository.checkout, &["task", "retry", &key]);
    assert_eq!(bed.settled(&key), "done");
    let ends = (bed.status(&key), bed.ran("deploy.sh"), bed.ran("rollback.sh"));
    assert_eq!(ends, ("SUCCESS".to_owned(), 1, 0), "{}", bed.log(&key));
    drop(service);
}
