//! From the pieces of a log to events: whole lines are joined within a bound and given to the
//! program's mapper.

use super::event::AgentEvent;
use super::json::head;

/// The longest line that is joined; a longer one is an unknown event. A tool's answer can be long,
/// and the service reads the streams of several agents at once.
pub const MAX_JOINED: usize = 4 << 20;

/// The stream that a line was printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Standard output, where a program's events are.
    Out,
    /// Standard error.
    Err,
}

/// Turns one program's lines into events. It keeps what it has to know of earlier lines, in bounded
/// memory.
pub trait Mapper: Send {
    /// Reads a whole line.
    fn line(&mut self, source: Source, line: &str, events: &mut Vec<AgentEvent>);
}

/// Reads a stream piece by piece and never holds more than a line of each of its sources.
pub struct EventReader {
    mapper: Box<dyn Mapper>,
    out: Partial,
    err: Partial,
    events: Vec<AgentEvent>,
}

impl std::fmt::Debug for EventReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventReader").finish_non_exhaustive()
    }
}

/// A line that is not whole yet.
#[derive(Default)]
struct Partial {
    text: String,
    too_long: bool,
}

impl EventReader {
    /// Reads with this mapper.
    pub fn new(mapper: Box<dyn Mapper>) -> Self {
        Self { mapper, out: Partial::default(), err: Partial::default(), events: Vec::new() }
    }

    /// Takes the next piece of a line; `more` says that the same line goes on. Gives the events of
    /// a line that is whole now.
    pub fn piece(
        &mut self,
        source: Source,
        text: &str,
        more: bool,
    ) -> impl Iterator<Item = AgentEvent> + '_ {
        let Self { mapper, out, err, events } = self;
        let partial = if source == Source::Out { out } else { err };
        if more || !partial.text.is_empty() {
            partial.push(text);
            if !more {
                partial.end(source, mapper.as_mut(), events);
            }
        } else {
            mapper.line(source, text, events);
        }
        events.drain(..)
    }
}

impl Partial {
    fn push(&mut self, text: &str) {
        if self.too_long || self.text.len() + text.len() > MAX_JOINED {
            self.too_long = true;
        } else {
            self.text.push_str(text);
        }
    }

    fn end(&mut self, source: Source, mapper: &mut dyn Mapper, events: &mut Vec<AgentEvent>) {
        let line = std::mem::take(&mut self.text);
        if std::mem::take(&mut self.too_long) {
            events.push(AgentEvent::Unknown(head(&line)));
        } else {
            mapper.line(source, &line, events);
        }
    }
}
