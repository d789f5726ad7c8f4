//! What the programs are put through.

use std::time::Duration;

/// A situation.
pub(crate) struct Situation {
    /// Its name, that of the file.
    pub(crate) name: &'static str,
    /// The provider's scenario.
    pub(crate) scenario: &'static str,
    /// What the program is asked.
    pub(crate) prompt: &'static str,
    /// What it is asked afterwards, in the same session; that alone is written down.
    pub(crate) then: Option<&'static str>,
    /// It is killed after so long.
    pub(crate) limit: Duration,
}

const WORK: &str = "Do it. [[say I begin]] [[write notes/a.txt|one\\ntwo\\n]] \
                    [[bash echo hi > b.txt; ls]] [[bash echo bad >&2; exit 3]] [[say All is done]]";
/// Long enough for the programs' own few attempts.
const LONG: Duration = Duration::from_mins(1);
/// Long enough to see that nothing comes.
const SHORT: Duration = Duration::from_secs(15);

const fn fault(name: &'static str, scenario: &'static str) -> Situation {
    Situation { name, scenario, prompt: WORK, then: None, limit: LONG }
}

const fn asked(name: &'static str, prompt: &'static str) -> Situation {
    Situation { name, scenario: "ok", prompt, then: None, limit: LONG }
}

/// All of them.
pub(crate) const SITUATIONS: &[Situation] = &[
    asked("ok", WORK),
    asked("nothing-done", "Do it. [[say There is nothing to do]]"),
    asked("unknown-tool", "Do it. [[tool Nowhere {\"a\": 1}]] [[say Done]]"),
    asked("outside", "Do it. [[write ../a.txt|x]] [[bash echo x > ../b.txt]] [[say Done]]"),
    asked("fault-after-work", "Do it. [[write a.txt|x]] [[fault 529]] [[bash ls]]"),
    asked("rate-limit-after-work", "Do it. [[write a.txt|x]] [[fault 429ra:3]] [[bash ls]]"),
    asked("overflow-after-work", "Do it. [[write a.txt|x]] [[fault ctx]] [[bash ls]]"),
    Situation {
        name: "resumed",
        scenario: "ok",
        prompt: WORK,
        then: Some("Go on. [[bash ls]] [[say Now it is done]]"),
        limit: LONG,
    },
    fault("400", "400"),
    fault("401", "401"),
    fault("403", "403"),
    fault("404", "404"),
    fault("429", "429"),
    fault("429ra-2", "429ra:2"),
    fault("500", "500"),
    fault("503", "503"),
    fault("529", "529"),
    fault("flaky-429-1", "flaky:429:1"),
    fault("flaky-529-1", "flaky:529:1"),
    Situation { name: "hang", scenario: "hang", prompt: WORK, then: None, limit: SHORT },
    Situation { name: "stall", scenario: "stall", prompt: WORK, then: None, limit: SHORT },
    Situation { name: "cut", scenario: "cut", prompt: WORK, then: None, limit: SHORT },
    fault("drop", "drop"),
    fault("malformed", "malformed"),
    Situation { name: "html", scenario: "html", prompt: WORK, then: None, limit: SHORT },
    fault("empty", "empty"),
    fault("ctx", "ctx"),
    fault("refusal", "refusal"),
    fault("maxtok", "maxtok"),
];
