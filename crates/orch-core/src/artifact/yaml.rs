//! YAML events to a [`Value`], refusing whatever a second reader could take differently: repeated
//! keys, anchors, aliases, tags, merge keys, several documents. Bounded in depth and count.

use std::collections::HashSet;

use saphyr_parser::{Event, Input, Parser, ScalarStyle, ScanError, Span};

use super::ArtifactProblem;
use super::value::{Scalar, Value, canonical};

/// Deeper than any report; small enough that recursion can't exhaust a stack.
pub(super) const MAX_DEPTH: usize = 16;
/// More than any list of findings; bounds the memory of one front matter.
pub(super) const MAX_NODES: usize = 20_000;

/// Parses one document; `None` where there is none. `skipped` lines stood before the text.
pub(super) fn parse(text: &str, skipped: usize) -> Result<Option<Value>, ArtifactProblem> {
    // The parser is not ours, and what it reads may have been made to break it: a panic in it
    // refuses one artifact instead of ending the service.
    std::panic::catch_unwind(|| {
        Builder { parser: Parser::new_from_str(text), nodes: 0, skipped }.document()
    })
    .unwrap_or_else(|_| {
        Err(ArtifactProblem::Yaml { line: skipped, message: "the parser gave up".into() })
    })
}

struct Builder<'a, T: Input> {
    parser: Parser<'a, T>,
    nodes: usize,
    skipped: usize,
}

impl<'a, T: Input> Builder<'a, T> {
    fn document(mut self) -> Result<Option<Value>, ArtifactProblem> {
        let first = loop {
            match self.next()? {
                (Event::StreamStart | Event::Nothing, _) => {}
                other => break other,
            }
        };
        match first {
            (Event::StreamEnd, _) => return Ok(None),
            (Event::DocumentStart(false), _) => {}
            (_, span) => return Err(ArtifactProblem::SecondDocument { line: self.line(span) }),
        }
        let (event, span) = self.next()?;
        let value = self.node(event, span, 0)?;
        loop {
            match self.next()? {
                (Event::DocumentEnd | Event::Nothing, _) => {}
                (Event::StreamEnd, _) => return Ok(Some(value)),
                (_, span) => return Err(ArtifactProblem::SecondDocument { line: self.line(span) }),
            }
        }
    }

    fn node(
        &mut self,
        event: Event<'a>,
        span: Span,
        depth: usize,
    ) -> Result<Value, ArtifactProblem> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(ArtifactProblem::TooManyValues);
        }
        if depth > MAX_DEPTH {
            return Err(ArtifactProblem::TooDeep { line: self.line(span) });
        }
        self.refuse_indirection(&event, span)?;
        match event {
            Event::Scalar(text, style, ..) => Ok(scalar(text.into_owned(), style)),
            Event::SequenceStart(..) => self.list(depth),
            Event::MappingStart(..) => self.map(depth),
            _ => Err(self.problem(span, "a value was expected".into())),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, ArtifactProblem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, ArtifactProblem> {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Map(entries));
            }
            let key = self.key(event, span)?;
            if !seen.insert(canonical(&key)) {
                return Err(ArtifactProblem::RepeatedKey { key, line: self.line(span) });
            }
            let (event, span) = self.next()?;
            entries.push((key, self.node(event, span, depth + 1)?));
        }
    }

    fn key(&mut self, event: Event<'a>, span: Span) -> Result<String, ArtifactProblem> {
        self.refuse_indirection(&event, span)?;
        let line = self.line(span);
        match event {
            Event::Scalar(text, ..) if text == "<<" => {
                Err(ArtifactProblem::Forbidden { what: "a merge key", line })
            }
            Event::Scalar(text, ..) if !text.trim().is_empty() => Ok(text.into_owned()),
            _ => Err(ArtifactProblem::OddKey { line }),
        }
    }

    fn refuse_indirection(&self, event: &Event<'a>, span: Span) -> Result<(), ArtifactProblem> {
        let (anchor, tag) = match event {
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(anchor, tag)
            | Event::MappingStart(anchor, tag) => (*anchor, tag.is_some()),
            Event::Alias(_) => {
                return Err(ArtifactProblem::Forbidden { what: "an alias", line: self.line(span) });
            }
            _ => (0, false),
        };
        let what = match (anchor, tag) {
            (0, false) => return Ok(()),
            (0, true) => "a tag",
            _ => "an anchor",
        };
        Err(ArtifactProblem::Forbidden { what, line: self.line(span) })
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ArtifactProblem> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.scan_problem(&error)),
            None => Err(ArtifactProblem::Yaml {
                line: self.skipped,
                message: "it ends in the middle of a value".into(),
            }),
        }
    }

    fn scan_problem(&self, error: &ScanError) -> ArtifactProblem {
        let line = self.skipped + error.marker().line();
        if error.info().contains("unknown anchor") {
            return ArtifactProblem::Forbidden { what: "an alias", line };
        }
        if error.info().contains("recursion limit") {
            return ArtifactProblem::TooDeep { line };
        }
        ArtifactProblem::Yaml { line, message: error.info().to_owned() }
    }

    fn problem(&self, span: Span, message: String) -> ArtifactProblem {
        ArtifactProblem::Yaml { line: self.line(span), message }
    }

    fn line(&self, span: Span) -> usize {
        self.skipped + span.start.line()
    }
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    let quoted = style != ScalarStyle::Plain;
    if !quoted && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar(Scalar { text, quoted })
}
