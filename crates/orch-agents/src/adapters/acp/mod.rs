//! Any agent that speaks the Agent Client Protocol on its standard input and output (`gemini --acp`,
//! `opencode acp`, …): the client is a program of ours, `orch acp-client`, which runs under the
//! supervisor as every agent does.
//!
//! The protocol says little of retries, rate limits and cost; where there is an adapter for the
//! program itself, that one sees more.

mod stream;

use orch_core::outcome::Demands;
use orch_core::process::{Polite, StepWatch};
use orch_core::settings::Adapter;

use super::descriptor::{AdapterConfig, Descriptor, Invocation, Session, as_found, program};
use crate::launch::{AgentError, LaunchContext, utf8};

/// Any agent of the protocol.
pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    adapter: Adapter::Acp,
    program: "",
    passes: &[],
    keys: &[],
    login_file: None,
    login_remedy: "log in by the agent's own program, or name its key in `env`",
    sessions: None,
    own_home: false,
    demands: Demands { closing: true, change: true },
    polite: &[Polite::Term],
    version_args: &["--version"],
    native: as_found,
    launch,
    mapper: || Box::new(stream::Acp::default()),
    steps,
};

fn launch(config: &AdapterConfig, context: &LaunchContext) -> Result<Invocation, AgentError> {
    let mut argv = vec![utf8(&context.orch_program)?, "acp-client".to_owned()];
    let session = match &context.session {
        Session::New { .. } => None,
        Session::Resume { id } => {
            argv.extend(["--resume".to_owned(), id.clone()]);
            Some(id.clone())
        }
    };
    argv.push("--".to_owned());
    argv.extend(program(config, context)?);
    argv.extend(config.args.iter().cloned());
    Ok(Invocation { argv, session, ..Invocation::default() })
}

fn steps(limit: Option<u32>, repeats: Option<u32>) -> Vec<StepWatch> {
    let marks = vec![r#""sessionUpdate":"tool_call""#.to_owned()];
    vec![StepWatch { marks, same: Some("rawInput".to_owned()), limit, repeats }]
}
