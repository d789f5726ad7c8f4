//! What a provider's fault comes to: outcome, next step, and what `orch why` says.

use crate::bed::{Bed, CLIS, DEVELOPMENT, work};

/// What a fault comes to at last.
struct Expected {
    scenario: &'static str,
    /// The state in which it comes to rest.
    state: &'static str,
    /// The outcomes of its runs.
    outcomes: &'static [&'static str],
    /// What `orch why` says.
    why: &'static str,
}

const HELD: &str = "held";
const STUCK: &[&str] = &["agent_stuck", "agent_stuck"];
const TWICE: &[&str] = &["transient_infra", "transient_infra"];

/// The budget is one defer: what passes by itself is tried twice, then held.
const FAULTS: &[Expected] = &[
    Expected {
        scenario: "401",
        state: HELD,
        outcomes: &["permanent_env"],
        why: "refuses the agent's login",
    },
    Expected { scenario: "529", state: HELD, outcomes: TWICE, why: "the provider is overloaded" },
    Expected {
        scenario: "429",
        state: "deferred",
        outcomes: &["rate_limited"],
        why: "is paused until",
    },
    Expected {
        scenario: "400",
        state: HELD,
        outcomes: &["permanent_env"],
        why: "does not take the agent's requests",
    },
    Expected { scenario: "ctx", state: HELD, outcomes: STUCK, why: "no longer fits the model" },
    Expected {
        scenario: "empty",
        state: HELD,
        outcomes: STUCK,
        why: "left neither a change nor an artifact",
    },
    Expected { scenario: "drop", state: HELD, outcomes: TWICE, why: "the provider" },
];

fn comes_to(cli: &str, expected: &Expected) {
    let what = format!("{cli} at {}", expected.scenario);
    let bed = Bed::new(cli, expected.scenario, DEVELOPMENT, "");
    let service = bed.orch.serve();
    bed.submit(&work(""));
    let mut why = bed.until(&[HELD, "done", "deferred"]);
    while why["state"] == "deferred" && bed.outcomes().len() < expected.outcomes.len() {
        why = bed.until(&[HELD, "done", "deferred"]);
    }
    if expected.state == HELD {
        why = bed.until(&[HELD, "done"]);
    }
    assert_eq!(why["state"], expected.state, "{what}: {why}");
    assert_eq!(bed.outcomes(), expected.outcomes, "{what}: {why}");
    assert!(why.to_string().contains(expected.why), "{what}: {why}");
    drop(service);
}

#[test]
fn each_fault_ends_in_the_right_outcome_and_says_why() {
    for expected in FAULTS {
        std::thread::scope(|scope| {
            for cli in CLIS {
                scope.spawn(move || comes_to(cli, expected));
            }
        });
    }
}

#[test]
fn a_refusal_gets_one_fresh_session_and_then_a_person() {
    let expected =
        Expected { scenario: "refusal", state: HELD, outcomes: STUCK, why: "refuses to go on" };
    comes_to("claude", &expected);
}

/// A provider that falls silent is ended by the stall limit or by the program's own shorter one.
#[test]
fn a_silent_provider_does_not_hold_a_task_for_ever() {
    std::thread::scope(|scope| {
        for cli in CLIS {
            for scenario in ["hang", "stall"] {
                scope.spawn(move || {
                    let bed = Bed::new(cli, scenario, DEVELOPMENT, "stall = \"6s\"");
                    let service = bed.orch.serve();
                    bed.submit(&work(""));
                    let why = bed.until(&["held"]);
                    let outcomes = bed.outcomes();
                    let silent = |o: &String| o == "stalled" || o == "transient_infra";
                    assert!(
                        outcomes.len() == 2 && outcomes.iter().all(silent),
                        "{cli} {scenario}: {outcomes:?} {why}"
                    );
                    drop(service);
                });
            }
        }
    });
}

/// An agent that calls the same tool for ever prints all the time; its steps are counted.
#[test]
fn an_agent_that_goes_in_circles_is_ended() {
    for cli in CLIS {
        let bed = Bed::new(cli, "ok", DEVELOPMENT, "repeats = 3");
        let service = bed.orch.serve();
        bed.submit(&"[[bash echo again]]\n".repeat(40));
        let why = bed.until(&["held", "done"]);
        assert_eq!(bed.outcomes(), STUCK, "{cli}: {why}");
        assert!(why.to_string().contains("the same step 4 times in a row"), "{cli}: {why}");
        drop(service);
    }
}

/// A tool that it may not use, and nothing done: somebody has to allow it.
#[test]
fn a_denied_tool_is_held_with_its_name() {
    let bed = Bed::new("claude", "ok", DEVELOPMENT, "");
    let service = bed.orch.serve();
    bed.submit(
        "[[tool WebFetch {\"url\":\"http://127.0.0.1:1/\",\"prompt\":\"x\"}]]\n[[say Can't.]]\n",
    );
    let why = bed.until(&["held", "done"]);
    assert!(why.to_string().contains("not allowed to use WebFetch"), "{why}");
    assert_eq!(bed.outcomes(), ["permanent_env"]);
    drop(service);
}
