//! The way to a supervisor, and the one-shot right to start.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;

use orch_core::process::ExitCause;
use orch_core::redact::Masks;
use orch_process::{
    LaunchError, Liveness, Observation, Revocation, child, identity, launch, observe, revoke,
};

use crate::support::{PROGRAM, Scene, nothing_to_mask};

fn again(scene: &Scene) -> LaunchError {
    launch(Path::new(PROGRAM), &scene.dir, &scene.spec, &Masks::default()).unwrap_err()
}

#[test]
fn a_running_run_shows_its_supervisor_and_its_child() {
    let scene = Scene::shell("echo ready; exec sleep 50");
    assert_eq!(observe(&scene.dir), Observation::NotStarted);
    let supervisor = scene.launch();
    assert_eq!(identity::liveness(&supervisor), Liveness::Alive);
    scene.until_printed("ready");
    assert_eq!(observe(&scene.dir), Observation::Running(supervisor.clone()));
    let child = child(&scene.dir).unwrap();
    assert_eq!(identity::liveness(&child), Liveness::Alive);
    assert_ne!(child.pid, supervisor.pid);
    // Nobody has to reap the supervisor: it is not our child.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", supervisor.pid)).unwrap();
    let parent = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    assert_ne!(parent, std::process::id().to_string());
    let mode = std::fs::metadata(scene.dir.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    for file in [scene.dir.spec(), scene.dir.log(), scene.dir.claim()] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read {}", file.display());
    }
}

#[test]
fn a_run_starts_only_once() {
    let scene = Scene::shell("echo x >> ran");
    scene.run();
    assert!(matches!(again(&scene), LaunchError::AlreadyClaimed { .. }));
    assert_eq!(revoke(&scene.dir).unwrap(), Revocation::AlreadyStarted);
    assert_eq!(std::fs::read_to_string(scene.work().join("ran")).unwrap(), "x\n");
    assert!(matches!(observe(&scene.dir), Observation::Exited(_)));
}

#[test]
fn a_revoked_run_never_starts() {
    let scene = Scene::shell("echo x >> ran");
    assert_eq!(revoke(&scene.dir).unwrap(), Revocation::Revoked);
    assert!(matches!(again(&scene), LaunchError::AlreadyClaimed { .. }));
    // A supervisor that was already on its way finds the claim taken.
    std::fs::write(scene.dir.spec(), serde_json::to_vec(&scene.spec).unwrap()).unwrap();
    let late = std::process::Command::new(PROGRAM)
        .arg("run-supervisor")
        .arg(scene.dir.path())
        .stdin(nothing_to_mask(scene.work()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(late.stdout).unwrap(), "\"refused\"\n");
    assert_eq!(observe(&scene.dir), Observation::Revoked);
    assert_eq!(scene.wait(), Observation::Revoked);
    assert!(!scene.work().join("ran").exists());
}

#[test]
fn of_a_launch_and_many_revocations_exactly_one_side_wins() {
    for _ in 0..12 {
        let scene = Scene::shell("echo x >> ran");
        let start = Barrier::new(5);
        let (launched, revoked) = std::thread::scope(|scope| {
            let launcher = scope.spawn(|| {
                start.wait();
                launch(Path::new(PROGRAM), &scene.dir, &scene.spec, &Masks::default())
            });
            let revokers: Vec<_> = (0..4)
                .map(|delay| {
                    let (start, dir) = (&start, &scene.dir);
                    scope.spawn(move || {
                        start.wait();
                        // Spread over the time that a launch takes.
                        std::thread::sleep(std::time::Duration::from_millis(delay * 2));
                        revoke(dir).unwrap()
                    })
                })
                .collect();
            let revoked: Vec<_> = revokers.into_iter().map(|r| r.join().unwrap()).collect();
            (launcher.join().unwrap(), revoked)
        });
        let ran = || scene.work().join("ran").exists();
        match launched {
            Ok(_) => {
                assert!(revoked.iter().all(|r| *r == Revocation::AlreadyStarted), "{revoked:?}");
                scene.exit();
                assert!(ran());
            }
            Err(LaunchError::AlreadyClaimed { .. }) => {
                assert!(revoked.iter().all(|r| *r == Revocation::Revoked), "{revoked:?}");
                assert_eq!(observe(&scene.dir), Observation::Revoked);
                assert!(!ran());
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_launch_that_fails_names_its_reason() {
    let scene = Scene::shell("exit 0");
    let missing =
        launch(Path::new("/no/such/orch"), &scene.dir, &scene.spec, &Masks::default()).unwrap_err();
    assert!(matches!(missing, LaunchError::Program { .. }), "{missing}");
    let wrong =
        launch(Path::new("/bin/true"), &scene.dir, &scene.spec, &Masks::default()).unwrap_err();
    assert!(wrong.to_string().ends_with("did not get ready: it ended without a word"), "{wrong}");
    // After either, the run can still be settled, or launched properly.
    assert_eq!(observe(&scene.dir), Observation::NotStarted);
    assert_eq!(scene.run().cause, ExitCause::Exited { code: 0 });

    let blocked = Scene::shell("exit 0");
    std::fs::create_dir_all(blocked.work()).unwrap();
    std::fs::write(blocked.work().join("runs"), "a file in the way").unwrap();
    assert!(matches!(again(&blocked), LaunchError::Prepare { .. }));
}

#[test]
fn the_supervisor_refuses_wrong_arguments() {
    for (arguments, words) in [
        (vec!["run-supervisor"], "takes one argument"),
        (vec!["run-supervisor", "a", "b"], "takes one argument"),
        (vec!["run-supervisor", "/no/such/dir"], "/no/such/dir"),
    ] {
        let output = std::process::Command::new(PROGRAM).args(&arguments).output().unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{arguments:?}");
    }
}
