//! pytest, in its usual and its quiet form.

use super::lines::{block, numbered};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut progress = Progress::None;
    for line in lines {
        if let Some(summary) = summary(line) {
            seen.summaries.push(counts(summary));
            seen.closes();
            progress = Progress::None;
        } else if line.contains(" test session starts ") {
            seen.began = true;
            seen.opens();
        } else if line.starts_with("collected ") && line.contains(" item") {
            seen.began = true;
        } else if listed(line) {
            seen.summaries.push(Counts::default());
            seen.closes();
        } else if let Some(now) = Progress::read(line) {
            progress = now;
        } else if let Some(rest) =
            line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR "))
            && let Some(id) = test_id(rest)
        {
            seen.name(id, detail(lines, id));
        } else if line.starts_with("Fatal Python error: ") && seen.began {
            seen.name("the interpreter died", (*line).to_owned());
        }
    }
    if matches!(progress, Progress::Halfway) {
        // Quietly, without a session's head.
        seen.is_open(true);
    }
    seen
}

/// `2 failed, 2 passed in 0.05s`, between `=` or bare.
fn summary(line: &str) -> Option<&str> {
    let text = line.trim_matches(|c| c == '=' || c == ' ');
    let (what, time) = text.rsplit_once(" in ")?;
    let timed = time.starts_with(|c: char| c.is_ascii_digit())
        && time.split([' ', ')']).next().is_some_and(|t| t.ends_with('s'));
    let known = what == "no tests ran"
        || what.split(", ").all(|part| {
            part.split_once(' ').is_some_and(|(number, word)| {
                number.parse::<u64>().is_ok() && WORDS.contains(&word)
            })
        });
    (timed && known).then_some(what)
}

const WORDS: [&str; 13] = [
    "passed",
    "failed",
    "error",
    "errors",
    "skipped",
    "deselected",
    "xfailed",
    "xpassed",
    "warning",
    "warnings",
    "rerun",
    "subtests passed",
    "subtests failed",
];

fn counts(summary: &str) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in numbered(summary) {
        match word {
            "passed" | "xpassed" | "xfailed" => counts.passed += number,
            "failed" | "error" | "errors" => counts.failed += number,
            "skipped" => counts.skipped += number,
            _ => {}
        }
    }
    counts
}

/// The test's id: `file.py::test`, or `file.py` where it could not be collected.
fn test_id(rest: &str) -> Option<&str> {
    let id = rest.split(" - ").next()?.trim();
    let file = id.split("::").next()?;
    (file.ends_with(".py") || file.ends_with(".txt") || file.ends_with(".md")).then_some(id)
}

fn detail(lines: &[&str], id: &str) -> String {
    let name = id.split("::").skip(1).collect::<Vec<_>>().join(".");
    let wanted = if name.is_empty() { format!("ERROR collecting {id}") } else { name };
    let at = lines.iter().position(|line| heading(line) == Some(wanted.as_str()));
    at.map(|at| block(lines, at + 1, |line| heading(line).is_some() || line.starts_with("====")))
        .unwrap_or_default()
}

/// What stands between underscores above a failure.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("__")?
        .strip_suffix("__")?
        .trim_matches('_')
        .strip_prefix(' ')?
        .strip_suffix(' ')
}

/// `3 tests collected in 0.01s`, of a session that only lists its tests.
fn listed(line: &str) -> bool {
    let text = line.trim_matches(|c| c == '=' || c == ' ');
    let collected = text.split_once(" collected in ").and_then(|(what, _)| what.split_once(' '));
    collected
        .is_some_and(|(number, word)| number.parse::<u64>().is_ok() && word.starts_with("test"))
}

/// How far the line of dots has come, `..F.. [ 40%]`.
enum Progress {
    /// There is none, or its session has been summed up.
    None,
    /// Tests are left, or one of them failed.
    Halfway,
    /// All tests ended well; said even more quietly, nothing follows.
    Whole,
}

impl Progress {
    fn read(line: &str) -> Option<Self> {
        let (dots, percent) = line.strip_suffix("%]")?.rsplit_once('[')?;
        let percent: u8 = percent.trim().parse().ok()?;
        let dots = dots.split_whitespace().next_back()?;
        if !dots.chars().all(|c| ".FEsxXR".contains(c)) {
            return None;
        }
        let well = percent == 100 && !dots.contains(['F', 'E']);
        Some(if well { Self::Whole } else { Self::Halfway })
    }
}
