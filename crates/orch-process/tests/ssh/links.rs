//! Links that are lost, and runs that are found again.

use std::time::Duration;

use orch_core::process::ExitCause;
use orch_core::remote::{FaultKind, RemoteEnd};
use orch_testkit::Sshd;
use orch_testkit::proxy::Proxy;

use crate::bed::{Bed, marked};

/// Work that shows how often it was started, says so, and ends when a file is there.
fn work(bed: &Bed) -> String {
    let (counter, go) = (bed.path("counter"), bed.path("go"));
    format!(
        "echo x >>{}; echo ready; while [ ! -e {} ]; do sleep 0.05; done; echo 'ok 1'; exit 5",
        counter.display(),
        go.display()
    )
}

fn times_started(bed: &Bed) -> usize {
    std::fs::read_to_string(bed.path("counter")).unwrap_or_default().lines().count()
}

fn go(bed: &Bed) {
    std::fs::write(bed.path("go"), "").unwrap();
}

#[test]
fn a_link_cut_in_mid_run_is_picked_up_and_the_output_is_whole() {
    let bed = Bed::new();
    let proxy = Proxy::before(bed.sshd.port());
    let run = bed.run(&work(&bed)).through(bed.client_at(&Sshd::target_at(proxy.port())));
    run.start();
    run.has_said("ready");
    proxy.cut_off(true);
    run.has_said("the link to the far side was lost");
    go(&bed);
    proxy.cut_off(false);
    let done = run.wait();
    assert_eq!((done.frame().exit_code, done.stdout().as_str()), (5, "ready\nok 1\n"));
    assert_eq!(times_started(&bed), 1);
    assert_eq!(bed.left_of(&run.id()), (Vec::new(), false));
}

/// The link stays away for longer than there is patience. The next try finds the run still at work,
/// follows it and takes its result; it is not started again.
#[test]
fn the_next_try_attaches_to_a_run_that_was_lost_sight_of() {
    let bed = Bed::new();
    let proxy = Proxy::before(bed.sshd.port());
    let client = || bed.client_at(&Sshd::target_at(proxy.port()));
    let run = bed.run(&work(&bed)).through(client()).with(|order| order.reattach_ms = 1000);
    run.start();
    run.has_said("ready");
    proxy.cut_off(true);
    let done = run.wait();
    assert_eq!(done.exit.cause, ExitCause::Exited { code: 255 });
    assert!(done.fault().is_of_the_link() && !marked(&run.id()).is_empty(), "{}", done.told());
    proxy.cut_off(false);
    let again = bed.run(&work(&bed)).through(client()).after(&[&run]);
    again.start();
    again.has_said("ready");
    go(&bed);
    let done = again.wait();
    assert_eq!((done.frame().exit_code, &done.frame().run_id), (5, &run.id()));
    assert_eq!(done.stdout(), "ready\nok 1\n");
    assert_eq!(times_started(&bed), 1);
    assert_eq!(bed.left_of(&run.id()), (Vec::new(), false));
}

/// The run came to its end while nobody looked: its frame is taken.
#[test]
fn the_next_try_takes_the_result_of_a_run_that_has_ended_meanwhile() {
    let bed = Bed::new();
    let proxy = Proxy::before(bed.sshd.port());
    let client = || bed.client_at(&Sshd::target_at(proxy.port()));
    let run = bed.run(&work(&bed)).through(client()).with(|order| order.reattach_ms = 500);
    run.start();
    run.has_said("ready");
    proxy.cut_off(true);
    assert!(run.wait().fault().is_of_the_link());
    go(&bed);
    orch_testkit::until("the run to end", || marked(&run.id()).is_empty().then_some(()));
    proxy.cut_off(false);
    let done = bed.run(&work(&bed)).through(client()).after(&[&run]).done();
    assert_eq!((done.frame().exit_code, &done.frame().run_id), (5, &run.id()));
    assert_eq!(times_started(&bed), 1);
}

/// Only the same work counts: another revision ends what is left of the old and starts anew.
#[test]
fn another_revision_never_takes_an_earlier_runs_result() {
    let bed = Bed::new();
    let proxy = Proxy::before(bed.sshd.port());
    let client = || bed.client_at(&Sshd::target_at(proxy.port()));
    let run = bed.run(&work(&bed)).through(client()).with(|order| order.reattach_ms = 500);
    run.start();
    run.has_said("ready");
    proxy.cut_off(true);
    run.wait();
    proxy.cut_off(false);
    go(&bed);
    let other = orch_core::ids::Revision::new("a".repeat(40)).unwrap();
    let next = bed
        .run(&work(&bed))
        .through(client())
        .with(|order| order.revision = Some(other.clone()))
        .after(&[&run]);
    let done = next.done();
    assert_eq!((&done.frame().run_id, &done.frame().revision), (&next.id(), &Some(other)));
    assert_eq!(bed.left_of(&run.id()), (Vec::new(), false));
    assert_eq!(times_started(&bed), 2);
}

/// A result that was taken is not taken again: a retry after a hold runs anew.
#[test]
fn a_result_that_was_received_is_not_received_twice() {
    let bed = Bed::new();
    go(&bed);
    let run = bed.run(&work(&bed));
    assert_eq!(run.done().frame().exit_code, 5);
    let again = bed.run(&work(&bed)).after(&[&run]);
    assert_eq!(again.done().frame().run_id, again.id());
    assert_eq!(times_started(&bed), 2);
}

/// The end is asked for while the link is down: it is told that nobody saw the far side end, and
/// the far side's own limit ends it.
#[test]
fn a_stop_without_a_link_says_that_it_is_unsure() {
    let bed = Bed::new();
    let proxy = Proxy::before(bed.sshd.port());
    let client = bed.client_at(&Sshd::target_at(proxy.port()));
    let run = bed.run("echo ready; sleep 300").through(client).with(|order| order.limit_s = 4);
    run.start();
    run.has_said("ready");
    proxy.cut_off(true);
    run.stop();
    let done = run.wait();
    assert_eq!(done.exit.cause, ExitCause::Cancelled);
    assert!(matches!(done.end, Some(RemoteEnd::Ended { unsure: Some(_) })), "{:?}", done.end);
    orch_testkit::until("the far side to end it", || marked(&run.id()).is_empty().then_some(()));
}

/// Upload cut off: nothing was started, and the next connection starts it once.
#[test]
fn a_run_whose_files_were_cut_off_on_their_way_is_not_started() {
    let bed = Bed::new();
    let slow = tempfile::tempdir().unwrap();
    // A tar that waits, so that the cut comes while it reads.
    let script = "#!/bin/sh\n: >\"$CUT/began\"\nwhile [ ! -e \"$CUT/cut\" ]; do sleep 0.05; done\n\
                  exec /usr/bin/tar \"$@\"\n";
    std::fs::write(slow.path().join("tar"), script).unwrap();
    std::process::Command::new("chmod").arg("755").arg(slow.path().join("tar")).status().unwrap();
    let cut = bed.path("cut-here");
    std::fs::create_dir(&cut).unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", slow.path().display());
    let bed = Bed {
        sshd: Sshd::start_with(&[("PATH", &path), ("CUT", cut.to_str().unwrap())]),
        root: bed.root,
    };
    let proxy = Proxy::before(bed.sshd.port());
    let big = "x".repeat(3 << 20);
    let run = bed
        .run(&work(&bed))
        .through(bed.client_at(&Sshd::target_at(proxy.port())))
        .sending(&[("big", &big)]);
    run.start();
    orch_testkit::until("the upload to begin", || cut.join("began").exists().then_some(()));
    proxy.cut_off(true);
    run.has_said("the link to the far side was lost");
    std::fs::write(cut.join("cut"), "").unwrap();
    assert_eq!(times_started(&bed), 0);
    go(&bed);
    proxy.cut_off(false);
    assert_eq!(run.wait().frame().exit_code, 5);
    assert_eq!(times_started(&bed), 1);
}

/// A link that only goes silent, without a word of its end, is noticed by the keep-alive.
#[test]
fn what_never_answered_is_a_fault_of_the_link() {
    let mut bed = Bed::new();
    bed.sshd.stop();
    let done = bed.run("true").done();
    assert_eq!(done.fault(), FaultKind::Refused);
    // A port that takes connections and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Sshd::target_at(mute.local_addr().unwrap().port());
    let mut client = bed.client_at(&target);
    client.connect_s = 1;
    let done = bed.run("true").through(client).within(Duration::from_secs(30)).done();
    assert_eq!(done.fault(), FaultKind::ConnectTimeout);
}
