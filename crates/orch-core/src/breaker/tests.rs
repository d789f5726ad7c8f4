use proptest::prelude::*;

use super::*;
use crate::ids::{AgentName, RepoName, StageName};
use crate::outcome::Outcome;
use crate::testing::now;

fn permanent(reason: &str) -> Option<String> {
    fault_of(&Outcome::PermanentEnv { reason: reason.into() })
}

#[test]
fn the_same_fault_has_the_same_words_whatever_the_run() {
    for (one, other, same) in [
        (
            "the docker daemon does not answer: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
            "the docker daemon does not answer: Cannot connect to the Docker daemon at unix:///run/user/1/docker.sock.",
            true,
        ),
        (
            "command not found: sh: 1: docker: not found",
            "command not found: sh: 12: docker: not found",
            true,
        ),
        (
            "command not found: sh: 1: docker: not found",
            "command not found: sh: 1: node: not found",
            false,
        ),
        (
            "the disk is full: /tmp/a1: No space left on device",
            "the disk is full: /tmp/b: No space left on device",
            true,
        ),
        ("git: the branch orch/HELLO-1 is gone", "git: the branch orch/HELLO-2 is gone", true),
        ("a connection was refused: x", "a connection timed out: x", false),
    ] {
        assert_eq!(
            permanent(one) == permanent(other),
            same,
            "{one} | {other}: {:?}",
            permanent(one)
        );
    }
    let transient = fault_of(&Outcome::TransientInfra { reason: "the disk is full".into() });
    assert_eq!(transient, permanent("the disk is full"), "a fault is one, however it is met");
}

/// What may lie in one task's own work is no fault of the channel that all go through.
#[test]
fn only_known_faults_of_infrastructure_are_shared() {
    let reason = || "exit code 1".to_owned();
    for outcome in [
        Outcome::SuiteRan { exit_code: 1 },
        Outcome::Unproven { reason: reason() },
        Outcome::Unknown { reason: reason() },
        Outcome::RateLimited { until: now() },
        Outcome::TimedOut { limit_ms: 1 },
        Outcome::Stalled { limit_ms: 1 },
        Outcome::Lost { reason: reason() },
        Outcome::Cancelled,
        Outcome::PermanentEnv { reason: "  ".into() },
    ] {
        assert_eq!(fault_of(&outcome), None, "{outcome:?}");
    }
}

#[test]
fn two_tasks_or_three_times_within_the_window_trip() {
    let rule = Rule::default();
    let met = |task, minutes_ago: i64| Met {
        task: TaskId(task),
        at: now() - jiff::SignedDuration::from_mins(minutes_ago),
    };
    assert!(!rule.trips(&[]));
    assert!(!rule.trips(&[met(1, 0)]));
    assert!(!rule.trips(&[met(1, 0), met(1, 5)]));
    assert!(rule.trips(&[met(1, 0), met(1, 5), met(1, 9)]));
    assert!(rule.trips(&[met(1, 0), met(2, 5)]));
    assert!(!Rule { enabled: false, ..rule }.trips(&[met(1, 0), met(2, 5)]));
    let thirty = now() - jiff::SignedDuration::from_mins(30);
    let five = now() - jiff::SignedDuration::from_mins(5);
    assert_eq!(rule.counts_after(None, now()), thirty);
    assert_eq!(rule.counts_after(Some(five), now()), five, "what was mended counts no more");
}

#[test]
fn channels_and_causes_are_read_back() {
    let (repo, stage) = (RepoName::new("hello.x").unwrap(), StageName::new("testing").unwrap());
    let agent = |name| AgentName::new(name).unwrap();
    for channel in [
        Channel::of_job(&repo, &stage, &agent("test-runner")),
        Channel::of_job(&repo, &stage, &agent("developer")),
        Channel::Ssh("deploy@staging:22".into()),
        Channel::Provider("claude".into()),
    ] {
        assert_eq!(channel.to_string().parse(), Ok(channel.clone()));
        let cause = Signature { channel, fault: "it is gone".into() }.cause();
        assert_eq!(cause.to_string().parse(), Ok(cause));
    }
    for bad in ["", "runner", "runner:", "runner:a", "runner:a/B", "agent:../x/y", "pigeon:x"] {
        assert!(bad.parse::<Channel>().is_err(), "{bad}");
    }
    for bad in ["", "1234567", "123456789", "1234567G", "ABCDEF12"] {
        assert!(bad.parse::<CauseId>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_words_make_a_bounded_fault_that_stays_as_it_is(reason: String) {
        if let Some(fault) = permanent(&reason) {
            prop_assert!(fault.chars().count() <= 200);
            prop_assert!(!fault.contains(|c: char| c.is_ascii_digit()), "{fault}");
        }
    }

    /// Numbers and paths never tell two faults apart.
    #[test]
    fn what_differs_from_run_to_run_does_not_count(a: u32, b: u32, p in "[a-z0-9]{1,9}", q in "[a-z0-9]{1,9}") {
        let said = |n: u32, path: &str| permanent(&format!("line {n}: /tmp/{path} in run-{n}x: is full"));
        prop_assert_eq!(said(a, &p), said(b, &q));
    }
}
