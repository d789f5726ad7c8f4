//! The scripted agent: plays a TOML script in place of a model. It is the tool with which users
//! rehearse their pipeline, and a program of its own: `orch scripted-agent --script FILE`.
//! [`Script::parse`] is pure; [`perform()`] acts, in that program.
//!
#![doc = include_str!("FORMAT.md")]

mod act;
mod argv;
mod defaults;
mod error;
mod fields;
mod matching;
mod parse;
mod perform;
mod place;
mod script;
mod step;
mod text;

pub(super) use argv::DESCRIPTOR;
pub use error::ScriptError;
pub use perform::{Output, STEP_FAILED, ScriptContext, perform, perform_with};
pub use script::{Action, Attempts, Entry, MAX_SCRIPT, Script, Step, Text};

/// The format of a script, for people.
pub const FORMAT: &str = include_str!("FORMAT.md");
