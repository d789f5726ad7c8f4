//! The stream of `qwen --output-format stream-json`: Claude Code's but for retries and for how a
//! failure is told.

use orch_core::money::Figure;
use orch_core::outcome::Fault;
use serde_json::Value;

use super::super::claude::stream::Claude;
use crate::events::{AgentEvent, Fields, Mapper, Source, fault_of_text, head};

/// Maps the stream; it needs to remember nothing.
#[derive(Default)]
pub(super) struct Qwen(Claude);

impl Mapper for Qwen {
    fn line(&mut self, source: Source, line: &str, events: &mut Vec<AgentEvent>) {
        if source == Source::Err {
            let gone = line.contains("No saved session found");
            let fault = gone.then_some(Fault::SessionGone);
            events.extend(fault.map(|fault| error(Some(fault), line)));
            return;
        }
        match serde_json::from_str::<Value>(line) {
            Ok(event) if event.text("type") == "stream_event" => {}
            Ok(event) if is(&event, "system", "retry") => events.push(retry(&event)),
            Ok(event) if event.text("type") == "result" => self.result(line, &event, events),
            _ => self.0.line(source, line, events),
        }
    }
}

impl Qwen {
    /// Claude Code's, with the message where it stands here; tokens are those of the whole session,
    /// in earlier runs too.
    fn result(&mut self, line: &str, event: &Value, events: &mut Vec<AgentEvent>) {
        self.0.line(Source::Out, line, events);
        for told in events.iter_mut() {
            if let AgentEvent::Usage(usage) = told {
                usage.tokens_of = Figure::Session;
            }
        }
        let said = event.at("error").text("message");
        if let Some(AgentEvent::End { ok: false, fault, message }) = events.last_mut()
            && !said.is_empty()
        {
            *fault = Some(fault_of_text(said).unwrap_or(Fault::Other));
            *message = head(said);
        }
    }
}

fn is(event: &Value, kind: &str, subtype: &str) -> bool {
    event.text("type") == kind && event.text("subtype") == subtype
}

fn retry(event: &Value) -> AgentEvent {
    let said = ["error", "message", "reason"].map(|key| event.at(key));
    let said = said.iter().find(|said| !said.is_null()).map(ToString::to_string);
    let reason = said.unwrap_or_default();
    let fault = fault_of_text(&reason).unwrap_or(Fault::Overloaded);
    AgentEvent::Retry { reason: head(&reason), fault: Some(fault) }
}

fn error(fault: Option<Fault>, message: &str) -> AgentEvent {
    AgentEvent::Error { fault, message: head(message) }
}
