//! Maven's Surefire and Failsafe.

use super::lines::{block, labelled};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let (mut tests, mut build) = (false, false);
    for (at, raw) in lines.iter().enumerate() {
        let line = bare(raw);
        let (class, sum) = (is_class(line), is_sum(line));
        let over = line == "BUILD SUCCESS" || line == "BUILD FAILURE";
        // Told quietly, only the sum of the tests ends it.
        tests = (tests || class || line == "T E S T S") && !sum && !over;
        build = (build || line == "Scanning for projects...") && !over;
        if let Some(summary) = line.strip_prefix("Tests run: ") {
            // A class has its time; the line without is the module's sum.
            if sum && raw.starts_with('[') {
                let of = |label| labelled(line, label).unwrap_or(0);
                let run = labelled(&format!(" {summary}"), " ").unwrap_or(0);
                let (failed, skipped) = (of("Failures: ") + of("Errors: "), of("Skipped: "));
                let passed = run.saturating_sub(failed + skipped);
                seen.summaries.push(Counts { passed, failed, skipped });
            } else {
                seen.began = true;
            }
        } else if line.contains("<<< FAILURE!") || line.contains("<<< ERROR!") {
            // A method's line; a class's own begins with `Tests run:`.
            let name = line.split("  Time elapsed").next().unwrap_or(line);
            let name = name.split(" -- Time elapsed").next().unwrap_or(name);
            seen.name(name, block(lines, at + 1, |line| line.starts_with('[') || line.is_empty()));
        } else if line.starts_with("COMPILATION ERROR") {
            seen.build_failed = true;
        } else if matches!(line, "No tests to run." | "No tests were executed!") {
            seen.summaries.push(Counts::default());
        } else if line.contains("There are test failures") {
            seen.failed = true;
        }
    }
    seen.is_open(tests || build);
    seen
}

fn bare(line: &str) -> &str {
    let level =
        ["[INFO]", "[WARNING]", "[ERROR]"].into_iter().find_map(|level| line.strip_prefix(level));
    level.unwrap_or(line).trim()
}

/// The line of a class that ended: it has its time.
fn is_class(line: &str) -> bool {
    line.starts_with("Tests run: ") && line.contains("Failures: ") && line.contains("Time elapsed")
}

/// The line that sums up a module.
fn is_sum(line: &str) -> bool {
    line.starts_with("Tests run: ") && !line.contains("Time elapsed")
}
