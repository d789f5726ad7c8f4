//! Counts the steps of an agent in what it prints, by looking for texts alone: one that goes in
//! circles prints all the time, so that no silence ends it.

use std::hash::{DefaultHasher, Hash, Hasher};

use orch_core::process::{ExitCause, StepWatch};

/// The steps of one run so far.
#[derive(Debug, Default)]
pub(super) struct Steps {
    watches: Vec<Watch>,
    over: Option<ExitCause>,
}

#[derive(Debug)]
struct Watch {
    rule: StepWatch,
    /// What looks for the key's value.
    key: Option<String>,
    count: u32,
    /// What the last step did, and how often in a row.
    last: Option<u64>,
    row: u32,
}

impl Steps {
    /// Counts by these rules.
    pub(super) fn new(rules: &[StepWatch]) -> Self {
        let watch = |rule: &StepWatch| Watch {
            rule: rule.clone(),
            key: rule.same.as_ref().map(|key| format!("\"{key}\":")),
            count: 0,
            last: None,
            row: 0,
        };
        Self { watches: rules.iter().map(watch).collect(), over: None }
    }

    /// Looks at a line of standard output, or at the beginning of a long one.
    pub(super) fn line(&mut self, line: &[u8]) {
        if self.watches.is_empty() || self.over.is_some() {
            return;
        }
        let Ok(line) = std::str::from_utf8(line) else { return };
        self.over = self.watches.iter_mut().find_map(|watch| watch.line(line));
    }

    /// The limit that was passed; `None` where none was.
    pub(super) fn over(&self) -> Option<ExitCause> {
        self.over.clone()
    }
}

impl Watch {
    fn line(&mut self, line: &str) -> Option<ExitCause> {
        if !self.rule.marks.iter().all(|mark| line.contains(mark)) {
            return None;
        }
        self.count = self.count.saturating_add(1);
        let does = self.key.as_ref().and_then(|key| {
            let at = line.find(key)? + key.len();
            Some(hash(value(&line.as_bytes()[at..])))
        });
        self.row = if does.is_some() && does == self.last { self.row + 1 } else { 1 };
        self.last = does;
        if does.is_some() && self.rule.repeats.is_some_and(|most| self.row > most) {
            return Some(ExitCause::Looping { steps: self.row, same: true });
        }
        let over = self.rule.limit.is_some_and(|most| self.count > most);
        over.then_some(ExitCause::Looping { steps: self.count, same: false })
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// The JSON value at the beginning of a text, up to where it is cut.
fn value(text: &[u8]) -> &[u8] {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b'}' | b']' | b',' if depth == 0 => return &text[..at],
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(limit: Option<u32>, repeats: Option<u32>) -> StepWatch {
        StepWatch {
            marks: vec![r#""tool_use""#.into()],
            same: Some("input".into()),
            limit,
            repeats,
        }
    }

    fn steps(rule: StepWatch, lines: &[&str]) -> Option<ExitCause> {
        let mut steps = Steps::new(&[rule]);
        for line in lines {
            steps.line(line.as_bytes());
        }
        steps.over()
    }

    const LS: &str = r#"{"id":"1","type":"tool_use","input":{"command":"ls \"}\" ["},"n":1}"#;
    const LS_AGAIN: &str = r#"{"id":"2","type":"tool_use","input":{"command":"ls \"}\" ["},"n":2}"#;
    const CAT: &str = r#"{"id":"3","type":"tool_use","input":{"command":"cat"},"n":3}"#;
    const TALK: &str = r#"{"type":"text","text":"the input is"}"#;

    #[test]
    fn the_same_step_in_a_row_is_a_circle_whatever_its_ids() {
        let same = Some(ExitCause::Looping { steps: 3, same: true });
        assert_eq!(steps(rule(None, Some(2)), &[LS, TALK, LS_AGAIN, LS]), same);
        assert_eq!(steps(rule(None, Some(2)), &[LS, LS_AGAIN, CAT, LS, LS_AGAIN, CAT]), None);
        assert_eq!(steps(rule(None, None), &[LS; 100]), None);
    }

    #[test]
    fn a_step_that_does_not_say_what_it_does_is_like_no_other() {
        let bare = r#"{"type":"tool_use"}"#;
        assert_eq!(steps(rule(None, Some(2)), &[bare; 10]), None);
        let many = Some(ExitCause::Looping { steps: 6, same: false });
        assert_eq!(steps(rule(Some(5), Some(2)), &[bare; 10]), many);
    }

    #[test]
    fn only_lines_with_every_mark_count_and_rubbish_does_not() {
        let mut steps = Steps::new(&[StepWatch {
            marks: vec!["a".into(), "b".into()],
            same: None,
            limit: Some(1),
            repeats: None,
        }]);
        for line in [&b"a"[..], b"b", b"", b"\xffab", b"ab"] {
            steps.line(line);
        }
        assert_eq!(steps.over(), None);
        steps.line(b"b a");
        assert_eq!(steps.over(), Some(ExitCause::Looping { steps: 2, same: false }));
    }

    #[test]
    fn values_end_where_json_ends_them() {
        for (text, expected) in [
            (r#"{"a":[1,"}"]},"b":2}"#, r#"{"a":[1,"}"]}"#),
            (r#""x,\"y\"","b":2}"#, r#""x,\"y\"""#),
            ("12}", "12"),
            (r#"{"cut":"off"#, r#"{"cut":"off"#),
            ("", ""),
            ("]", ""),
        ] {
            assert_eq!(value(text.as_bytes()), expected.as_bytes(), "{text}");
        }
    }
}
