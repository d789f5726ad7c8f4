//! The command line of the scripted agent.

use std::path::{Component, Path, PathBuf};

use orch_core::settings::Adapter;

use super::super::descriptor::{AdapterConfig, Descriptor, Invocation, PLAIN};
use crate::launch::{AgentError, LaunchContext, utf8};

/// This program with a script.
pub(in crate::adapters) static DESCRIPTOR: Descriptor =
    Descriptor { adapter: Adapter::Scripted, launch, ..PLAIN };

/// This program with the script, which is looked up beside the `orch.toml`, then in the worktree.
fn launch(config: &AdapterConfig, context: &LaunchContext) -> Result<Invocation, AgentError> {
    let script = config.script.as_deref().unwrap_or(Path::new(""));
    let found = find(script, context)?;
    let program = utf8(&context.orch_program)?;
    let argv = vec![program, "scripted-agent".to_owned(), "--script".to_owned(), utf8(&found)?];
    Ok(Invocation { argv, ..Invocation::default() })
}

fn find(script: &Path, context: &LaunchContext) -> Result<PathBuf, AgentError> {
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !script.components().all(plain) {
        return Err(AgentError::ScriptOutside(script.to_owned()));
    }
    let places = [&context.base_dir, &context.worktree];
    places.iter().map(|place| place.join(script)).find(|path| path.is_file()).ok_or_else(|| {
        AgentError::NoScript {
            script: script.to_owned(),
            base: context.base_dir.clone(),
            worktree: context.worktree.clone(),
        }
    })
}
