//! The incident: a job is queued with the leftover run id of a dead run and a pid which by now is
//! that of a live, foreign process. The reaper of that time saw a phantom run, and with
//! `max_concurrency = 1` the whole shared queue stood still.
//!
//! Two rules keep it from happening again. The sweep cleans such rows and counts them. And the claim
//! trusts nothing that a queued row says of an owner: what runs is counted by status alone, and the
//! claim writes every column of ownership anew. So with the sweep's kill-switch off the queue still
//! goes on. Without the second rule the second test waits in vain: with `AND j.run_id IS NULL` in the
//! claim's search the forged job is never claimed again, and with the worker's runs counted by
//! `pid IS NOT NULL` in place of the status the phantoms fill the only place and nothing is.

use orch_testkit::until;

use crate::bed::{Bed, Stranger};

/// Forges the incident into every queued job; gives the stranger whose pid stands there.
fn forge(bed: &Bed) -> Stranger {
    let stranger = Stranger::new();
    let worker = std::fs::read_to_string(bed.orch.home().join("worker-id")).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", stranger.pid())).unwrap();
    let start: i64 =
        stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap().parse().unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap();
    let namespace = namespace.display().to_string();
    let number = namespace.trim_start_matches("pid:[").trim_end_matches(']');
    bed.forge(
        "UPDATE jobs SET run_id = 'r-phantom-' || id, worker_id = ?1, pid = ?2, pid_start = ?3, \
         boot_id = ?4, started_at = 1, lease_until = 9999999999999 WHERE status = 'queued'",
        rusqlite::params![
            worker.trim(),
            stranger.pid(),
            start,
            format!("{}:{number}", boot.trim())
        ],
    );
    stranger
}

fn swept(bed: &Bed) -> u64 {
    bed.orch.json(&["queue", "--json"])["reaper"]["impossible_queued_total"].as_u64().unwrap()
}

/// Submits while the gates are frozen, forges while the service is down, and starts it again.
fn forged_at_start(bed: &Bed) -> (Vec<String>, Stranger) {
    let service = bed.orch.serve();
    for name in ["left", "right"] {
        bed.orch.ok(bed.root(), &["gate", "freeze", name]);
    }
    let keys = bed.submit();
    drop(service);
    (keys, forge(bed))
}

fn unfreeze(bed: &Bed) {
    for name in ["left", "right"] {
        bed.orch.ok(bed.root(), &["gate", "unfreeze", name]);
    }
}

#[test]
fn the_whole_queue_goes_on_and_the_sweep_counts_what_it_cleaned() {
    let bed = Bed::new(&[]);
    let (keys, mut stranger) = forged_at_start(&bed);
    let service = bed.orch.serve();
    assert_eq!(swept(&bed), 2, "both rows are cleaned before anything is claimed");
    // And again under the running service: the next tick finds it.
    let _another = forge(&bed);
    until("the next tick's sweep", || (swept(&bed) == 4).then_some(()));
    unfreeze(&bed);
    bed.all_done(&keys);
    assert!(stranger.is_alive(), "a stranger was killed");
    drop(service);
    bed.orch.ok(bed.root(), &["db", "check"]);
}

#[test]
fn with_the_sweep_switched_off_the_claim_alone_keeps_the_queue_going() {
    let bed = Bed::new(&[("ORCH_IMPOSSIBLE_QUEUED_SANITIZE_ENABLED", "false")]);
    let (keys, mut stranger) = forged_at_start(&bed);
    let service = bed.orch.serve();
    unfreeze(&bed);
    bed.all_done(&keys);
    assert_eq!(swept(&bed), 0, "the switch gates the sweep");
    assert!(stranger.is_alive(), "a stranger was killed");
    drop(service);
    bed.orch.ok(bed.root(), &["db", "check"]);
}

/// The other half of the incident: a job that *runs*, whose supervisor is dead and whose recorded
/// pid a stranger has by now.
#[test]
fn a_running_job_whose_pid_a_stranger_has_is_taken_back_and_the_stranger_left_alone() {
    let bed = Bed::new(&[]);
    bed.hold_agents();
    let service = bed.orch.serve();
    let keys = bed.submit();
    let (run, supervisor, _) = bed.working("");
    service.kill();
    crate::bed::signal("-KILL", supervisor);
    let mut stranger = Stranger::new();
    let claim = bed.orch.home().join("runs").join(&run).join("claim");
    let text = std::fs::read_to_string(&claim).unwrap();
    let pid = |pid: u32| format!("\"pid\":{pid}");
    assert!(text.contains(&pid(supervisor)), "{text}");
    std::fs::write(&claim, text.replace(&pid(supervisor), &pid(stranger.pid()))).unwrap();
    bed.forge("UPDATE jobs SET pid = ?1 WHERE status = 'running'", [stranger.pid()]);
    let service = bed.orch.serve();
    bed.let_agents_go();
    bed.all_done(&keys);
    assert!(stranger.is_alive(), "a stranger was killed");
    drop(service);
    bed.orch.ok(bed.root(), &["db", "check"]);
}
