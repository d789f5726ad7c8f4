//! What the programs are put through, and what each situation has to come to.

use crate::expected::{Expected, GATE, HELD, STUCK, TRANSIENT, WAITS};

/// A situation.
pub(crate) struct Situation {
    pub(crate) name: &'static str,
    /// The provider's scenario.
    pub(crate) scenario: &'static str,
    /// Directives before those that do the work.
    pub(crate) first: &'static str,
    /// Whether the work is done in the end.
    pub(crate) works: bool,
    /// Further settings of the agent.
    pub(crate) settings: &'static str,
    /// What is killed while a tool runs.
    pub(crate) killed: Option<Killed>,
    /// How long it may print nothing.
    pub(crate) silence: Silence,
    /// What it comes to where a program has no peculiarity.
    pub(crate) expected: Expected,
}

/// What is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Killed {
    /// The service; a new one is started.
    Service,
    /// The supervisor of the run, and all it holds with it.
    Supervisor,
}

/// Which silence of a program is ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// A short one: what is to be seen is that it is ended.
    Short,
    /// One that is longer than a program's own patience: what is to be seen is what it says then.
    Long,
}

/// The situation in which the program is not allowed to use a tool.
pub(crate) const DENIED: &str = "a tool denied";
/// A tool that runs until it is let go.
const WAIT: &str = "[[bash touch {begun}; while [ ! -e {go} ]; do sleep 0.1; done]]\n";

const PLAIN: Situation = Situation {
    name: "",
    scenario: "ok",
    first: "",
    works: true,
    settings: "",
    killed: None,
    silence: Silence::Long,
    expected: GATE,
};

const fn fault(name: &'static str, scenario: &'static str, expected: Expected) -> Situation {
    Situation { name, scenario, expected, ..PLAIN }
}

const fn silent(name: &'static str, scenario: &'static str, expected: Expected) -> Situation {
    Situation { silence: Silence::Short, ..fault(name, scenario, expected) }
}

const fn idle(name: &'static str, first: &'static str, why: &'static str) -> Situation {
    Situation { name, first, works: false, expected: STUCK.says(why), ..PLAIN }
}

/// All of them.
pub(crate) const SITUATIONS: &[Situation] = &[
    fault("a good day", "ok", GATE),
    idle("nothing done", "[[say Nothing to do.]]", "left neither a change nor an artifact"),
    idle(
        "an unknown tool",
        "[[tool Nowhere {\"a\": 1}]] [[say I can't.]]",
        "left neither a change nor an artifact",
    ),
    Situation {
        name: DENIED,
        works: false,
        expected: HELD.says("was not allowed to use"),
        ..PLAIN
    },
    Situation {
        settings: "repeats = 3",
        ..idle(
            "in circles",
            "[[bash echo again]] [[bash echo again]] [[bash echo again]] [[bash echo again]] \
             [[bash echo again]] [[bash echo again]] [[bash echo again]] [[bash echo again]]",
            "the agent went in circles",
        )
    },
    Situation {
        name: "`kill -9` of the service",
        first: WAIT,
        killed: Some(Killed::Service),
        ..PLAIN
    },
    Situation {
        name: "`kill -9` of the run",
        first: WAIT,
        killed: Some(Killed::Supervisor),
        expected: GATE.after("lost suite_ran").goes_on(),
        ..PLAIN
    },
    Situation {
        name: "529 after some work",
        first: "[[write a.txt|x]] [[fault 529]]",
        expected: TRANSIENT.says("the provider is overloaded"),
        ..PLAIN
    },
    fault("400", "400", HELD.says("does not take the agent's requests")),
    fault("401", "401", HELD.says("refuses the agent's login")),
    fault("403", "403", HELD.says("refuses the agent's login")),
    fault("404", "404", HELD.says("does not take the agent's requests")),
    fault("429", "429", WAITS),
    fault("429, retry after 2 s", "429ra:2", WAITS),
    fault("500", "500", TRANSIENT.says("the provider is overloaded")),
    fault("503", "503", TRANSIENT.says("the provider is overloaded")),
    fault("529", "529", TRANSIENT.says("the provider is overloaded")),
    fault("529 once", "flaky:529:1", GATE),
    fault("429 once", "flaky:429:1", GATE),
    silent("no answer", "hang", TRANSIENT.after("stalled")),
    silent("the answer falls silent", "stall", TRANSIENT.after("stalled")),
    fault("the answer is cut", "cut", TRANSIENT.says("could not be reached or broke off")),
    fault("the connection is dropped", "drop", TRANSIENT.says("could not be reached or broke off")),
    fault(
        "the answer is malformed",
        "malformed",
        TRANSIENT.says("could not be reached or broke off"),
    ),
    fault("a web page", "html", TRANSIENT.says("could not be reached or broke off")),
    fault("an empty answer", "empty", STUCK.says("left neither a change nor an artifact")),
    fault("context overflow", "ctx", STUCK.says("no longer fits the model")),
    fault("refusal", "refusal", STUCK.says("the model refuses to go on")),
    fault("output limit", "maxtok", STUCK.says("an answer reached the model's longest")),
];
