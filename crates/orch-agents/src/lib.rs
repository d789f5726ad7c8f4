//! Agents: how a task becomes a brief, how a brief becomes a command line, how output becomes
//! events; and the built-in agent that plays a script.
//!
//! [`plan`], [`render`] and [`parse_line`] are pure but for looking a script up: nothing here
//! starts an agent, the engine does. [`scripted::perform`] alone acts; it is the body of a program
//! of its own, `orch scripted-agent`, which the engine starts like any other agent.

pub mod adapters;
pub mod brief;
pub mod env;
pub mod events;
mod launch;

pub use adapters::{ADAPTERS, AdapterConfig, Descriptor, Session, descriptor, plan, scripted};
pub use brief::{BriefContext, BriefError, EarlierArtifact, default_template, gate_asks, render};
pub use env::allowed_env;
pub use events::{AgentEvent, EventReader, Source, Tally, Usage, parse_line};
pub use launch::{AgentError, LaunchContext, LaunchPlan};
