//! A client of the Agent Client Protocol, version 1: starts an agent, gives it one prompt, grants
//! what it asks for and tells what it does as JSON lines.
//!
//! It is the body of a program of its own, `orch acp-client`, which the engine starts like any other
//! agent, under a supervisor. The lines are read by the `acp` adapter; each is an object whose key
//! `acp` says what it is: `session`, `update` (the protocol's own), `permission`, `result`, `error`.

mod child;
mod client;
mod lines;

pub use client::{Ended, Plan, run};
