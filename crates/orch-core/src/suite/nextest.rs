//! `cargo nextest run`.

use super::lines::{block, numbered};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut summed_up = false;
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        if let Some(summary) = text.strip_prefix("Summary [").and_then(|s| s.split_once(']')) {
            seen.summaries.push(counts(summary.1));
            summed_up = true;
            seen.closes();
        } else if text.starts_with("Starting ") && text.contains(" across ") {
            seen.began = true;
            seen.opens();
        } else if let Some((again, name)) = failing(text) {
            // An attempt that is tried again is no failure until the summary names it.
            if !again || summed_up {
                seen.name(name, detail(lines, at));
            }
        }
    }
    seen
}

fn counts(summary: &str) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in numbered(summary) {
        match word {
            "passed" => counts.passed = number,
            "failed" | "timed" | "exec" => counts.failed += number,
            "skipped" => counts.skipped = number,
            _ => {}
        }
    }
    counts
}

/// `FAIL [   0.230s] (2/3) calc tests::divides`: whether it is tried again, and the name.
fn failing(text: &str) -> Option<(bool, &str)> {
    let (again, text) = match text.strip_prefix("TRY ") {
        Some(rest) => (true, rest.split_once(' ')?.1),
        None => (false, text),
    };
    let (status, rest) = text.split_once('[')?;
    let status = status.trim_end();
    let known = matches!(status, "FAIL" | "TIMEOUT" | "ABORT" | "LEAK-FAIL" | "XFAIL")
        || (status.starts_with("SIG") && status.bytes().all(|b| b.is_ascii_uppercase()));
    let name = rest.split_once(']').filter(|_| known)?.1.trim_start();
    let name = match name.strip_prefix('(').and_then(|n| n.split_once(')')) {
        Some((_, name)) => name.trim_start(),
        None => name,
    };
    (!name.is_empty()).then_some((again, name))
}

fn detail(lines: &[&str], at: usize) -> String {
    block(lines, at + 1, |line| {
        let text = line.trim_start();
        text.starts_with("PASS [")
            || text.starts_with("───")
            || text.starts_with("Cancelling")
            || text == "stack backtrace:"
            || failing(text).is_some()
    })
}
