//! Agents: how a brief becomes a command line, how output becomes events, and the built-in agent
//! that plays a script. Nothing here starts an agent; the engine does.

pub mod brief;
pub mod env;
pub mod events;
mod launch;
pub mod scripted;

pub use brief::{BriefContext, BriefError, EarlierArtifact, default_template, gate_asks, render};
pub use env::allowed_env;
pub use events::{AgentEvent, parse_line};
pub use launch::{AdapterConfig, AgentError, LaunchContext, LaunchPlan, plan};
