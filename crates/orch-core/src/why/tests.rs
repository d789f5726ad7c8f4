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
    let standing = Standing {
        task,
        job: job.as_ref(),
        gate,
        workers,
        paused: None,
        cause: None,
        last_verdict: None,
        now: now(),
    };
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

/// A task that waits for a paused channel, and one that a shared fault holds, say what they share.
#[test]
fn a_shared_fault_is_named_with_those_who_share_it() {
    use crate::breaker::{Channel, Held, Signature};
    let (task, gate, workers) = (task("review"), GateView::default(), WorkersView::default());
    let signature =
        Signature { channel: Channel::Ssh("deploy@staging".into()), fault: "it is down".into() };
    let id = signature.cause();
    let paused = Paused {
        signature: signature.clone(),
        said: "it is down since noon".into(),
        since: now(),
        probe_at: now(),
        probing: None,
        probes: 2,
    };
    let held_one = |key: &str| Held { key: key.parse().unwrap(), mended: false };
    let both = vec![held_one("HELLO-1"), held_one("HELLO-2")];
    let cause = Cause { signature, said: "it is down".into(), held: both };
    let ask = |state: JobState| {
        let job = job("review", "reviewer", state);
        let why = why(&Standing {
            task: &task,
            job: Some(&job),
            gate: &gate,
            workers: &workers,
            paused: Some(&paused),
            cause: Some(&cause),
            last_verdict: None,
            now: now(),
        });
        format!(
            "{} | {} | {} | {}",
            why.state.word(),
            why.headline,
            why.reasons.join("; "),
            why.next
        )
    };
    let waits = ask(queued(600, None));
    assert!(
        waits.starts_with("channel_paused | review waits: ssh to deploy@staging is paused since"),
        "{waits}"
    );
    assert!(
        waits.contains("it is down since noon; it waits with the others and burns no budget"),
        "{waits}"
    );
    assert!(waits.contains("`orch task retry HELLO-1` probes now"), "{waits}");
    let holds = ask(held(HoldKind::Infra, "it is down"));
    assert!(holds.contains(&format!("the same fault holds HELLO-2 (cause {id})")), "{holds}");
    assert!(
        holds.ends_with(&format!(
            "`orch task retry HELLO-1`, or `orch task retry --cause {id}` for all"
        )),
        "{holds}"
    );
}
