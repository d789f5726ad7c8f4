//! What people read: lines, tables and colours on a terminal, plain text and JSON elsewhere.

mod style;
mod table;
mod text;
mod time;

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

pub use style::Style;
pub use table::Table;
pub use text::{nearest, plain, plain_lines};
pub use time::{ago, moment, span, took};

use crate::env::Env;

/// The standard output of a command. Every method fails only where stdout does.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// The colours that stdout takes.
    pub style: Style,
    width: Option<usize>,
}

impl Out {
    /// The output as this environment wants it.
    pub fn new(env: &Env) -> Self {
        let width = if env.stdout_terminal { env.columns } else { None };
        Self { style: Style::for_stdout(env), width }
    }

    /// Writes one line.
    #[expect(clippy::unused_self, reason = "stdout is reached through this value alone")]
    pub fn line(&self, text: impl Display) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{text}")
    }

    /// Writes text as it is.
    #[expect(clippy::unused_self, reason = "stdout is reached through this value alone")]
    pub fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// Writes a value as indented JSON.
    pub fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(serde_json::to_string_pretty(value)?)?;
        Ok(())
    }

    /// Writes a value as one line of JSON.
    pub fn json_line(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(serde_json::to_string(value)?)?;
        Ok(())
    }

    /// Writes a table, or the given line where it has no rows.
    pub fn table(&self, table: &Table, empty: &str) -> io::Result<()> {
        if table.is_empty() {
            return self.line(self.style.dim(empty));
        }
        self.raw(table.render(self.style, self.width).as_bytes())
    }
}

/// Writes one line to stderr: what a person should know and a program that reads stdout not.
pub fn note(text: impl Display) {
    // A lost note must not fail the command.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
