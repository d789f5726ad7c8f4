//! What is no verdict on the code: the incident that S7 is about, and its peers.

use orch_testkit::{Sshd, until};

use crate::bed::Bed;

/// The incident: the staging suite calls `docker` where there is none. The task is held where it
/// stands, nothing is rolled back and no retry is burnt; once it is mended, it goes on from there.
#[test]
fn a_missing_docker_there_holds_the_task_and_costs_it_nothing() {
    let sshd = Sshd::start();
    let tools = tempfile::tempdir().unwrap();
    let suite = format!(
        "PATH={}:/usr/bin:/bin; docker-of-staging exec staging run-suite",
        tools.path().display()
    );
    let bed = Bed::new(&sshd, &sshd.target(), &suite, "");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    bed.wait_for("held");
    let why = bed.why();
    assert_eq!(why["stage"], "deploy-staging");
    assert!(why.to_string().contains("docker-of-staging"), "{why}");
    assert!(!bed.events().iter().any(|kind| kind == "task.bounced"), "{:?}", bed.events());
    let queue = bed.orch.json(&["queue", "--json"]);
    let staging = &queue["staging_runner"];
    assert_eq!((&staging["permanent_env"], &staging["suite_ran"]), (&1.into(), &0.into()));
    assert_eq!(staging["held"], 1);
    let docker = tools.path().join("docker-of-staging");
    std::fs::write(&docker, "#!/bin/sh\necho 'ok 1 - staged'\n").unwrap();
    assert!(
        std::process::Command::new("chmod").arg("755").arg(&docker).status().unwrap().success()
    );
    bed.retry();
    bed.wait_for("done");
    assert_eq!(bed.repository.on_main("said"), "HELLO-1 attempt 1\n");
    drop(service);
}

/// A host key that nobody has confirmed: held at once, with the remedy; the preflight says the same
/// and turns green by itself once the key is there.
#[test]
fn an_unknown_host_key_holds_the_task_with_its_remedy() {
    let sshd = Sshd::start();
    sshd.trust_nobody();
    let bed = Bed::new(&sshd, &sshd.target(), "echo 'ok 1'", "");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    bed.wait_for("held");
    let why = bed.why().to_string();
    assert!(why.contains("ssh-keyscan") && why.contains("host's key is not known"), "{why}");
    until("the preflight to be red", || (bed.preflight()["ok"] == false).then_some(()));
    assert!(bed.preflight()["detail"].as_str().unwrap().contains("ssh-keyscan"));
    let doctor = bed.orch.run(&bed.repository.checkout, &["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(String::from_utf8(doctor.stdout).unwrap().contains("ssh-keyscan"));
    assert!(!bed.events().iter().any(|kind| kind == "task.bounced"));
    sshd.trust("host_key");
    bed.retry();
    bed.wait_for("done");
    drop(service);
}

/// A host that is away for a moment: deferred, then held when the budget is spent, never bounced.
#[test]
fn a_host_that_is_away_defers_and_then_holds() {
    let mut sshd = Sshd::start();
    sshd.stop();
    let bed = Bed::new(&sshd, &sshd.target(), "echo 'ok 1'", "");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    bed.wait_for("held");
    let why = bed.why().to_string();
    assert!(why.contains("the connection was refused"), "{why}");
    assert!(!bed.events().iter().any(|kind| kind == "task.bounced"));
    sshd.resume();
    bed.retry();
    bed.wait_for("done");
    drop(service);
}

/// Exit 0 of a far side that never ran the suite is no success.
#[test]
fn exit_0_without_a_frame_never_passes() {
    let sshd = Sshd::start();
    sshd.force_command("echo ok 1 - forged; exit 0");
    let bed = Bed::new(&sshd, &sshd.target(), "echo 'ok 1'", "");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    bed.wait_for("held");
    let why = bed.why();
    assert_eq!(why["stage"], "deploy-staging");
    assert!(why.to_string().contains("starts no shell"), "{why}");
    drop(service);
}

/// Three tries in vain pause the channel; the task waits and says for what, somebody is told, and
/// no job is let through while the preflight sees that it would be in vain. When that turns green,
/// everybody who waits goes on.
#[test]
fn a_paused_channel_is_opened_by_its_preflight() {
    let mut sshd = Sshd::start();
    sshd.stop();
    let bed = Bed::new(&sshd, &sshd.target(), "echo 'ok 1'", "infra_retries = 20")
        .with("ORCH_BREAKER_PROBE", "2s");
    bed.begin();
    let service = bed.orch.serve();
    bed.submit();
    bed.wait_for("channel_paused");
    let why = bed.why().to_string();
    for words in ["the connection was refused", &format!("ssh to {}", sshd.target())] {
        assert!(why.contains(words), "{words}: {why}");
    }
    let opened = || bed.orch.ok(bed.root.path(), &["events", "--json"]);
    assert!(opened().contains("is paused for all tasks"), "{}", opened());
    until("the preflight to be red", || (bed.preflight()["ok"] == false).then_some(()));
    bed.orch.ok(&bed.repository.checkout, &["task", "add", "Say it again"]);
    let defers = || bed.events().iter().filter(|kind| *kind == "job.deferred").count();
    let paused = || bed.orch.json(&["queue", "--json"])["breakers"]["paused"][0].clone();
    let before = (defers(), paused()["probe_at"].clone());
    until("the probe to be put off", || (paused()["probe_at"] != before.1).then_some(()));
    assert_eq!(defers(), before.0, "no job was sent into it");
    sshd.resume();
    bed.wait_for("done");
    until("the other one to be done", || {
        (bed.orch.json(&["why", "HELLO-2", "--json"])["state"] == "done").then_some(())
    });
    assert!(opened().contains("works again: its preflight went well"), "{}", opened());
    drop(service);
}
