//! How each program is kept from a tool, which is a matter of its own settings.

use crate::situations::{DENIED, Situation};

/// What keeps a program from a tool.
pub(crate) struct Denied {
    /// Calls the tool.
    pub(crate) script: &'static str,
    /// Further settings of `[agents.default]`.
    pub(crate) settings: &'static str,
}

/// A policy of Gemini CLI's.
pub(crate) const POLICY: &str =
    "[[rule]]\ntoolName = \"web_fetch\"\ndecision = \"deny\"\npriority = 900\n";

/// `None` for a program that can't be kept from a tool where nobody is asked.
pub(crate) fn denied(program: &str) -> Option<Denied> {
    Some(match program {
        "claude" => Denied {
            script: "[[tool WebFetch {\"url\":\"http://127.0.0.1:1/\",\"prompt\":\"x\"}]]",
            settings: "",
        },
        // It has one tool that does everything, and a sandbox around that one.
        "codex" => Denied { script: "[[bash echo x > /etc/orch-was-here]]", settings: "" },
        "gemini" => Denied {
            script: "[[tool web_fetch {\"prompt\":\"look at http://127.0.0.1:1/\"}]]",
            settings: "args = [\"--policy\", \"{root}/policy.toml\"]",
        },
        "opencode" => Denied { script: "[[bash curl -s http://127.0.0.1:1/]]", settings: "" },
        "qwen" => Denied {
            script: "[[tool web_fetch {\"url\":\"http://127.0.0.1:1/\",\"prompt\":\"x\"}]]",
            settings: "args = [\"--exclude-tools\", \"web_fetch\"]",
        },
        _ => return None,
    })
}

/// Whether the situation can be made for this program.
pub(crate) fn can_be_made(program: &str, situation: &Situation) -> bool {
    situation.name != DENIED || denied(program).is_some()
}
