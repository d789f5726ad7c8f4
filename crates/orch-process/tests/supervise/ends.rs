//! Each cause of an end.

use std::time::Duration;

use orch_core::process::ExitCause;
use orch_process::request_stop;

use crate::support::Scene;

const LONG: &str = "echo ready; exec sleep 50";

#[test]
fn a_child_that_ends_by_itself_says_how() {
    for (script, expected) in [
        ("exit 0", ExitCause::Exited { code: 0 }),
        ("exit 7", ExitCause::Exited { code: 7 }),
        ("kill -KILL $$", ExitCause::Signaled { signal: 9 }),
        ("kill -SEGV $$", ExitCause::Signaled { signal: 11 }),
        // Signals that the supervisor itself ignores or holds back have their usual effect.
        ("kill -INT $$", ExitCause::Signaled { signal: 2 }),
        ("kill -HUP $$", ExitCause::Signaled { signal: 1 }),
        ("kill -TERM $$", ExitCause::Signaled { signal: 15 }),
        ("kill -PIPE $$", ExitCause::Signaled { signal: 13 }),
    ] {
        let exit = Scene::shell(script).run();
        assert_eq!(exit.cause, expected, "{script}");
        assert!(exit.started_at <= exit.finished_at);
        assert_eq!((exit.lines, exit.survivors_killed), (0, 0), "{script}");
    }
}

#[test]
fn what_can_not_be_started_says_why() {
    let spawn_failure = |scene: &Scene| match scene.run().cause {
        ExitCause::SpawnFailed { message, missing } => (message, missing),
        other => panic!("{:?} gave {other:?}", scene.spec),
    };
    let scene = Scene::new(&["no-such-program-anywhere"]);
    let (message, missing) = spawn_failure(&scene);
    assert_eq!(message, "no-such-program-anywhere: No such file or directory");
    assert!(missing);
    assert!(scene.log()[0].1.contains("no-such-program-anywhere"));

    let scene = Scene::new(&["./plain-file"]);
    std::fs::write(scene.work().join("plain-file"), "not executable").unwrap();
    assert!(spawn_failure(&scene).1, "not executable");

    let scene = Scene::new(&["./script"]);
    let script = scene.work().join("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert!(spawn_failure(&scene).1, "interpreter missing");

    for (scene, word) in [
        (Scene::new(&[]), "command line is empty"),
        (Scene::new(&["true"]).with(|s| s.cwd = "/no/such/place".into()), "/no/such/place"),
        (Scene::new(&["true"]).with(|s| s.stdin = Some("/no/input".into())), "/no/input"),
        (Scene::new(&["echo", "a\0b"]), "nul byte"),
    ] {
        let (message, missing) = spawn_failure(&scene);
        assert!(message.contains(word) && !missing, "{message}");
    }
}

#[test]
fn the_absolute_limit_ends_even_a_busy_child() {
    let scene = Scene::shell("while :; do echo x; sleep 0.01; done")
        .with(|s| s.timeout = Duration::from_millis(200));
    assert_eq!(scene.run().cause, ExitCause::TimedOut { limit_ms: 200 });
    assert!(scene.log().iter().any(|(stream, text)| stream == "supervisor"
        && text == "the time limit of 200 ms passed; the process tree is asked to end"));
}

#[test]
fn silence_ends_a_run_and_output_prolongs_it() {
    let limit = Duration::from_millis(400);
    let silent = Scene::shell(LONG).with(|s| s.stall = Some(limit));
    assert_eq!(silent.run().cause, ExitCause::Stalled { limit_ms: 400 });
    // Longer than the limit in all, with pauses far below it.
    let chatty = Scene::shell("for i in 1 2 3 4 5 6 7 8 9 10; do echo $i >&2; sleep 0.2; done")
        .with(|s| s.stall = Some(Duration::from_millis(1500)));
    assert_eq!(chatty.run().cause, ExitCause::Exited { code: 0 });
    let closed = Scene::shell("exec >&- 2>&-; exec sleep 50").with(|s| s.stall = Some(limit));
    assert_eq!(closed.run().cause, ExitCause::Stalled { limit_ms: 400 });
}

#[test]
fn a_run_is_cancelled_by_request_by_file_and_by_signal() {
    let ways: [fn(&Scene, u32); 3] = [
        |scene, _| request_stop(&scene.dir).unwrap(),
        |scene, _| std::fs::write(scene.dir.stop(), "").unwrap(),
        |_, pid| signal(pid, rustix::process::Signal::TERM),
    ];
    for way in ways {
        let scene = Scene::shell(LONG);
        let supervisor = scene.launch();
        scene.until_printed("ready");
        way(&scene, supervisor.pid);
        assert_eq!(scene.exit().cause, ExitCause::Cancelled);
    }
}

#[test]
fn a_stop_that_comes_first_keeps_the_child_from_starting() {
    let scene = Scene::shell("echo ran > ran");
    std::fs::create_dir_all(scene.dir.path()).unwrap();
    request_stop(&scene.dir).unwrap();
    assert_eq!(scene.run().cause, ExitCause::Cancelled);
    assert!(!scene.work().join("ran").exists());
    // And one that comes last changes nothing.
    let done = Scene::shell("exit 0");
    done.run();
    request_stop(&done.dir).unwrap();
    assert_eq!(done.exit().cause, ExitCause::Exited { code: 0 });
}

#[test]
fn a_polite_child_has_its_grace_and_the_rude_one_is_killed() {
    let polite =
        Scene::shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
            .with(|s| s.grace = Duration::from_mins(10));
    polite.launch();
    polite.until_printed("ready");
    request_stop(&polite.dir).unwrap();
    let exit = polite.exit();
    assert_eq!((exit.cause, exit.stdout_tail.as_str()), (ExitCause::Cancelled, "ready\nbye\n"));

    let rude = Scene::shell("trap '' TERM HUP INT; echo ready; while :; do sleep 0.05; done");
    rude.launch();
    rude.until_printed("ready");
    request_stop(&rude.dir).unwrap();
    assert_eq!(rude.exit().cause, ExitCause::Cancelled);
}

#[test]
fn hangup_and_interrupt_do_not_move_the_supervisor() {
    let scene = Scene::shell("echo ready; while [ ! -e go ]; do sleep 0.02; done; echo done");
    let supervisor = scene.launch();
    scene.until_printed("ready");
    for number in [rustix::process::Signal::HUP, rustix::process::Signal::INT] {
        signal(supervisor.pid, number);
    }
    std::fs::write(scene.work().join("go"), "").unwrap();
    let exit = scene.exit();
    assert_eq!((exit.cause, exit.lines), (ExitCause::Exited { code: 0 }, 2));
}

#[test]
fn the_child_gets_exactly_what_the_specification_says() {
    let scene = Scene::shell("env; cat; pwd").with(|s| {
        s.env.insert("GREETING".into(), "a = b\nc".into());
        s.env.insert(orch_process::MARK.into(), "r-forged-mark".into());
    });
    let input = scene.work().join("input");
    std::fs::write(&input, "from the file\n").unwrap();
    let scene = scene.with(|s| s.stdin = Some(input));
    let output = scene.run().stdout_tail;
    assert!(output.contains("GREETING=a = b\nc\n") && output.contains("from the file\n"));
    assert!(output.contains(&format!("ORCH_RUN_MARK={}\n", scene.spec.run_id)));
    for foreign in ["CARGO", "HOME=", "r-forged-mark"] {
        assert!(!output.contains(foreign), "{foreign} was inherited");
    }
}

fn signal(pid: u32, number: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, number).unwrap();
}
