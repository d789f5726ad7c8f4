use super::*;
use crate::testing::now;

const CLI: Demands = Demands { closing: true, change: true };
const PLAIN: Demands = Demands { closing: false, change: false };

fn exit(cause: ExitCause) -> RunExit {
    RunExit {
        cause,
        started_at: now(),
        finished_at: now(),
        stdout_tail: String::new(),
        stderr_tail: "boom".into(),
        lines: 0,
        survivors_killed: 0,
    }
}

fn code(code: i32) -> ExitCause {
    ExitCause::Exited { code }
}

fn closed(ok: bool) -> Told {
    Told { closed: Some(ok), ..Told::default() }
}

fn fault(fault: Fault, closed: Option<bool>) -> Told {
    let reported = Reported { fault, said: "words".into() };
    Told { closed, fault: Some(reported), ..Told::default() }
}

/// Cause, what was told, what is asked, whether anything changed; the class and the outcome.
type Row = (ExitCause, Told, Demands, bool, &'static str, &'static str);

#[test]
fn every_end_has_its_class_and_its_outcome() {
    let denied = Told { denied: vec!["WebFetch".into()], ..closed(true) };
    let stalled = ExitCause::Stalled { limit_ms: 5 };
    let looping = ExitCause::Looping { steps: 9, same: true };
    let table: Vec<Row> = vec![
        (code(0), closed(true), CLI, true, "done", "suite_ran"),
        (code(0), closed(true), CLI, false, "nothing_done", "agent_stuck"),
        (code(0), closed(true), PLAIN, false, "done", "suite_ran"),
        (code(0), Told::default(), PLAIN, false, "done", "suite_ran"),
        (code(0), Told::default(), CLI, true, "unfinished", "transient_infra"),
        (code(0), closed(false), CLI, true, "error", "transient_infra"),
        (code(0), denied.clone(), CLI, false, "tool_denied", "permanent_env"),
        (code(0), denied, CLI, true, "done", "suite_ran"),
        (code(1), closed(true), CLI, true, "crashed", "transient_infra"),
        (code(1), Told::default(), CLI, true, "crashed", "transient_infra"),
        (code(127), Told::default(), CLI, false, "crashed", "permanent_env"),
        (
            code(1),
            fault(Fault::AuthBroken, Some(false)),
            CLI,
            false,
            "auth_broken",
            "permanent_env",
        ),
        (
            code(1),
            fault(Fault::BadRequest, Some(false)),
            CLI,
            false,
            "bad_request",
            "permanent_env",
        ),
        (
            code(1),
            fault(Fault::Overloaded, Some(false)),
            CLI,
            true,
            "overloaded",
            "transient_infra",
        ),
        (code(1), fault(Fault::Unreachable, None), CLI, true, "unreachable", "transient_infra"),
        (
            code(1),
            fault(Fault::RateLimited, Some(false)),
            CLI,
            true,
            "rate_limited",
            "rate_limited",
        ),
        (code(1), fault(Fault::RateLimited, None), PLAIN, true, "rate_limited", "rate_limited"),
        (code(0), fault(Fault::RateLimited, None), PLAIN, true, "done", "suite_ran"),
        (
            code(1),
            fault(Fault::ContextOverflow, Some(false)),
            CLI,
            true,
            "context_overflow",
            "agent_stuck",
        ),
        (code(1), fault(Fault::Refusal, Some(false)), CLI, true, "refusal", "agent_stuck"),
        (code(0), fault(Fault::Refusal, Some(false)), CLI, true, "refusal", "agent_stuck"),
        (code(1), fault(Fault::OutputLimit, Some(false)), CLI, true, "output_limit", "agent_stuck"),
        (code(1), fault(Fault::SessionGone, None), CLI, true, "session_gone", "agent_stuck"),
        (code(1), fault(Fault::Other, None), CLI, true, "error", "transient_infra"),
        (stalled.clone(), Told::default(), CLI, true, "stalled", "stalled"),
        (stalled.clone(), closed(true), CLI, true, "done", "suite_ran"),
        (
            stalled.clone(),
            fault(Fault::RateLimited, None),
            CLI,
            true,
            "rate_limited",
            "rate_limited",
        ),
        (stalled, fault(Fault::Overloaded, None), CLI, true, "overloaded", "transient_infra"),
        (ExitCause::TimedOut { limit_ms: 5 }, Told::default(), CLI, true, "timed_out", "timed_out"),
        (looping, closed(true), CLI, true, "looping", "agent_stuck"),
        (
            ExitCause::Signaled { signal: 9 },
            Told::default(),
            CLI,
            true,
            "crashed",
            "transient_infra",
        ),
        (ExitCause::Signaled { signal: 11 }, closed(true), CLI, true, "crashed", "transient_infra"),
        (ExitCause::Cancelled, closed(true), CLI, true, "cancelled", "cancelled"),
        (
            ExitCause::SpawnFailed { message: "ENOENT".into(), missing: true },
            Told::default(),
            CLI,
            false,
            "permanent_env",
            "permanent_env",
        ),
    ];
    for (cause, told, demands, changed, class, kind) in table {
        let end = AgentEnd::of(&exit(cause.clone()), &told, demands, changed);
        assert_eq!(end.word(), class, "{cause:?} {told:?} changed {changed}");
        let outcome = end.outcome(false);
        assert_eq!(outcome.kind(), kind, "{cause:?} {told:?} gave {outcome:?}");
    }
}

#[test]
fn patience_lasts_as_long_as_was_asked_or_a_minute() {
    let until = now() + jiff::SignedDuration::from_hours(3);
    let mut told = fault(Fault::RateLimited, Some(false));
    let wait = |told: &Told| AgentEnd::of(&exit(code(1)), told, CLI, true);
    assert_eq!(wait(&told), AgentEnd::RateLimited { until: now() + RATE_LIMIT_WAIT });
    told.patience_until = Some(until);
    assert_eq!(wait(&told), AgentEnd::RateLimited { until });
}

#[test]
fn reasons_say_what_happened_and_are_bounded() {
    let said = "x".repeat(100_000);
    let end = AgentEnd::Faulty(Reported { fault: Fault::AuthBroken, said });
    let Outcome::PermanentEnv { reason } = end.outcome(false) else { panic!("{end:?}") };
    assert!(reason.starts_with("the provider refuses the agent's login") && reason.len() < 500);
    let looping = AgentEnd::Looping { steps: 25, same: true }.outcome(true);
    assert_eq!(
        looping,
        Outcome::AgentStuck {
            how: Stuck::Looping,
            reason: "the agent went in circles: the same step 25 times in a row".into(),
            again: true
        }
    );
}
