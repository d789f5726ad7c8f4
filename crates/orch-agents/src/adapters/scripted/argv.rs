//! The command line of the scripted agent.

use std::path::{Component, Path, PathBuf};

use crate::launch::{AgentError, LaunchContext, utf8};

/// This program with the script, which is looked up beside the `orch.toml`, then in the worktree.
pub fn argv(script: &Path, context: &LaunchContext) -> Result<Vec<String>, AgentError> {
    let found = find(script, context)?;
    let program = utf8(&context.orch_program)?;
    Ok(vec![program, "scripted-agent".to_owned(), "--script".to_owned(), utf8(&found)?])
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
