//! Coding agents on `PATH`, each worked by the adapter of its name.

use crate::env::Env;

/// A coding agent's command line tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentCli {
    /// The program, which is the adapter's name too.
    pub program: &'static str,
}

/// The agents that are looked for, in the order of preference.
pub const KNOWN: [AgentCli; 5] = [
    AgentCli { program: "claude" },
    AgentCli { program: "codex" },
    AgentCli { program: "opencode" },
    AgentCli { program: "gemini" },
    AgentCli { program: "qwen" },
];

/// The known agents that are on `PATH`.
pub fn detect(env: &Env) -> Vec<AgentCli> {
    KNOWN.into_iter().filter(|agent| env.find_program(agent.program).is_some()).collect()
}
