//! What goes well, and what the service's own end and a person's wish do to it.

use orch_testkit::proxy::Proxy;
use orch_testkit::{Sshd, until};

use crate::bed::{Bed, patient};

/// The suite runs there, in the files of the revision, with its facts and none of our secrets; its
/// verdict is the artifact's.
#[test]
fn a_staging_suite_runs_on_the_other_machine() {
    let sshd = Sshd::start();
    let suite = "set -eu; cat hello.txt said; test -n \"$SSH_CONNECTION\"; test ! -e .git; \
                 test \"$ORCH_TASK $ORCH_BRANCH $ORCH_STAGE\" = 'HELLO-1 orch/HELLO-1 deploy-staging'; \
                 env | grep -E 'TOKEN|ORCH_HOME|ORCH_RUN_MARK' && exit 9; \
                 echo \"$ORCH_REVISION\" | grep -Eq '^[0-9a-f]{40}$'; echo 'ok 1 - staged'";
    let bed = Bed::new(&sshd, &sshd.target(), suite, "").with("ORCH_API_TOKEN", "sesame");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    bed.wait_for("done");
    let log = bed.repository.on_main("docs/work-items/HELLO-1/15-staging-log.md");
    for expected in
        ["staging_status: SUCCESS", "tests_passed: 1", "HELLO-1 attempt 1", "exit_code: 0"]
    {
        assert!(log.contains(expected), "{expected} is not in {log}");
    }
    until("the channel to be looked at", || (bed.preflight()["ok"] == true).then_some(()));
    let preflight = bed.preflight();
    assert_eq!(preflight["targets"][0]["target"], sshd.target());
    assert_eq!(preflight["targets"][0]["repos"][0], "hello");
    let said = bed.orch.ok(bed.root.path(), &["queue"]);
    assert!(said.contains(&format!("ssh: {} answers", sshd.target())), "{said}");
    let doctor = bed.orch.run(&bed.repository.checkout, &["doctor"]);
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains(&format!("{} answers", sshd.target())), "{doctor}");
    assert!(sshd.at_work().is_empty());
    assert_eq!(std::fs::read_dir(sshd.runs()).unwrap().count(), 0);
    drop(service);
}

/// A suite that fails there bounces the task, with what it said.
#[test]
fn a_failing_suite_there_is_the_codes_fault() {
    let sshd = Sshd::start();
    let suite =
        "if [ $(wc -l <said) -lt 2 ]; then echo 'not ok 1 - too short'; exit 1; fi; echo 'ok 1'";
    let bed = Bed::new(&sshd, &sshd.target(), suite, "");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    bed.wait_for("done");
    assert_eq!(bed.repository.on_main("said"), "HELLO-1 attempt 1\nHELLO-1 attempt 2\n");
    assert_eq!(bed.events().iter().filter(|kind| *kind == "task.bounced").count(), 1);
    drop(service);
}

/// The kill-switch: the suite stays on this machine.
#[test]
fn off_the_host_side_the_suite_runs_here() {
    let sshd = Sshd::start();
    let suite = "test -z \"${SSH_CONNECTION:-}\" && echo 'ok 1 - here'";
    let bed = Bed::new(&sshd, "nobody@staging.invalid", suite, "exec_host_side = false");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    bed.wait_for("done");
    drop(service);
}

/// The service is killed while the suite runs there; the next one finds the run and its result.
#[test]
fn a_run_there_outlives_the_service() {
    let sshd = Sshd::start();
    let root = tempfile::tempdir().unwrap();
    let bed = Bed::new(&sshd, &sshd.target(), &patient(root.path()), "");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    until("the suite to be at work", || root.path().join("counter").exists().then_some(()));
    service.kill();
    let service = bed.orch.serve();
    std::fs::write(root.path().join("go"), "").unwrap();
    bed.wait_for("done");
    assert_eq!(crate::bed::lines(&root.path().join("counter")), 1);
    drop(service);
}

/// A cancelled task leaves no process on the far side, however hard it clings.
#[test]
fn a_cancelled_task_leaves_nothing_there() {
    let sshd = Sshd::start();
    let root = tempfile::tempdir().unwrap();
    let suite = format!(
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & {}",
        patient(root.path())
    );
    let bed = Bed::new(&sshd, &sshd.target(), &suite, "");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    until("the suite to be at work", || root.path().join("counter").exists().then_some(()));
    assert!(sshd.at_work().len() >= 3);
    bed.orch.ok(bed.root.path(), &["task", "cancel", "HELLO-1"]);
    until("the far side to be empty", || sshd.at_work().is_empty().then_some(()));
    bed.wait_for("cancelled");
    drop(service);
}

/// The link is lost for longer than a run waits: the job is deferred, and its next try takes the
/// result of the suite that went on alone. It never runs twice.
#[test]
fn a_deferred_job_finds_its_suite_again() {
    let sshd = Sshd::start();
    let proxy = Proxy::before(sshd.port());
    let root = tempfile::tempdir().unwrap();
    let bed = Bed::new(
        &sshd,
        &Sshd::target_at(proxy.port()),
        &patient(root.path()),
        "infra_retries = 100",
    )
    .with("ORCH_SSH_REATTACH", "1s");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    until("the suite to be at work", || root.path().join("counter").exists().then_some(()));
    proxy.cut_off(true);
    until("the job to be deferred", || {
        bed.events().iter().any(|kind| kind == "job.deferred").then_some(())
    });
    std::fs::write(root.path().join("go"), "").unwrap();
    proxy.cut_off(false);
    bed.wait_for("done");
    assert_eq!(crate::bed::lines(&root.path().join("counter")), 1);
    assert!(!bed.events().iter().any(|kind| kind == "task.bounced"));
    drop(service);
}

/// A task is cancelled while no connection can be had: its suite is ended as soon as one can, also
/// by the next service.
#[test]
fn a_task_cancelled_without_a_link_leaves_nothing_there_in_the_end() {
    let mut sshd = Sshd::start();
    let proxy = Proxy::before(sshd.port());
    let root = tempfile::tempdir().unwrap();
    let target = Sshd::target_at(proxy.port());
    let bed = Bed::new(&sshd, &target, &patient(root.path()), "");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    until("the suite to be at work", || root.path().join("counter").exists().then_some(()));
    sshd.stop();
    proxy.cut_off(true);
    bed.orch.ok(bed.root.path(), &["task", "cancel", "HELLO-1"]);
    bed.wait_for("cancelled");
    let log = || std::fs::read_to_string(bed.path("serve.log")).unwrap_or_default();
    until("the end to be tried in vain", || log().contains("may still be at work").then_some(()));
    assert!(!sshd.at_work().is_empty());
    service.kill();
    let service = bed.orch.serve();
    sshd.resume();
    proxy.cut_off(false);
    until("the far side to be empty", || sshd.at_work().is_empty().then_some(()));
    until("its folder to go", || {
        (std::fs::read_dir(sshd.runs()).unwrap().count() == 0).then_some(())
    });
    drop(service);
}

/// A run was lost sight of and its task is cancelled before the next try: the same.
#[test]
fn a_task_cancelled_between_two_tries_leaves_nothing_there() {
    let sshd = Sshd::start();
    let proxy = Proxy::before(sshd.port());
    let root = tempfile::tempdir().unwrap();
    let target = Sshd::target_at(proxy.port());
    let bed = Bed::new(&sshd, &target, &patient(root.path()), "infra_retries = 0")
        .with("ORCH_SSH_REATTACH", "1s");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    until("the suite to be at work", || root.path().join("counter").exists().then_some(()));
    proxy.cut_off(true);
    bed.wait_for("held");
    proxy.cut_off(false);
    assert!(!sshd.at_work().is_empty(), "held, the next try is to find it");
    bed.orch.ok(bed.root.path(), &["task", "cancel", "HELLO-1"]);
    until("the far side to be empty", || sshd.at_work().is_empty().then_some(()));
    drop(service);
}
