//! Which entry of a script is played.

use super::perform::ScriptContext;
use super::script::{Entry, Script};

/// The first entry whose conditions all hold.
pub(super) fn entry<'a>(script: &'a Script, context: &ScriptContext) -> Option<&'a Entry> {
    script.entries.iter().find(|entry| matches(entry, context))
}

fn matches(entry: &Entry, context: &ScriptContext) -> bool {
    let same = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    let task = |pattern: &str| glob(pattern, &context.task) || glob(pattern, &context.title);
    entry.task.as_deref().is_none_or(task)
        && same(&entry.role, &context.role)
        && same(&entry.stage, &context.stage)
        && entry.attempts.is_none_or(|attempts| attempts.contains(context.attempt))
}

/// `*` stands for any text, also none.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_does() {
        for (pattern, text, expected) in [
            ("Add x", "Add x", true),
            ("Add x", "Add xy", false),
            ("Add*", "Add", true),
            ("*x", "Add x", true),
            ("*dd*", "Add x", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*c*b", "a-b-c", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("Add ?", "Add x", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern:?} on {text:?}");
        }
    }
}
