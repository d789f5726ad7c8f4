//! `cargo test`: libtest's summary per test binary, and rustc's errors.

use super::lines::{block, numbered};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    for line in lines {
        if let Some(summary) = line.strip_prefix("test result: ") {
            let mut counts = Counts::default();
            for (number, word) in numbered(summary) {
                match word {
                    "passed" => counts.passed = number,
                    "failed" => counts.failed = number,
                    "ignored" => counts.skipped = number,
                    _ => {}
                }
            }
            seen.summaries.push(counts);
            seen.closes();
        } else if let Some(test) = line.strip_prefix("test ") {
            let Some((name, end)) = test.rsplit_once(" ... ") else { continue };
            if end == "FAILED" {
                seen.name(name, detail(lines, name));
            }
            if !seen.began && seen.summaries.is_empty() && name.contains("::") {
                // The beginning of a long output may not have been kept.
                seen.is_open(true);
            }
        } else if line.starts_with("running ") && line.trim_end().ends_with(" tests")
            || *line == "running 1 test"
        {
            seen.began = true;
            seen.opens();
        } else if line.starts_with("error: test failed, to rerun") {
            seen.failed = true;
        } else if line.starts_with("error: could not compile") || line.starts_with("error[E") {
            seen.build_failed = true;
        }
    }
    if seen.failed && seen.failures.is_empty() {
        aborted(lines, &mut seen);
    }
    seen
}

fn detail(lines: &[&str], name: &str) -> String {
    let head = format!("---- {name} stdout ----");
    let Some(at) = lines.iter().position(|line| *line == head) else { return String::new() };
    block(lines, at + 1, |line| {
        line.starts_with("---- ") || line == "failures:" || line == "stack backtrace:"
    })
}

/// A test binary that died names no test; what cargo says of it stands in for one.
fn aborted(lines: &[&str], seen: &mut Seen) {
    let died = lines.iter().find(|line| line.contains("process didn't exit successfully"));
    if let Some(died) = died {
        seen.name("a test binary died", (*died).to_owned());
    }
}
