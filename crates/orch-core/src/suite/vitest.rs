//! Vitest.

use super::lines::{block, numbered};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim();
        if let Some(summary) = text.strip_prefix("Tests  ") {
            let mut counts = Counts::default();
            for (number, word) in numbered(summary) {
                match word {
                    "passed" => counts.passed = number,
                    "failed" => counts.failed = number,
                    "skipped" | "todo" => counts.skipped += number,
                    _ => {}
                }
            }
            seen.summaries.push(counts);
            seen.closes();
        } else if let Some(summary) = text.strip_prefix("Test Files  ") {
            seen.began = true;
            seen.failed |= numbered(summary).any(|(number, word)| word == "failed" && number > 0);
        } else if text.starts_with("No test files found, exiting with code") {
            seen.summaries.push(Counts::default());
            seen.closes();
        } else if starts(text) {
            seen.opens();
        } else if text.starts_with("BENCH  Summary") {
            seen.closes();
        } else if let Some(name) = line.strip_prefix(" FAIL  ") {
            let ends = |line: &str| line.starts_with(" FAIL  ") || line.starts_with("⎯⎯⎯");
            seen.name(name, block(lines, at + 1, ends));
        }
    }
    seen
}

/// `RUN  v4.1.12 /home/dev/site`, after which tests are counted, however it ends.
fn starts(text: &str) -> bool {
    let version = text.strip_prefix("RUN  v");
    version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}
