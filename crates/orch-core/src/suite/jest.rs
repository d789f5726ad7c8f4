//! Jest, and what prints as it does.

use super::lines::{block, numbered};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut open = false;
    for (at, line) in lines.iter().enumerate() {
        open |= ended_file(line);
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
            open = false;
        } else if let Some(summary) = line.strip_prefix("Test Suites:") {
            // A file that could not be loaded counts here and names no test.
            seen.failed |= numbered(summary).any(|(number, word)| word == "failed" && number > 0);
        } else if line.starts_with("No tests found, exiting with code") {
            seen.summaries.push(Counts::default());
            open = false;
        } else if let Some(name) = line.strip_prefix("  ● ") {
            seen.name(name, block(lines, at + 1, ends));
        }
    }
    if seen.summaries.is_empty() {
        // The bullet is an ordinary character; only beside a summary is it Jest's.
        seen = Seen::default();
    }
    seen.is_open(open);
    seen
}

fn ends(line: &str) -> bool {
    line.starts_with("  ● ")
        || line.starts_with("Test Suites:")
        || line.starts_with("FAIL ")
        || line.starts_with("PASS ")
}

/// `PASS src/calc.test.js (5.2 s)`: a file's end, after which the sum of all has to come.
fn ended_file(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("PASS ").or_else(|| line.strip_prefix("FAIL ")) else {
        return false;
    };
    let file = rest.rsplit_once(" (").filter(|(_, time)| time.ends_with("s)"));
    let file = file.map_or(rest, |(file, _)| file).trim_end();
    let ending = file.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| SCRIPTS.contains(&ending))
}

const SCRIPTS: [&str; 8] = ["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts"];
