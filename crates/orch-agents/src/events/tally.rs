//! What a whole stream adds up to.

use jiff::Timestamp;
use orch_core::money::{Consumed, Meter, SessionTotals};
use orch_core::outcome::{Fault, Reported, Told};

use super::event::{AgentEvent, Patience};

/// Tools whose refusal is remembered: a hostile stream names as many as it likes.
const MAX_DENIED: usize = 20;

/// What the events of one run add up to, in bounded memory.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// What it told of its end.
    pub told: Told,
    /// The session it worked in; the last one named.
    pub session: Option<String>,
    /// Tools used.
    pub tool_calls: u64,
    /// Files changed, by its own account.
    pub file_changes: u64,
    /// Tries again by itself.
    pub retries: u64,
    /// Events of no known kind.
    pub unknown: u64,
    meter: Meter,
}

impl Tally {
    /// Adds an event that was told at `at`.
    pub fn add(&mut self, at: Timestamp, event: AgentEvent) {
        match event {
            AgentEvent::Session { id } => self.session = Some(id),
            AgentEvent::Text(_) | AgentEvent::ToolResult { .. } | AgentEvent::NeedsInput(_) => {
                self.progress();
            }
            AgentEvent::ToolCall { .. } => {
                self.tool_calls += 1;
                self.progress();
            }
            AgentEvent::FileChange { .. } => {
                self.file_changes += 1;
                self.progress();
            }
            AgentEvent::ToolDenied { name } => {
                if self.told.denied.len() < MAX_DENIED && !self.told.denied.contains(&name) {
                    self.told.denied.push(name);
                }
            }
            AgentEvent::Usage(usage) => self.meter.add(&usage.figures()),
            AgentEvent::Retry { reason, fault } => {
                self.retries += 1;
                self.fault(fault, reason);
            }
            AgentEvent::RateLimited(patience) => self.asked(at, patience),
            AgentEvent::Error { fault, message } => self.fault(fault, message),
            AgentEvent::End { ok, fault, message } => {
                self.told.closed = Some(ok);
                if ok {
                    self.progress();
                } else {
                    self.fault(fault.or(Some(Fault::Other)), message);
                }
            }
            AgentEvent::Unknown(_) => self.unknown += 1,
        }
    }

    /// What the run itself consumed, in a session that had consumed `before` when it began.
    pub fn consumed(&self, before: SessionTotals) -> Consumed {
        self.meter.clone().after(before).read()
    }

    fn progress(&mut self) {
        self.told.fault = None;
    }

    fn fault(&mut self, fault: Option<Fault>, said: String) {
        let Some(fault) = fault else { return };
        self.told.fault = Some(Reported { fault, said });
    }

    fn asked(&mut self, at: Timestamp, patience: Patience) {
        if let Some(until) = patience.until(at) {
            self.told.patience_until = Some(until);
        }
        if !matches!(&self.told.fault, Some(known) if known.fault == Fault::RateLimited) {
            self.fault(Some(Fault::RateLimited), String::new());
        }
    }
}
