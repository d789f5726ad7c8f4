//! A provider of language models on loopback, which speaks the wire protocols of the real ones and
//! does what the prompt says: it is what agent programs are tested against.
//!
//! [`script`] says how a prompt scripts the answers, [`Scenario`] which faults there are. A base URL
//! ends in `/s/SCENARIO/k/KEY`; requests are counted and kept by key.

mod answer;
mod brief;
mod conversation;
mod dialect;
mod fault;
mod record;
mod reply;
mod scenario;
mod script;
mod server;
mod tools;

pub use record::Recorded;
pub use scenario::{Scenario, UnknownScenario};
pub use server::FakeProvider;

/// Tokens that every answer says it read.
pub const INPUT_TOKENS: u64 = 1000;
/// Tokens that every answer says it wrote.
pub const OUTPUT_TOKENS: u64 = 50;
