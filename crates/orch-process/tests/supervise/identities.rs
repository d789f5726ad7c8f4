//! Real processes that mislead whoever looks only at a pid: a zombie, a stopped one, a reused pid,
//! and a child that has the same pid in every fresh namespace.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

use orch_core::process::{ExitCause, ProcessIdentity};
use orch_process::{Liveness, Observation, child, end, identity, marked_processes, observe};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::support::{Scene, until};

fn pid(raw: u32) -> Pid {
    Pid::from_raw(raw.try_into().unwrap()).unwrap()
}

fn sleeper() -> (Child, ProcessIdentity) {
    let child = Command::new("sleep").arg("300").stdin(Stdio::null()).spawn().unwrap();
    let named = identity::of(child.id()).unwrap().unwrap();
    (child, named)
}

#[test]
fn a_zombie_still_answers_a_signal_and_is_not_alive() {
    let (mut child, named) = sleeper();
    assert_eq!(identity::liveness(&named), Liveness::Alive);
    child.kill().unwrap();
    until(|| identity::liveness(&named) == Liveness::Zombie);
    assert!(test_kill_process(pid(child.id())).is_ok(), "kill(pid, 0) says that it is there");
    child.wait().unwrap();
    assert_eq!(identity::liveness(&named), Liveness::Gone);
}

#[test]
fn a_stopped_process_is_there_and_stands_still() {
    let (mut child, named) = sleeper();
    kill_process(pid(child.id()), Signal::STOP).unwrap();
    until(|| identity::liveness(&named) == Liveness::Stopped);
    assert!(identity::liveness(&named).may_act());
    kill_process(pid(child.id()), Signal::CONT).unwrap();
    until(|| identity::liveness(&named) == Liveness::Alive);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A record of a supervisor whose pid a stranger has by now: the stranger is neither taken for the
/// supervisor nor killed with the run.
#[test]
fn a_reused_pid_is_a_lost_run_and_its_new_owner_is_left_alone() {
    let scene = Scene::shell("exit 0");
    let (mut stranger, named) = sleeper();
    let former = ProcessIdentity { start_time: named.start_time - 1, ..named.clone() };
    std::fs::create_dir_all(scene.dir.path()).unwrap();
    let claim = serde_json::json!({ "by": "supervisor", "identity": former });
    std::fs::write(scene.dir.claim(), claim.to_string()).unwrap();
    std::fs::write(scene.dir.child(), "{}").unwrap();
    assert!(matches!(observe(&scene.dir), Observation::Lost { .. }));
    end(&scene.dir, &scene.spec.run_id).unwrap();
    assert_eq!(identity::liveness(&named), Liveness::Alive, "a stranger was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

/// Nothing is printed by an agent that somebody stopped: its supervisor ends it by the stall limit.
#[test]
fn a_stopped_child_is_ended_as_stalled() {
    let scene = Scene::shell("echo ready; exec sleep 300").with(|spec| {
        spec.stall = Some(std::time::Duration::from_secs(1));
    });
    scene.launch();
    until(|| child(&scene.dir).is_some());
    let named = child(&scene.dir).unwrap();
    kill_process(pid(named.pid), Signal::STOP).unwrap();
    assert_eq!(scene.exit().cause, ExitCause::Stalled { limit_ms: 1000 });
    assert!(!identity::liveness(&named).may_act());
}

/// A stopped supervisor hears no request until it goes on; ending its run takes it along.
#[test]
fn a_stopped_supervisor_is_woken_to_end_its_run() {
    let scene = Scene::shell("exec sleep 300");
    let supervisor = scene.launch();
    until(|| child(&scene.dir).is_some());
    kill_process(pid(supervisor.pid), Signal::STOP).unwrap();
    until(|| identity::liveness(&supervisor) == Liveness::Stopped);
    assert!(matches!(observe(&scene.dir), Observation::Running(_)), "stopped is not lost");
    end(&scene.dir, &scene.spec.run_id).unwrap();
    assert_eq!(marked_processes(&scene.spec.run_id), []);
    assert!(matches!(observe(&scene.dir), Observation::Exited(_)));
}

/// In each fresh namespace the child is pid 2 again, under the same boot id. None of them may be
/// taken for another, whoever looks from wherever.
#[test]
fn a_child_with_the_same_pid_in_a_fresh_namespace_is_somebody_else() {
    let mut seen = BTreeSet::new();
    let mut last: Option<ProcessIdentity> = None;
    for _ in 0..4 {
        let Some(found) = in_a_fresh_namespace() else {
            eprintln!("no pid namespaces here: nothing to see");
            return;
        };
        assert_eq!(found.pid, 2, "the child has the first free pid of its namespace");
        assert_eq!(identity::liveness(&found), Liveness::Gone, "seen from outside");
        if let Some(last) = &last {
            let boot = |named: &ProcessIdentity| named.boot_id.split(':').next().map(str::to_owned);
            assert_eq!(boot(last), boot(&found), "the machine did not restart");
        }
        seen.insert((found.boot_id.clone(), found.pid, found.start_time));
        // The kernel may give the next namespace this one's number; then the start time, counted in
        // hundredths of a second, is what tells the children apart.
        until(|| tick() > found.start_time);
        last = Some(found);
    }
    assert_eq!(seen.len(), 4, "two runs have one name: {seen:?}");
}

/// The start time of a process that is started now.
fn tick() -> u64 {
    let (mut child, named) = sleeper();
    child.kill().unwrap();
    child.wait().unwrap();
    named.start_time
}

/// The identity of a child as a service in a namespace of its own would record it; `None` where
/// namespaces are not permitted.
fn in_a_fresh_namespace() -> Option<ProcessIdentity> {
    let output = Command::new("unshare")
        .args(["--fork", "--pid", "--mount-proc"])
        .arg(crate::support::PROGRAM)
        .arg("name-a-child")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("unshare"),
            "the fixture failed: {output:?}"
        );
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
