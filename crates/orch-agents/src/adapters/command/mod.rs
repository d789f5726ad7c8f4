//! The `command` adapter: any program. It finds the brief on standard input and at
//! `$ORCH_BRIEF_FILE`, and the facts of its run in the environment.

use orch_core::outcome::Demands;
use orch_core::process::Polite;
use orch_core::settings::Adapter;

use super::descriptor::{AdapterConfig, Descriptor, Invocation, as_found, no_steps, program};
use crate::events::ReportMapper;
use crate::launch::{AgentError, LaunchContext};

/// Any program.
pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    adapter: Adapter::Command,
    program: "",
    passes: &[],
    keys: &[],
    login_file: None,
    login_remedy: "",
    sessions: None,
    own_home: false,
    demands: Demands { closing: false, change: false },
    polite: &[Polite::Term],
    version_args: &[],
    native: as_found,
    launch,
    mapper: || Box::new(ReportMapper),
    steps: no_steps,
};

/// The configured command line, if a program can be started with it.
fn launch(config: &AdapterConfig, context: &LaunchContext) -> Result<Invocation, AgentError> {
    let mut argv = program(config, context)?;
    argv.extend(config.args.iter().cloned());
    Ok(Invocation { argv, ..Invocation::default() })
}
