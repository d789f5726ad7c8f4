//! What happened to machines, processes and clocks, and what the reaper makes of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::outcome::Outcome;
use crate::process::{ExitCause, ProcessIdentity, RunExit};
use crate::testing::now;

/// A boot and a pid namespace, and those after a restart of the machine and of the container.
const HERE: &str = "boot-1:4026531836";
const OTHER_BOOT: &str = "boot-2:4026531836";
const OTHER_NAMESPACE: &str = "boot-1:4026532999";

fn supervisor() -> ProcessIdentity {
    ProcessIdentity { boot_id: HERE.to_owned(), pid: 2, start_time: 1000 }
}

const ALIVE: Shown = Shown::Somebody { start_time: 1000, dead: false, stopped: false };

fn exit() -> RunExit {
    RunExit {
        cause: ExitCause::Exited { code: 0 },
        started_at: now(),
        finished_at: now(),
        stdout_tail: String::new(),
        stderr_tail: String::new(),
        lines: 0,
        survivors_killed: 0,
    }
}

/// One happening: what is on the disk, in the process table and in the row, and who looks when.
struct Case {
    /// `None`: nobody has the right to start the run.
    holder: Option<ProcessIdentity>,
    child_started: bool,
    exit: Result<Option<RunExit>, String>,
    here: Option<&'static str>,
    shown: Shown,
    me: &'static str,
    inside: bool,
    orderly: bool,
    /// From the claim's last heartbeat to the look, by the store's clock.
    elapsed: SignedDuration,
}

/// A run of this worker that goes on as it should, looked at ten seconds after its heartbeat.
fn healthy() -> Case {
    Case {
        holder: Some(supervisor()),
        child_started: true,
        exit: Ok(None),
        here: Some(HERE),
        shown: ALIVE,
        me: "w1",
        inside: false,
        orderly: false,
        elapsed: SignedDuration::from_secs(10),
    }
}

impl Case {
    fn judge(self) -> Finding {
        let owner = Ownership {
            run_id: crate::ids::RunId::from_parts(1, 2),
            run_epoch: 1,
            worker_id: WorkerId::new("w1").unwrap(),
            started_at: now(),
            lease_until: now() + SignedDuration::from_secs(45),
            process: None,
        };
        let holder = match self.holder {
            None => Holder::Nobody,
            Some(identity) => {
                let liveness = liveness(&identity, self.here, self.shown);
                Holder::Supervisor { identity, liveness }
            }
        };
        let traces = Traces { holder, child_started: self.child_started, exit: self.exit };
        let seen = observed(traces);
        let me = WorkerId::new(self.me).unwrap();
        let at: Timestamp = now() + self.elapsed;
        let sighting = Sighting { inside: self.inside, ..Sighting::of(&owner, &me, at) };
        let looked = (sighting.mine && !self.inside).then_some(&seen);
        judge(&Sighting { orderly: self.orderly, ..sighting.showing(looked) })
    }
}

/// Tells the expected finding.
type Expected<'a> = Box<dyn Fn(&Finding) -> bool + 'a>;

fn vanished(part: &str) -> impl Fn(&Finding) -> bool {
    move |finding| matches!(finding, Finding::Gone(Loss::Vanished { reason }) if reason.contains(part))
}

#[test]
fn a_run_is_taken_back_only_when_it_is_certainly_gone() {
    let gone = || vanished("its supervisor, pid 2, is gone");
    let never = |finding: &Finding| *finding == Finding::Gone(Loss::NeverStarted);
    let stopped = |finding: &Finding| *finding == Finding::Gone(Loss::Stopped);
    let taken_up = |finding: &Finding| *finding == Finding::TakeUp;
    let elsewhere = |finding: &Finding| *finding == Finding::Elsewhere;
    let waits = |finding: &Finding| *finding == Finding::Wait;
    let hours = SignedDuration::from_hours;
    let somebody = |start_time, dead, stopped| Shown::Somebody { start_time, dead, stopped };
    let table: Vec<(&str, Case, Expected<'_>)> = vec![
        ("a run goes on", healthy(), Box::new(taken_up)),
        (
            "its pid was reused by a stranger",
            Case { shown: somebody(5000, false, false), ..healthy() },
            Box::new(gone()),
        ),
        (
            "its pid was reused by a stranger who is a zombie by now",
            Case { shown: somebody(5000, true, false), ..healthy() },
            Box::new(gone()),
        ),
        ("nobody has its pid", Case { shown: Shown::Nobody, ..healthy() }, Box::new(gone())),
        (
            "the container restarted: the same boot, and the new child is pid 2 again",
            Case { here: Some(OTHER_NAMESPACE), ..healthy() },
            Box::new(gone()),
        ),
        (
            "the same, and the new child even started at the same tick",
            Case { here: Some(OTHER_NAMESPACE), shown: ALIVE, ..healthy() },
            Box::new(gone()),
        ),
        (
            "the machine restarted, and pid 2 lives there too",
            Case { here: Some(OTHER_BOOT), ..healthy() },
            Box::new(gone()),
        ),
        (
            "the clock was put back an hour",
            Case { elapsed: hours(-1), ..healthy() },
            Box::new(taken_up),
        ),
        (
            "the clock was put back an hour and the run is gone",
            Case { elapsed: hours(-1), shown: Shown::Nobody, ..healthy() },
            Box::new(gone()),
        ),
        (
            "the machine was suspended for eight hours: the lease is long over, the process lives",
            Case { elapsed: hours(8), ..healthy() },
            Box::new(taken_up),
        ),
        (
            "eight hours of suspend before another worker's lease: it counts by the lease alone",
            Case { elapsed: hours(8), me: "w2", ..healthy() },
            Box::new(vanished("lease ran out")),
        ),
        (
            "the supervisor is a zombie, which still answers kill(pid, 0)",
            Case { shown: somebody(1000, true, false), ..healthy() },
            Box::new(gone()),
        ),
        (
            "the supervisor was stopped: it is driven, and the stall tier has the next word",
            Case { shown: somebody(1000, false, true), ..healthy() },
            Box::new(taken_up),
        ),
        (
            "the supervisor is gone and its exit is on the disk",
            Case { exit: Ok(Some(exit())), shown: Shown::Nobody, ..healthy() },
            Box::new(taken_up),
        ),
        (
            "the same after a restart of the machine",
            Case { exit: Ok(Some(exit())), here: Some(OTHER_BOOT), ..healthy() },
            Box::new(taken_up),
        ),
        (
            "its exit can't be read",
            Case { exit: Err("torn".to_owned()), ..healthy() },
            Box::new(vanished("torn")),
        ),
        (
            "it never started",
            Case { holder: None, child_started: false, ..healthy() },
            Box::new(never),
        ),
        (
            "its supervisor is just starting",
            Case { child_started: false, ..healthy() },
            Box::new(waits),
        ),
        (
            "its supervisor died while starting",
            Case { child_started: false, shown: Shown::Nobody, ..healthy() },
            Box::new(gone()),
        ),
        (
            "the merge gate worked inside a service that died",
            Case { inside: true, holder: None, ..healthy() },
            Box::new(never),
        ),
        (
            "the merge gate works inside another service",
            Case { inside: true, me: "w2", ..healthy() },
            Box::new(elsewhere),
        ),
        ("another worker's lease holds", Case { me: "w2", ..healthy() }, Box::new(elsewhere)),
        (
            "another worker's lease ends this moment",
            Case { me: "w2", elapsed: SignedDuration::from_secs(45), ..healthy() },
            Box::new(elsewhere),
        ),
        (
            "another worker's lease is over",
            Case { me: "w2", elapsed: SignedDuration::from_secs(46), ..healthy() },
            Box::new(vanished("lease ran out")),
        ),
        (
            "the clock was put back an hour before another worker's lease",
            Case { me: "w2", elapsed: hours(-1), ..healthy() },
            Box::new(elsewhere),
        ),
        (
            "the own lease is over and the process lives",
            Case { elapsed: SignedDuration::from_secs(46), ..healthy() },
            Box::new(taken_up),
        ),
        (
            "this worker came back under a new id: its own old run is another's until the lease ends",
            Case { me: "w1-again", ..healthy() },
            Box::new(elsewhere),
        ),
        (
            "and is taken back after it",
            Case { me: "w1-again", elapsed: hours(1), ..healthy() },
            Box::new(vanished("lease ran out")),
        ),
        (
            "the process table can't be read: nobody is taken for dead",
            Case { shown: Shown::Unreadable, ..healthy() },
            Box::new(taken_up),
        ),
        (
            "the boot id can't be read",
            Case { here: None, shown: Shown::Nobody, ..healthy() },
            Box::new(taken_up),
        ),
        (
            "the container ended after an orderly stop",
            Case { here: Some(OTHER_NAMESPACE), orderly: true, ..healthy() },
            Box::new(stopped),
        ),
        (
            "an orderly stop before the run began",
            Case { holder: None, orderly: true, ..healthy() },
            Box::new(stopped),
        ),
        (
            "an orderly stop, and the run lives on under its supervisor",
            Case { orderly: true, ..healthy() },
            Box::new(taken_up),
        ),
    ];
    for (what, case, expected) in table {
        let found = case.judge();
        assert!(expected(&found), "{what}: {found:?}");
    }
}

#[test]
fn what_stands_in_the_directory_is_told_in_one_order() {
    let lives = |liveness| Holder::Supervisor { identity: supervisor(), liveness };
    let traces = |holder, child_started, exit| Traces { holder, child_started, exit };
    let unreadable = || Holder::Unreadable { reason: "torn".to_owned() };
    assert_eq!(observed(traces(Holder::Nobody, false, Ok(None))), Observation::NotStarted);
    assert_eq!(observed(traces(Holder::Revoked, false, Ok(None))), Observation::Revoked);
    for liveness in [Liveness::Alive, Liveness::Stopped] {
        let seen = |child| observed(traces(lives(liveness), child, Ok(None)));
        assert_eq!(seen(false), Observation::Starting);
        assert_eq!(seen(true), Observation::Running(supervisor()));
    }
    for liveness in [Liveness::Zombie, Liveness::Gone] {
        let seen = observed(traces(lives(liveness), true, Ok(None)));
        assert!(matches!(seen, Observation::Lost { .. }), "{liveness:?}: {seen:?}");
    }
    assert!(matches!(observed(traces(unreadable(), true, Ok(None))), Observation::Lost { .. }));
    for holder in [Holder::Nobody, Holder::Revoked, unreadable(), lives(Liveness::Alive)] {
        let seen = observed(traces(holder, true, Ok(Some(exit()))));
        assert_eq!(seen, Observation::Exited(exit()), "an exit is the last word");
    }
}

#[test]
fn only_a_supervisor_that_stands_still_is_overruled() {
    let m = Duration::from_mins;
    let stalled = Some(Outcome::Stalled { limit_ms: 300_000 });
    let timed_out = Some(Outcome::TimedOut { limit_ms: 1_800_000 });
    let table = [
        ("it works", m(20), None, Some(m(5)), None),
        ("silent, but its supervisor moves and keeps the limit", m(20), None, Some(m(5)), None),
        ("stopped for a moment", m(20), Some(m(4)), Some(m(5)), None),
        ("stopped for longer than it may be silent", m(20), Some(m(5)), Some(m(5)), stalled),
        ("stopped, and no stall limit", m(20), Some(m(20)), None, None),
        ("stopped for the whole of its time", m(30), Some(m(30)), None, timed_out.clone()),
        ("just beyond its time: its supervisor is ending it", m(31), None, Some(m(5)), None),
        ("far beyond its time", m(32), None, Some(m(5)), timed_out),
        // A night's suspend and a clock put forward don't count: the watch stood still or began anew.
        ("watched since a moment ago", Duration::ZERO, None, Some(m(5)), None),
    ];
    for (what, alive_for, stopped_for, stall, expected) in table {
        let watch = Watch { alive_for, stopped_for, timeout: m(30), stall };
        assert_eq!(overdue(&watch), expected, "{what}");
    }
    let endless = Watch {
        alive_for: Duration::from_hours(1 << 30),
        stopped_for: None,
        timeout: Duration::MAX,
        stall: None,
    };
    assert_eq!(overdue(&endless), None, "an endless limit is no limit");
}
