use super::*;
use crate::task::Pause;
use crate::testing::{job, now, revision, running, task};

fn ask(
    task: &Task,
    state: impl Into<Option<JobState>>,
    gate: &GateView,
    workers: &WorkersView,
) -> String {
    let job = state.into().map(|state| job("review", "reviewer", state));
    let standing =
        Standing { task, job: job.as_ref(), gate, workers, last_verdict: None, now: now() };
    let why = why(&standing);
    format!("{} | {} | {} | {}", why.state.word(), why.headline, why.reasons.join("; "), why.next)
}

fn queued(after_s: i64, reason: Option<&str>) -> JobState {
    let available_at = now() + jiff::SignedDuration::from_secs(after_s);
    JobState::Queued { available_at, reason: reason.map(Into::into) }
}

fn held(kind: HoldKind, reason: &str) -> JobState {
    JobState::Held { hold: Hold { kind, reason: reason.into() }, since: now() }
}

/// Every standing that a user may ask about has an answer which names the cause and the remedy.
#[test]
fn every_standing_names_its_cause_and_what_moves_it() {
    let gate = GateView {
        enabled: true,
        width: 1,
        holders: vec!["HELLO-7".parse().unwrap()],
        ..GateView::default()
    };
    let frozen = GateView { frozen: Some((now(), Some("release week".into()))), ..gate.clone() };
    let free = WorkersView { alive: 1, capacity: 2, ..WorkersView::default() };
    let busy = WorkersView { alive: 1, capacity: 1, running: 1, ..WorkersView::default() };
    let inside = task("review");
    let outside = Task { gate_slot: None, ..inside.clone() };
    let paused =
        Task { paused: Some(Pause { at: now(), reason: Some("lunch".into()) }), ..outside.clone() };
    let mut done = Task { state: TaskState::Done { at: now() }, ..outside.clone() };
    done.progress.merged = Some(revision('a'));
    let none = WorkersView::default();
    let table = [
        (
            ask(&outside, queued(0, None), &gate, &free),
            "waiting_at_gate | waits at the serial gate of hello, 1 ahead | HELLO-7 inside",
            "the end of HELLO-7",
        ),
        (
            ask(&outside, queued(0, None), &frozen, &free),
            "frozen | hello is frozen since 2027-01-15T08:00:00Z | hello is frozen: release week",
            "`orch gate unfreeze hello`",
        ),
        (
            ask(&paused, queued(0, None), &gate, &free),
            "paused | paused since 2027-01-15T08:00:00Z | paused: lunch",
            "`orch gate resume HELLO-1`",
        ),
        (
            ask(&inside, running(), &gate, &free),
            "running | reviewer works on review | run r-",
            "check_review_approved decides",
        ),
        (
            ask(&inside, queued(60, Some("dns")), &gate, &free),
            "deferred | review deferred until 2027-01-15T08:01:00Z | it is in the queue because: dns",
            "`orch task retry HELLO-1` makes it due now",
        ),
        (
            ask(&inside, queued(0, None), &gate, &free),
            "ready | review is next, and a worker is free",
            "within a moment",
        ),
        (
            ask(&inside, queued(0, None), &gate, &busy),
            "ready | review is next, but all workers are busy: 1 of 1 runs",
            "the end of one of the runs",
        ),
        (
            ask(&inside, queued(0, None), &gate, &none),
            "ready | review is next, but no worker is alive",
            "start a worker",
        ),
        (
            ask(&inside, held(HoldKind::Infra, "no docker"), &gate, &free),
            "held | held at review since 2027-01-15T08:00:00Z | no docker",
            "mend the fault, then `orch task retry HELLO-1`",
        ),
        (
            ask(&inside, held(HoldKind::Approval, "look"), &gate, &free),
            "waiting_for_human | waits for approval at review",
            "`orch task approve HELLO-1`",
        ),
        (
            ask(&inside, held(HoldKind::Question, "which?"), &gate, &free),
            "waiting_for_human | waits for an answer at review",
            "`orch task answer HELLO-1 TEXT`",
        ),
        (
            ask(&inside, held(HoldKind::Budget, "used up"), &gate, &free),
            "held | held at review",
            "for a fresh budget",
        ),
        (
            ask(&done, None, &gate, &free),
            "done | done since 2027-01-15T08:00:00Z | its branch landed as aaaaaaaaaa",
            "it is over",
        ),
        (
            ask(&inside, None, &gate, &free),
            "inconsistent | an open task without an active job",
            "the reconciler",
        ),
    ];
    for (answer, begins, ends) in table {
        assert!(answer.starts_with(begins), "{answer}\n  does not begin with\n{begins}");
        assert!(
            answer.rsplit(" | ").next().unwrap().contains(ends),
            "{answer}\n  does not end with\n{ends}"
        );
    }
}

#[test]
fn a_run_that_was_paused_under_way_says_so() {
    let paused = Task { paused: Some(Pause { at: now(), reason: None }), ..task("review") };
    let answer = ask(&paused, running(), &GateView::default(), &WorkersView::default());
    assert!(answer.contains("this run goes on to its end, then the task steps aside"), "{answer}");
}
