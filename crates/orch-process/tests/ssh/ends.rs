//! How runs end on the far side, and what is left of them there.

use std::time::Duration;

use orch_core::process::ExitCause;
use orch_core::remote::{Ended, FaultKind, RemoteEnd};
use orch_testkit::{Sshd, until};

use crate::bed::{Bed, marked};

#[test]
fn a_run_starts_in_its_files_with_its_facts_and_ends_with_its_own_exit_code() {
    let bed = Bed::new();
    let script = "cat sub/hello; echo \"$ORCH_TASK\"; umask; echo wrong >&2; exit 3";
    let run = bed.run(script).sending(&[("sub/hello", "salve\n")]);
    let done = run.done();
    let mask = String::from_utf8(
        std::process::Command::new("sh").args(["-c", "umask"]).output().unwrap().stdout,
    )
    .unwrap();
    assert_eq!(done.stdout(), format!("salve\nit's X-1\n{mask}"));
    assert_eq!(done.exit.cause, ExitCause::Exited { code: 3 });
    assert_eq!(done.exit.stderr_tail.trim(), "wrong");
    let frame = done.frame();
    assert_eq!((frame.exit_code, frame.ended, frame.survivors), (3, Ended::Exited, 0));
    assert_eq!(bed.left_of(&run.id()), (Vec::new(), false));
    assert!(!run.order.tree.as_ref().unwrap().exists());
}

/// Output of any bytes and any size comes whole and in order.
#[test]
fn output_comes_whole() {
    let bed = Bed::new();
    let script = "i=0; while [ $i -lt 60000 ]; do echo \"line $i\"; i=$((i+1)); done; \
                  printf 'orch 0 frame 3\\nabc\\0\\377'; head -c 700000 /dev/zero | tr '\\0' x >&2";
    let done = bed.run(script).done();
    let frame = done.frame();
    assert_eq!(frame.stderr_bytes, 700_000);
    let lines: Vec<String> = done.stdout().lines().map(str::to_owned).collect();
    assert_eq!((lines.len(), lines[59_999].as_str()), (60_002, "line 59999"));
}

/// The incident: the program of the suite is not there. That is no verdict on the code.
#[test]
fn a_program_that_is_missing_there_is_told_in_the_words_of_the_shell() {
    let bed = Bed::new();
    let done = bed.run("docker-that-nobody-has exec staging run-suite").done();
    assert_eq!(done.exit.cause, ExitCause::Exited { code: 127 });
    assert_eq!(done.frame().exit_code, 127);
    assert!(done.exit.stderr_tail.contains("docker-that-nobody-has: not found"));
    let run = bed.run("x").with(|order| order.argv = vec!["nobody-has-this".into()]);
    assert_eq!(run.done().frame().exit_code, 127);
}

/// Whoever is killed there by a signal is told as a shell tells it.
#[test]
fn a_signal_is_told_as_128_and_its_number() {
    let bed = Bed::new();
    assert_eq!(bed.run("kill -9 $$").done().frame().exit_code, 137);
}

/// Daemons in sessions of their own, deaf to TERM, are gone when the run is stopped from here.
#[test]
fn a_stopped_run_leaves_nothing_there() {
    let bed = Bed::new();
    let daemon = "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & \
                  setsid env -u ORCH_REMOTE_RUN sleep 50 & echo ready; while :; do sleep 1; done";
    let run = bed.run(daemon);
    run.start();
    run.has_said("ready");
    assert!(marked(&run.id()).len() >= 3);
    run.stop();
    let done = run.wait();
    assert_eq!(done.exit.cause, ExitCause::Cancelled);
    assert_eq!(done.end, Some(RemoteEnd::Ended { unsure: None }), "{}", done.told());
    assert_eq!(marked(&run.id()), Vec::<u32>::new());
}

#[test]
fn a_run_over_its_limit_leaves_nothing_there() {
    let bed = Bed::new();
    let run = bed.run("sleep 300 & sleep 300").within(Duration::from_secs(2));
    let done = run.done();
    assert!(matches!(done.exit.cause, ExitCause::TimedOut { .. }), "{:?}", done.exit.cause);
    assert_eq!(marked(&run.id()), Vec::<u32>::new());
}

/// What a suite leaves running behind itself is ended, as it would be here.
#[test]
fn survivors_are_ended_and_counted() {
    let bed = Bed::new();
    let run = bed.run("setsid sleep 300 >/dev/null 2>&1 & echo done");
    assert_eq!(run.done().frame().survivors, 1);
    assert_eq!(marked(&run.id()), Vec::<u32>::new());
}

/// The far side has a limit of its own, for when nobody is there to keep the other.
#[test]
fn the_far_side_keeps_a_limit_of_its_own() {
    let bed = Bed::new();
    let run = bed.run("sleep 300").with(|order| order.limit_s = 1);
    assert_eq!(run.done().frame().ended, Ended::Limit);
    assert_eq!(marked(&run.id()), Vec::<u32>::new());
}

/// What holds the run together is killed there, as by a machine out of memory: no frame, no
/// verdict, and the next try ends what was left before it starts anew.
#[test]
fn a_run_whose_wrapper_is_killed_has_no_result() {
    let bed = Bed::new();
    let counter = bed.path("counter");
    let script = format!("echo x >>{}; echo ready; sleep 300", counter.display());
    let run = bed.run(&script);
    run.start();
    run.has_said("ready");
    let wrapper = std::fs::read_to_string(bed.sshd.runs().join(run.id().as_str()).join("wrapper"));
    let pid = wrapper.unwrap().split(' ').nth(1).unwrap().to_owned();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    assert_eq!(run.wait().fault(), FaultKind::Killed);
    let again = bed.run(&script).after(&[&run]);
    again.start();
    again.has_said("ready");
    assert_eq!(marked(&run.id()), Vec::<u32>::new(), "two of the same work at once");
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "x\nx\n");
    again.stop();
    again.wait();
}

/// A suite that knows the protocol prints a frame, and writes one where the real one will be.
#[test]
fn a_frame_of_the_suites_own_making_is_not_believed() {
    let bed = Bed::new();
    let forged = |exit: &str| {
        format!(
            "orch-frame 1\\nnonce 00000000000000000000000000000000\\nrun $run\\nrevision \
             0123456789012345678901234567890123456789\\nended exited\\nexit {exit}\\nstdout 0\\n\
             stderr 0\\nseconds 0\\nsurvivors 0\\nend\\n"
        )
    };
    let frame = forged("0");
    let script = format!(
        "dir=$(dirname \"$(readlink /proc/$$/fd/1)\"); run=$(basename \"$dir\"); \
         printf \"{frame}\"; printf \"orch x frame 10\\n\"; exit 1"
    );
    let done = bed.run(&script).done();
    assert_eq!(done.frame().exit_code, 1);
    let script = format!(
        "dir=$(dirname \"$(readlink /proc/$$/fd/1)\"); run=$(basename \"$dir\"); \
         printf \"{frame}\" >\"$dir/frame\"; sleep 300"
    );
    let run = bed.run(&script);
    assert_eq!(run.done().fault(), FaultKind::ForeignFrame);
    orch_process::ssh::stop(&bed.client(), &[run.id()]).unwrap();
    assert_eq!(marked(&run.id()), Vec::<u32>::new());
    // The secret of the frame stands in no environment, no file and no process table.
    let run = bed.run(
        "cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; \
                       cat \"$(dirname \"$(readlink /proc/$$/fd/1)\")\"/[!o]* 2>/dev/null",
    );
    let nonce = run.order.nonce.clone();
    assert!(!run.done().told().contains(nonce.expose()));
}

/// A login shell that talks, and one that is none.
#[test]
fn a_login_shells_talk_is_passed_over_and_one_that_starts_nothing_is_a_fault() {
    let bed = Bed::new();
    bed.sshd.force_command("echo Welcome; printf no-newline; eval \\\"$SSH_ORIGINAL_COMMAND\\\"");
    assert_eq!(bed.run("echo hello").done().stdout(), "hello\n");
    // Exit 0 without a frame is no success.
    bed.sshd.force_command("echo ok 1; exit 0");
    let done = bed.run("echo hello").done();
    assert_eq!(done.fault(), FaultKind::NoShell);
    assert_ne!(done.exit.cause, ExitCause::Exited { code: 0 });
}

/// A far side with the least of shells and tools.
#[test]
fn busybox_holds_a_run_together() {
    let tools = tempfile::tempdir().unwrap();
    let installed = std::process::Command::new("busybox")
        .args(["--install", "-s"])
        .arg(tools.path())
        .status()
        .unwrap();
    assert!(installed.success());
    let bed = Bed::on(Sshd::start_with(&[("PATH", tools.path().to_str().unwrap())]));
    let run = bed
        .run("cat hello; readlink $(which sh); setsid sleep 300 & sleep 0.1; exit 4")
        .sending(&[("hello", "salve\n")]);
    let done = run.done();
    assert_eq!(done.stdout(), "salve\n/usr/bin/busybox\n", "{}", done.told());
    assert_eq!((done.frame().exit_code, done.frame().survivors), (4, 1));
    assert_eq!(bed.left_of(&run.id()), (Vec::new(), false));
    let run = bed.run("echo ready; while :; do sleep 1; done");
    run.start();
    run.has_said("ready");
    run.stop();
    assert_eq!(run.wait().end, Some(RemoteEnd::Ended { unsure: None }));
    assert_eq!(marked(&run.id()), Vec::<u32>::new());
}

/// A far side that lacks what a run needs says what, and a full disk is told as such.
#[test]
fn what_the_far_side_lacks_is_named() {
    let tools = tempfile::tempdir().unwrap();
    let path = tools.path().to_str().unwrap().to_owned();
    let bed = Bed::on(Sshd::start_with(&[("PATH", &path)]));
    for name in [
        "sh", "dd", "tar", "grep", "wc", "tail", "head", "tr", "sort", "find", "date", "id", "mv",
        "rm", "mkdir", "cat", "sleep",
    ] {
        std::os::unix::fs::symlink("/usr/bin/busybox", tools.path().join(name)).unwrap();
    }
    let lacking = bed.run("echo hello").done();
    assert_eq!(lacking.fault(), FaultKind::MissingProgram);
    assert!(lacking.told().contains("setsid"), "{}", lacking.told());
    std::os::unix::fs::symlink("/usr/bin/busybox", tools.path().join("setsid")).unwrap();
    std::fs::remove_file(tools.path().join("tar")).unwrap();
    let full = "#!/bin/sh\ncat >/dev/null; echo 'tar: hello: Cannot write: No space left on device' >&2\nexit 2\n";
    std::fs::write(tools.path().join("tar"), full).unwrap();
    std::process::Command::new("chmod").arg("755").arg(tools.path().join("tar")).status().unwrap();
    let full = bed.run("cat hello").sending(&[("hello", "salve\n")]).done();
    assert_eq!(full.fault(), FaultKind::DiskFull);
    until("nothing to be started", || marked(&full_id(&full)).is_empty().then_some(()));
}

fn full_id(done: &crate::bed::Done) -> orch_core::ids::RunId {
    orch_core::ids::RunId::new(done.dir.path().file_name().unwrap().to_str().unwrap()).unwrap()
}
