//! What an agent tells of itself on its output: one type of event for every program, a mapper per
//! program, and what a whole stream adds up to. Nothing that an agent prints is an error.

mod event;
mod fault;
mod json;
mod reader;
mod report;
mod tally;
mod usage;

pub use event::{AgentEvent, Patience};
pub use fault::{fault_of_status, fault_of_text, patience_of_text};
pub(crate) use json::{Fields, head};
pub use reader::{EventReader, MAX_JOINED, Mapper, Source};
pub use report::{ReportMapper, parse_line, rate_limited_report};
pub use tally::Tally;
pub use usage::Usage;
