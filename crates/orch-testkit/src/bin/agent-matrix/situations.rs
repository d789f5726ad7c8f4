//! What the programs are put through.

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
}

/// What is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Killed {
    /// The service; a new one is started.
    Service,
    /// The supervisor of the run, and all it holds with it.
    Supervisor,
}

const PLAIN: Situation =
    Situation { name: "", scenario: "ok", first: "", works: true, settings: "", killed: None };

const fn fault(name: &'static str, scenario: &'static str) -> Situation {
    Situation { name, scenario, ..PLAIN }
}

/// A tool that runs until it is let go.
pub(crate) const WAIT: &str = "[[bash touch {begun}; while [ ! -e {go} ]; do sleep 0.1; done]]\n";

/// All of them.
pub(crate) const SITUATIONS: &[Situation] = &[
    fault("done", "ok"),
    Situation { name: "nothing done", works: false, first: "[[say Nothing to do.]]", ..PLAIN },
    Situation {
        name: "unknown tool",
        works: false,
        first: "[[tool Nowhere {\"a\": 1}]] [[say I can't.]]",
        ..PLAIN
    },
    Situation {
        name: "going in circles",
        works: false,
        first: "[[bash echo again]] [[bash echo again]] [[bash echo again]] [[bash echo again]] \
                [[bash echo again]] [[bash echo again]] [[bash echo again]] [[bash echo again]]",
        settings: "repeats = 3",
        ..PLAIN
    },
    Situation { name: "overloaded after work", first: "[[write a.txt|x]] [[fault 529]]", ..PLAIN },
    Situation { name: "service killed", first: WAIT, killed: Some(Killed::Service), ..PLAIN },
    Situation { name: "run killed", first: WAIT, killed: Some(Killed::Supervisor), ..PLAIN },
    fault("400", "400"),
    fault("401", "401"),
    fault("403", "403"),
    fault("404", "404"),
    fault("429", "429"),
    fault("429, retry after 2 s", "429ra:2"),
    fault("500", "500"),
    fault("503", "503"),
    fault("529", "529"),
    fault("529 once", "flaky:529:1"),
    fault("429 once", "flaky:429:1"),
    fault("no answer", "hang"),
    fault("answer falls silent", "stall"),
    fault("answer cut", "cut"),
    fault("connection dropped", "drop"),
    fault("answer malformed", "malformed"),
    fault("a web page", "html"),
    fault("empty answer", "empty"),
    fault("context overflow", "ctx"),
    fault("refusal", "refusal"),
    fault("output limit", "maxtok"),
];
