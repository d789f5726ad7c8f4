//! Jest, and what prints as it does.

use super::lines::{block, numbered};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    for (at, line) in lines.iter().enumerate() {
        if let Some(summary) = line.strip_prefix("Tests:").filter(|s| s.contains(" total")) {
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
        } else if let Some(summary) = line.strip_prefix("Test Suites:") {
            // A file that could not be loaded counts here and names no test.
            seen.failed |= numbered(summary).any(|(number, word)| word == "failed" && number > 0);
        } else if line.starts_with("No tests found, exiting with code") {
            seen.summaries.push(Counts::default());
        } else if let Some(name) = line.strip_prefix("  ● ") {
            seen.name(name, block(lines, at + 1, ends));
        }
    }
    if seen.summaries.is_empty() {
        // The bullet is an ordinary character; only beside a summary is it Jest's.
        return Seen::default();
    }
    seen
}

fn ends(line: &str) -> bool {
    line.starts_with("  ● ")
        || line.starts_with("Test Suites:")
        || line.starts_with("FAIL ")
        || line.starts_with("PASS ")
}
