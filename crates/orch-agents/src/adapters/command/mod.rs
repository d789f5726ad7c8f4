//! The `command` adapter: any program. It finds the brief on standard input and at
//! `$ORCH_BRIEF_FILE`, and the facts of its run in the environment.

use crate::launch::AgentError;

/// The configured command line, if a program can be started with it.
pub(super) fn argv(argv: &[String]) -> Result<Vec<String>, AgentError> {
    if argv.first().is_none_or(|program| program.trim().is_empty()) {
        return Err(AgentError::EmptyCommand);
    }
    match argv.iter().find(|word| word.contains('\0')) {
        Some(word) => Err(AgentError::NulInCommand(word.clone())),
        None => Ok(argv.to_vec()),
    }
}
