//! Nothing of a run outlives it, however it tries.

use std::time::Duration;

use orch_core::process::ExitCause;
use orch_process::{marked_processes, request_stop};

use crate::support::{PROGRAM, Scene, until};

const EXIT_0: ExitCause = ExitCause::Exited { code: 0 };

#[test]
fn what_is_left_behind_holding_the_output_does_not_hang_the_run() {
    let scene = Scene::shell("sleep 50 & echo started; exit 0");
    let exit = scene.run();
    assert_eq!((exit.cause, exit.survivors_killed), (EXIT_0, 1));
    assert_eq!(exit.stdout_tail, "started\n");
    let words = "1 processes outlived the child and were killed";
    assert!(scene.log().contains(&("supervisor".into(), words.into())));
}

#[test]
fn endless_output_from_a_leftover_does_not_hang_the_run() {
    let exit = Scene::shell("yes & exit 0").run();
    assert_eq!((exit.cause, exit.survivors_killed), (EXIT_0, 1));
}

#[test]
fn a_daemon_in_a_session_of_its_own_is_killed() {
    let scene = Scene::shell("\"$0\" daemon; until [ -s pid ]; do sleep 0.01; done; exit 3");
    let scene = scene.with(|s| {
        s.argv.push(PROGRAM.into());
        // The daemon's first words tell that it stands on its own.
        s.argv[2] = "\"$0\" daemon > pid; until [ -s pid ]; do sleep 0.01; done; exit 3".into();
    });
    let exit = scene.run();
    assert_eq!((exit.cause, exit.survivors_killed), (ExitCause::Exited { code: 3 }, 1));
}

#[test]
fn a_tree_that_forks_while_it_is_killed_is_killed() {
    for what in ["hydra", "comet"] {
        let scene = Scene::fixture(&[what]).with(|s| s.grace = Duration::ZERO);
        scene.launch();
        if what == "hydra" {
            until(|| marked_processes(&scene.spec.run_id).len() > 8);
            request_stop(&scene.dir).unwrap();
            assert_eq!(scene.exit().cause, ExitCause::Cancelled);
        } else {
            assert_eq!(scene.exit().cause, EXIT_0);
        }
    }
}

#[test]
fn a_tree_that_ignores_every_signal_is_killed_after_its_grace() {
    let deaf = "trap '' TERM HUP INT QUIT; while :; do sleep 0.05; done";
    let script = format!("setsid sh -c \"{deaf}\" & echo ready; {deaf}");
    let scene = Scene::shell(&script).with(|s| s.timeout = Duration::from_millis(300));
    assert_eq!(scene.run().cause, ExitCause::TimedOut { limit_ms: 300 });
}

#[test]
fn stopped_processes_end_too() {
    let scene = Scene::shell("trap 'echo woken; exit 0' TERM; kill -STOP $$").with(|s| {
        s.timeout = Duration::from_millis(300);
        s.grace = Duration::from_mins(10);
    });
    let exit = scene.run();
    assert_eq!(exit.cause, ExitCause::TimedOut { limit_ms: 300 });
    assert_eq!(exit.stdout_tail, "woken\n");
    let leftover = Scene::shell("sleep 50 & kill -STOP $!; exit 0").run();
    assert_eq!((leftover.cause, leftover.survivors_killed), (EXIT_0, 1));
}

#[test]
fn zombies_are_no_survivors() {
    // `sleep` never collects the children of the shell whose place it takes.
    let exit = Scene::shell("true & (true & true &) ; exec sleep 0.3").run();
    assert_eq!((exit.cause, exit.survivors_killed), (EXIT_0, 0));
}

#[test]
fn orphans_are_adopted_and_collected_while_the_run_goes_on() {
    let scene = Scene::shell(
        "for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.01 &); done; echo ready; \
         until [ -e go ]; do sleep 0.02; done",
    );
    let supervisor = scene.launch();
    scene.until_printed("ready");
    let children = format!("/proc/{0}/task/{0}/children", supervisor.pid);
    // Only the shell itself remains.
    until(|| std::fs::read_to_string(&children).unwrap().split_whitespace().count() == 1);
    std::fs::write(scene.work().join("go"), "").unwrap();
    let exit = scene.exit();
    assert_eq!((exit.cause, exit.survivors_killed), (EXIT_0, 0));
}
