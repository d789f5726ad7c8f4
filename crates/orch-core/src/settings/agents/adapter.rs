//! Which sorts of agent program there are.

/// A sort of agent program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Adapter {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// OpenCode.
    Opencode,
    /// Qwen Code.
    Qwen,
    /// Any agent that speaks the Agent Client Protocol on stdio.
    Acp,
    /// Any program: brief on stdin, exit code out.
    Command,
    /// The built-in agent that plays a script.
    Scripted,
}

impl Adapter {
    /// Every adapter with its name in `orch.toml`.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Claude, "claude"),
        (Self::Codex, "codex"),
        (Self::Gemini, "gemini"),
        (Self::Opencode, "opencode"),
        (Self::Qwen, "qwen"),
        (Self::Acp, "acp"),
        (Self::Command, "command"),
        (Self::Scripted, "scripted"),
    ];

    /// The name in `orch.toml`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(adapter, _)| *adapter == self).map_or("", |(_, name)| name)
    }

    /// Looks an adapter up by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(adapter, _)| *adapter)
    }
}
