//! Coding agents on `PATH`, each with the command line that works it without a person.

use crate::env::Env;

/// A coding agent's command line tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentCli {
    /// The program.
    pub program: &'static str,
    /// Its arguments for unattended work that reads the brief from stdin and may edit files.
    pub args: &'static [&'static str],
}

/// The agents that are looked for, in the order of preference.
pub const KNOWN: [AgentCli; 4] = [
    AgentCli {
        program: "claude",
        args: &["-p", "--permission-mode", "acceptEdits", "--allowedTools", "Bash"],
    },
    AgentCli { program: "codex", args: &["exec", "-s", "workspace-write"] },
    AgentCli { program: "opencode", args: &["run", "--auto"] },
    AgentCli { program: "gemini", args: &["--approval-mode", "yolo", "--skip-trust"] },
];

impl AgentCli {
    /// The whole argument vector.
    pub fn argv(&self) -> Vec<&'static str> {
        std::iter::once(self.program).chain(self.args.iter().copied()).collect()
    }
}

/// The known agents that are on `PATH`.
pub fn detect(env: &Env) -> Vec<AgentCli> {
    KNOWN.into_iter().filter(|agent| env.find_program(agent.program).is_some()).collect()
}
