//! JUnit's XML on standard output, by its `testcase` elements.

use super::lines::block;
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    if !lines.iter().any(|line| line.contains("<testsuite")) {
        return seen;
    }
    let mut counts = Counts::default();
    let mut current: Option<String> = None;
    let mut end = End::Passed;
    for (at, line) in lines.iter().enumerate() {
        // Several elements may stand on one line.
        for part in line.split('<').skip(1) {
            if part.starts_with("testsuite") {
                if !part.trim_end().ends_with("/>") {
                    seen.opens();
                }
            } else if part.starts_with("/testsuite") {
                seen.closes();
            } else if part.starts_with("testcase ") {
                current = attribute(part, "name");
                end = End::Passed;
                if part.trim_end().ends_with("/>") {
                    counts.passed += 1;
                    current = None;
                }
            } else if part.starts_with("skipped") {
                end = End::Skipped;
            } else if part.starts_with("failure") || part.starts_with("error") {
                end = End::Failed;
                if let Some(name) = &current {
                    seen.name(name, block(lines, at, |line| line.contains("</testcase")));
                }
            } else if part.starts_with("/testcase") {
                match end {
                    End::Passed => counts.passed += 1,
                    End::Failed => counts.failed += 1,
                    End::Skipped => counts.skipped += 1,
                }
                current = None;
            }
        }
    }
    seen.summaries.push(counts);
    seen
}

enum End {
    Passed,
    Failed,
    Skipped,
}

fn attribute(element: &str, name: &str) -> Option<String> {
    let value = element.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    Some(
        value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&"),
    )
}
