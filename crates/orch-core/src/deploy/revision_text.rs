//! Which revision an answer names. A full id or a prefix of at least seven digits counts, and only
//! where it stands as a word of its own: no part of a longer word, no second id beside it.

use super::Running;
use crate::ids::Revision;

/// The shortest prefix that names a revision.
const SHORTEST: usize = 7;
/// What is quoted of an answer that names none.
const QUOTED: usize = 80;

/// An answer of a freshness probe.
#[derive(Debug, Clone, Copy)]
pub struct RevisionText<'a> {
    /// The answer.
    pub text: &'a str,
    /// Revisions that are known in full; the first of them that is named is the answer.
    pub known: &'a [Revision],
}

/// Reads an answer that is text: a bare id, or a few words with one id among them.
pub fn read_text(answer: RevisionText<'_>) -> Running {
    let mut named: Vec<&str> = answer
        .text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| is_id(word))
        .collect();
    named.sort_unstable();
    named.dedup();
    match named[..] {
        [] => unreadable(answer.text, "names no revision"),
        [one] => resolve(one, answer.known),
        // Short numbers beside a full id are dates and builds, not revisions.
        _ => match named.iter().filter(|word| is_full(word)).collect::<Vec<_>>()[..] {
            [one] => resolve(one, answer.known),
            _ => unreadable(answer.text, "names several revisions, and none is the one that runs"),
        },
    }
}

/// Reads a field of an answer that is JSON; `pointer` such as `/build/revision`.
pub fn read_field(answer: RevisionText<'_>, pointer: &str) -> Running {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(answer.text) else {
        return unreadable(answer.text, "is no JSON");
    };
    match json.pointer(pointer).and_then(serde_json::Value::as_str).map(str::trim) {
        Some(text) if is_id(text) => resolve(text, answer.known),
        Some(text) => unreadable(text, &format!("has no revision at {pointer}")),
        None => unreadable(answer.text, &format!("has no text at {pointer}")),
    }
}

fn is_id(word: &str) -> bool {
    (SHORTEST..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_full(word: &str) -> bool {
    matches!(word.len(), 40 | 64)
}

fn resolve(word: &str, known: &[Revision]) -> Running {
    let word = word.to_ascii_lowercase();
    let named = known.iter().find(|revision| revision.as_str().starts_with(&word));
    match named.cloned().or_else(|| Revision::new(word.as_str()).ok()) {
        Some(revision) => Running::Is { revision },
        None => Running::Other { text: word },
    }
}

fn unreadable(text: &str, what: &str) -> Running {
    let shown: String = text.trim().chars().filter(|c| !c.is_control()).take(QUOTED).collect();
    Running::Unreachable { what: format!("its answer {what}: {shown:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678";
    const OLD: &str = "a1b2c3ffffffffffffffffffffffffffffffffff";

    fn known() -> [Revision; 2] {
        [NEW, OLD].map(|text| Revision::new(text).unwrap())
    }

    fn word(running: &Running) -> String {
        match running {
            Running::Is { revision } if revision.as_str() == NEW => "new".into(),
            Running::Is { revision } if revision.as_str() == OLD => "old".into(),
            Running::Is { .. } => "third".into(),
            Running::Other { .. } => "other".into(),
            Running::Down { .. } | Running::Unreachable { .. } => "none".into(),
        }
    }

    #[test]
    fn a_revision_is_named_by_a_word_of_its_own_and_by_nothing_less() {
        let upper = NEW.to_uppercase();
        let glued = format!("x{NEW}");
        let longer = format!("{NEW}0");
        let both = format!("{{\"previous\":\"{OLD}\",\"current\":\"{NEW}\"}}");
        let dated = format!("build 20261125 of {NEW}");
        let table: &[(&str, &str)] = &[
            (NEW, "new"),
            (&upper, "new"),
            ("a1b2c3d", "new"),
            ("a1b2c3f", "old"),
            ("a1b2c3d\n", "new"),
            ("\"a1b2c3d4e5\"", "new"),
            ("app:a1b2c3d", "new"),
            ("v1.4.2 (a1b2c3d)", "new"),
            (&dated, "new"),
            ("a1b2c3", "none"),
            ("a1b2c3e", "other"),
            ("0123456789012345678901234567890123456789", "third"),
            (&glued, "none"),
            (&longer, "other"),
            ("xa1b2c3d", "none"),
            ("a1b2c3d_dirty", "none"),
            (&both, "none"),
            ("a1b2c3d a1b2c3f", "none"),
            ("v1.4.2", "none"),
            ("", "none"),
            ("<html>502 Bad Gateway</html>", "none"),
            ("\u{0}\u{7f}é", "none"),
        ];
        for (text, expected) in table {
            let known = known();
            let read = read_text(RevisionText { text, known: &known });
            assert_eq!(word(&read), *expected, "{text:?} gave {read:?}");
        }
    }

    #[test]
    fn a_field_is_read_whole_or_not_at_all() {
        let known = known();
        let body = format!(
            r#"{{"previous":"{OLD}","build":{{"revision":" {NEW} ","n":7,"v":"v-{NEW}"}}}}"#
        );
        let table = [
            ("/build/revision", "new"),
            ("/previous", "old"),
            ("/build/v", "none"),
            ("/build/n", "none"),
            ("/build", "none"),
            ("/absent", "none"),
            ("no pointer", "none"),
        ];
        for (pointer, expected) in table {
            let read = read_field(RevisionText { text: &body, known: &known }, pointer);
            assert_eq!(word(&read), expected, "{pointer} gave {read:?}");
        }
        let deep = "[".repeat(100_000);
        for text in ["", "null", "[1,", &deep] {
            assert_eq!(word(&read_field(RevisionText { text, known: &known }, "/a")), "none");
        }
    }

    #[test]
    fn what_is_quoted_is_bounded_and_plain() {
        let long = "\u{1b}[31m".repeat(1000);
        let Running::Unreachable { what } = read_text(RevisionText { text: &long, known: &[] })
        else {
            panic!("it names a revision")
        };
        assert!(what.len() < 200 && !what.contains('\u{1b}'), "{what}");
    }
}
