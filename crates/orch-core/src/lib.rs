//! The pure domain of Orchestrator: what tasks, stages, jobs, runs, artifacts and gates *are*, and
//! every decision about them as a function of values.
//!
//! Nothing here reads a file, a clock or the environment, and nothing is async: time and
//! randomness arrive as arguments. The floors above act on what is decided here.

pub mod artifact;
pub mod audit;
pub mod breaker;
pub mod channel;
pub mod decide;
pub mod deploy;
pub mod event;
pub mod gate;
pub mod ids;
pub mod job;
pub mod llm;
pub mod money;
pub mod outcome;
pub mod pipeline;
pub mod probe;
pub mod process;
pub mod reap;
pub mod redact;
pub mod remote;
pub mod retention;
pub mod serial_gate;
pub mod session;
pub mod settings;
pub mod stage;
pub mod suite;
pub mod switch;
pub mod task;
pub mod verdict;
pub mod why;

#[cfg(test)]
mod testing;
