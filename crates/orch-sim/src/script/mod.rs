//! Scripts: scenarios as text. The first line lays the world out, each further one is a directive;
//! `#` begins a comment. The transcript of a script is what happened, line by line.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};

use crate::directive::Directive;
use crate::judge::Violation;
use crate::plant::Plant;
use crate::run::{Session, Stop};
use crate::world::Setup;

/// A script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The world's layout.
    pub setup: Setup,
    /// The directives, each with its line as it was written.
    pub lines: Vec<(String, Option<Directive>)>,
}

impl Script {
    /// Reads a script; an error names the line.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut setup = None;
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let code = line.split('#').next().unwrap_or_default().trim();
            let directive = if code.is_empty() {
                None
            } else if setup.is_none() {
                let read = code.parse().map_err(anyhow::Error::msg);
                setup = Some(read.with_context(|| format!("line {}", number + 1))?);
                None
            } else {
                let read = code.parse().map_err(anyhow::Error::msg);
                Some(read.with_context(|| format!("line {}", number + 1))?)
            };
            lines.push((line.trim_end().to_owned(), directive));
        }
        let Some(setup) = setup else { bail!("the script is empty; it begins with `world`") };
        Ok(Self { setup, lines })
    }

    /// Performs it; the transcript holds the script's own lines with what happened below each.
    pub fn play(&self, plant: Option<Plant>) -> anyhow::Result<(String, Option<Violation>)> {
        let mut session = Session::new(self.setup, plant)?;
        let mut text = String::new();
        for (line, directive) in &self.lines {
            text.push_str(line);
            text.push('\n');
            let Some(directive) = directive else { continue };
            session.transcript = Some(Vec::new());
            let done = session.perform(directive);
            for said in session.transcript.take().unwrap_or_default() {
                text.push_str(&said);
                text.push('\n');
            }
            match done {
                Ok(()) => {}
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Broken(violation)) => {
                    let _ = writeln!(text, "  BROKEN {}: {}", violation.law, violation.what);
                    return Ok((text, Some(violation)));
                }
            }
        }
        Ok((text, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_a_script_names_its_line() {
        let error = Script::parse("world workers=1\nclaim w1\nclaim it\n").unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error:#}");
        assert!(Script::parse("# nothing\n").is_err());
        assert!(Script::parse("claim w1\n").is_err());
    }
}
