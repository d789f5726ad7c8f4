//! What a situation has to come to: where the task rests, after which runs, and what `orch why` says.

use orch_testkit::agent_matrix::Observation;

/// What is expected of a program in a situation.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    /// The state in which the task comes to rest.
    rests: &'static str,
    /// The outcomes of its runs, in order.
    runs: &'static str,
    /// What `orch why` says among other things.
    why: &'static str,
    /// Whether its last run went on in the session of the one before.
    goes_on: bool,
    /// Why it is not what the situation comes to elsewhere; empty where it is.
    pub(crate) because: &'static str,
}

/// The gate judged, and there is nothing to complain of.
pub(crate) const GATE: Expected =
    Expected { rests: "done", runs: "suite_ran", why: "", goes_on: false, because: "" };
/// A person has to mend something.
pub(crate) const HELD: Expected = Expected { rests: "held", runs: "permanent_env", ..GATE };
/// Once more in a fresh session, then a person looks at it.
pub(crate) const STUCK: Expected = Expected { runs: "agent_stuck agent_stuck", ..HELD };
/// Tried again after a while, which is where the observation ends.
pub(crate) const TRANSIENT: Expected =
    Expected { rests: "deferred", runs: "transient_infra", ..GATE };
/// The account is paused until the provider's time.
pub(crate) const WAITS: Expected =
    Expected { runs: "rate_limited", why: "is paused until", ..TRANSIENT };

impl Expected {
    pub(crate) const fn says(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    pub(crate) const fn after(self, runs: &'static str) -> Self {
        Self { runs, ..self }
    }

    pub(crate) const fn goes_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    const fn because(self, because: &'static str) -> Self {
        Self { because, ..self }
    }

    /// Whether it is to be looked at no further than its first defer.
    pub(crate) fn defers(&self) -> bool {
        self.rests == "deferred"
    }

    /// What is otherwise; `None` where all is as expected.
    pub(crate) fn missed(&self, seen: &Observation) -> Option<String> {
        let runs = seen.outcomes.join(" ");
        let wrong = |what: &str, expected: &str, seen: &str| {
            Some(format!("{what}: expected {expected:?}, seen {seen:?}"))
        };
        if seen.state != self.rests {
            return wrong("state", self.rests, &seen.state);
        }
        if runs != self.runs {
            return wrong("runs", self.runs, &runs);
        }
        if !seen.why.contains(self.why) {
            return wrong("why", self.why, &seen.why);
        }
        if self.goes_on && !seen.session.contains("goes on") {
            return wrong("session", "goes on", &seen.session);
        }
        None
    }
}

/// What is expected of this program in this situation: the situation's own, or the program's
/// peculiarity with its reason.
pub(crate) fn expected(program: &str, situation: &str, general: Expected) -> Expected {
    let peculiar = PECULIAR.iter().find(|(programs, situations, _)| {
        programs.contains(&program) && situations.contains(&situation)
    });
    peculiar.map_or(general, |(_, _, expected)| *expected)
}

/// A fault that its program tells in no words that say whose it is.
const ERROR: Expected = TRANSIENT.says("the agent met an error");
/// A program that says that it is done where it is not.
const NOTHING: Expected = STUCK.says("left neither a change nor an artifact");
/// A program whose own patience ends before the silence that is allowed.
const PATIENCE: Expected =
    TRANSIENT.because("its own patience, set below the silence that is allowed, ends first");

/// Programs, situations, and what they come to there.
const PECULIAR: &[(&[&str], &[&str], Expected)] = &[
    (&["claude"], &["no answer", "the answer falls silent"], PATIENCE),
    (&["codex"], &["the answer falls silent"], PATIENCE),
    (
        &["codex"],
        &["a tool denied"],
        NOTHING.because("what its sandbox forbids is a command that failed"),
    ),
    (
        &["gemini", "opencode"],
        &["`kill -9` of the run"],
        GATE.after("lost suite_ran")
            .because("the service finds no session of its name, so the run begins afresh"),
    ),
    (
        &["gemini"],
        &["a tool denied"],
        NOTHING.because("a tool that its policy denies is one that it does not know"),
    ),
    (&["codex"], &["429 once"], WAITS.because("it gives up at the first 429")),
    (
        &["codex"],
        &["the answer is malformed"],
        GATE.because("it leaves the broken event out and goes on"),
    ),
    (&["codex"], &["refusal"], NOTHING.because("its stream does not tell a refusal")),
    (
        &["claude", "gemini", "qwen"],
        &["the answer is malformed"],
        ERROR.because("its words don't say whose fault it is"),
    ),
    (
        &["gemini", "qwen"],
        &["a web page", "an empty answer"],
        ERROR.because("its words don't say whose fault it is"),
    ),
    (&["gemini"], &["503"], ERROR.because("its words don't say whose fault it is")),
    (
        &["opencode"],
        &["the connection is dropped", "the answer is cut"],
        ERROR.because("its words don't say whose fault it is"),
    ),
    (&["gemini", "qwen"], &["refusal", "output limit"], NOTHING.because("it says that it is done")),
    (
        &["opencode"],
        &["a web page"],
        STUCK
            .says("the agent went in circles")
            .because("it asks again twice a second for ever; its broken steps are counted"),
    ),
];
