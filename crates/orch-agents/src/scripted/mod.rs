//! The scripted agent: plays a TOML script per role and attempt. It is the tool with which users
//! rehearse their pipeline, and a program of its own: `orch scripted-agent --script FILE`.

mod perform;
mod script;

pub use perform::{ScriptContext, perform};
pub use script::{Script, ScriptError, Step};
