//! Adapters: one folder per sort of agent program, each a [`Descriptor`]. An adapter turns a run's
//! context into a command line and its stream into events; it never starts anything.

mod acp;
mod claude;
mod codex;
pub mod command;
mod descriptor;
mod gemini;
mod opencode;
mod qwen;
pub mod scripted;

use orch_core::llm::CallSite;
use orch_core::settings::Adapter;

pub use descriptor::{AdapterConfig, Descriptor, Invocation, Session};

use crate::launch::{AgentError, LaunchContext, LaunchPlan, environment};

/// Every adapter there is.
pub static ADAPTERS: [&Descriptor; 8] = [
    &claude::DESCRIPTOR,
    &codex::DESCRIPTOR,
    &gemini::DESCRIPTOR,
    &opencode::DESCRIPTOR,
    &qwen::DESCRIPTOR,
    &acp::DESCRIPTOR,
    &command::DESCRIPTOR,
    &scripted::DESCRIPTOR,
];

/// The descriptor of an adapter; `None` for one that is not part of this version.
pub fn descriptor(adapter: Adapter) -> Option<&'static Descriptor> {
    ADAPTERS.into_iter().find(|descriptor| descriptor.adapter == adapter)
}

/// Plans a launch at a registered call site. Fails where the settings name nothing that could be
/// started.
pub fn plan(
    site: CallSite,
    config: &AdapterConfig,
    context: &LaunchContext,
) -> Result<LaunchPlan, AgentError> {
    let invocation = (config.descriptor.launch)(config, context)?;
    let mut env = environment(context)?;
    env.extend(invocation.env);
    Ok(LaunchPlan {
        site,
        argv: invocation.argv,
        env,
        stdin: context.brief_file.clone(),
        files: invocation.files,
        session: invocation.session,
    })
}
