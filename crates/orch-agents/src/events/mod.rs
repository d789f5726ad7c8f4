//! What an agent reports of itself on its output.

mod line;
mod usage;

pub use line::{AgentEvent, parse_line, rate_limited_report};
pub use usage::Usage;
