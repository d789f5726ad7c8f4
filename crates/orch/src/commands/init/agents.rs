//! Coding agents on `PATH`, each with the command line that works it without a person.

use crate::env::Env;

/// A coding agent's command line tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentCli {
    /// The program.
    pub program: &'static str,
    /// How it is worked.
    pub by: By,
}

/// How a coding agent is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By the adapter of its name.
    Adapter,
    /// As a command, with these arguments for unattended work that reads the brief from stdin and
    /// may edit files.
    Command(&'static [&'static str]),
}

/// The agents that are looked for, in the order of preference.
pub const KNOWN: [AgentCli; 4] = [
    AgentCli { program: "claude", by: By::Adapter },
    AgentCli { program: "codex", by: By::Adapter },
    AgentCli { program: "opencode", by: By::Command(&["run", "--auto"]) },
    AgentCli { program: "gemini", by: By::Command(&["--approval-mode", "yolo", "--skip-trust"]) },
];

/// The known agents that are on `PATH`.
pub fn detect(env: &Env) -> Vec<AgentCli> {
    KNOWN.into_iter().filter(|agent| env.find_program(agent.program).is_some()).collect()
}
