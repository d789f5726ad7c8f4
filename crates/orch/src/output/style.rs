//! Colours: only on a terminal, never against `NO_COLOR`.

use crate::env::Env;

/// Whether and how text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    coloured: bool,
}

macro_rules! colours {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl Style {
            $($(#[$doc])*
            pub fn $name(self, text: &str) -> String {
                self.paint($code, text)
            })*
        }
    };
}

colours! {
    /// Stands out.
    bold = "1";
    /// Stands back.
    dim = "2";
    /// Went wrong.
    red = "31";
    /// Went well.
    green = "32";
    /// Wants attention.
    yellow = "33";
    /// Is at work, or is a pointer.
    cyan = "36";
}

impl Style {
    /// No colour at all.
    pub fn plain() -> Self {
        Self { coloured: false }
    }

    /// What stdout takes.
    pub fn for_stdout(env: &Env) -> Self {
        Self { coloured: env.stdout_terminal && !env.no_color }
    }

    /// What stderr takes.
    pub fn for_stderr(env: &Env) -> Self {
        Self { coloured: env.stderr_terminal && !env.no_color }
    }

    /// Colours a word by what it says of a task, job or check.
    pub fn state(self, word: &str) -> String {
        match word {
            "done" | "succeeded" | "ok" | "pass" | "up" => self.green(word),
            "running" | "ready" => self.cyan(word),
            "failed" | "fail" | "refused" | "down" | "inconsistent" => self.red(word),
            "held" | "paused" | "frozen" | "warn" | "deferred" | "waiting_for_human" => {
                self.yellow(word)
            }
            "cancelled" => self.dim(word),
            _ => word.to_owned(),
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
