//! Supervisors and services that die, and files that are not what they should be.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use orch_core::process::ExitCause;
use orch_process::{
    Liveness, Observation, RunDir, child, identity, marked_processes, observe, request_stop, sweep,
};

use crate::support::{PROGRAM, Scene, nothing_to_mask, until};

#[test]
fn a_killed_supervisor_is_a_lost_run_and_the_sweep_ends_its_processes() {
    let scene = Scene::shell("sleep 50 & setsid sleep 50 & echo ready; sleep 50; sleep 50");
    let supervisor = scene.launch();
    scene.until_printed("ready");
    until(|| marked_processes(&scene.spec.run_id).len() >= 4);
    kill(supervisor.pid);
    match scene.wait() {
        Observation::Lost { reason } => {
            assert!(reason.contains(&supervisor.pid.to_string()), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    let child = child(&scene.dir).unwrap();
    assert_eq!(identity::liveness(&child), Liveness::Alive, "nobody has killed it yet");
    assert!(sweep(&scene.spec.run_id) >= 4);
    assert_eq!(marked_processes(&scene.spec.run_id), []);
    assert_ne!(identity::liveness(&child), Liveness::Alive);
    // A request to a dead supervisor is no error.
    request_stop(&scene.dir).unwrap();
}

#[test]
fn a_sweep_ends_a_tree_that_forks_while_it_is_swept() {
    for what in ["hydra", "comet"] {
        let scene = Scene::fixture(&[what]);
        let supervisor = scene.launch();
        until(|| child(&scene.dir).is_some());
        if what == "hydra" {
            until(|| marked_processes(&scene.spec.run_id).len() > 8);
            kill(supervisor.pid);
            until(|| matches!(observe(&scene.dir), Observation::Lost { .. }));
            assert!(sweep(&scene.spec.run_id) > 0);
        } else {
            // Its child ends at once, so it is a race whether the supervisor still gets to it.
            kill(supervisor.pid);
            scene.wait();
            sweep(&scene.spec.run_id);
        }
        assert_eq!(marked_processes(&scene.spec.run_id), [], "{what}");
    }
}

#[test]
fn a_run_goes_on_when_the_service_that_started_it_is_killed() {
    let scene = Scene::shell("echo ready; until [ -e go ]; do sleep 0.02; done; echo done");
    let mut service = Command::new(PROGRAM)
        .arg("launch-and-hang")
        .arg(scene.dir.path())
        .arg(serde_json::to_string(&scene.spec).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "launched\n");
    scene.until_printed("ready");
    service.kill().unwrap();
    service.wait().unwrap();
    assert!(matches!(observe(&scene.dir), Observation::Running(_)));
    std::fs::write(scene.work().join("go"), "").unwrap();
    let exit = scene.exit();
    assert_eq!(
        (exit.cause, exit.stdout_tail.as_str()),
        (ExitCause::Exited { code: 0 }, "ready\ndone\n")
    );
}

#[test]
fn a_specification_that_can_not_be_read_ends_the_run_with_a_reason() {
    for content in ["", "{", "null", "{\"run_id\":\"../../etc\"}", "\u{0}\u{0}"] {
        let scene = Scene::shell("exit 0");
        std::fs::create_dir_all(scene.dir.path()).unwrap();
        std::fs::write(scene.dir.spec(), content).unwrap();
        start_bare(&scene.dir);
        match scene.exit().cause {
            ExitCause::SpawnFailed { message, missing: false } => {
                assert!(message.starts_with("spec.json can't be read"), "{message}");
            }
            other => panic!("{content:?} gave {other:?}"),
        }
    }
    let scene = Scene::shell("exit 0");
    std::fs::create_dir_all(scene.dir.path()).unwrap();
    start_bare(&scene.dir);
    let missing = ExitCause::SpawnFailed { message: "spec.json is missing".into(), missing: false };
    assert_eq!(scene.exit().cause, missing);
}

#[test]
fn files_damaged_during_the_run_do_not_harm_it() {
    let scene = Scene::shell("echo ready; until [ -e go ]; do sleep 0.02; done; echo done");
    scene.launch();
    scene.until_printed("ready");
    for file in [scene.dir.spec(), scene.dir.supervisor(), scene.dir.child()] {
        std::fs::write(file, "\u{0}rubbish").unwrap();
    }
    assert!(matches!(observe(&scene.dir), Observation::Running(_)));
    std::fs::write(scene.work().join("go"), "").unwrap();
    assert_eq!(scene.exit().lines, 2);
    std::fs::write(scene.dir.exit(), "{\"cause\"").unwrap();
    assert!(matches!(observe(&scene.dir), Observation::Lost { .. }));
}

#[test]
fn a_removed_directory_ends_nothing_early_and_leaves_nothing_behind() {
    let scene = Scene::shell("echo ready; exec sleep 50");
    let supervisor = scene.launch();
    scene.until_printed("ready");
    std::fs::remove_dir_all(scene.dir.path()).unwrap();
    assert_eq!(marked_processes(&scene.spec.run_id).len(), 1);
    let pid = rustix::process::Pid::from_raw(supervisor.pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    until(|| identity::liveness(&supervisor) != Liveness::Alive);
    assert_eq!(marked_processes(&scene.spec.run_id), []);
}

#[test]
fn a_full_disk_costs_the_log_and_not_the_run() {
    let scene = Scene::shell("echo hello; exit 4");
    std::fs::create_dir_all(scene.dir.path()).unwrap();
    // Every write to this file says that the disk is full.
    std::os::unix::fs::symlink("/dev/full", scene.dir.log()).unwrap();
    let exit = scene.run();
    assert_eq!((exit.cause, exit.lines), (ExitCause::Exited { code: 4 }, 1));
    assert_eq!(exit.stdout_tail, "hello\n");
}

/// Starts a supervisor on whatever the directory holds.
fn start_bare(dir: &RunDir) {
    let status = Command::new(PROGRAM)
        .arg("run-supervisor")
        .arg(dir.path())
        .stdin(nothing_to_mask(dir.path().parent().unwrap()))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
