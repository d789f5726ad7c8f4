//! `go test`: tests are counted only with `-v`; without it only packages are named.

use super::lines::block;
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut counts = Counts::default();
    let (mut packages, mut empty) = (0_u32, 0_u32);
    let mut open = false;
    for (at, line) in lines.iter().enumerate() {
        let line = *line;
        let test = line.trim_start();
        if let Some(name) = test.strip_prefix("--- FAIL: ") {
            seen.name(without_time(name), detail(lines, at));
            counts.failed += 1;
        } else if test.starts_with("--- PASS: ") {
            counts.passed += 1;
        } else if test.starts_with("--- SKIP: ") {
            counts.skipped += 1;
        } else if line.starts_with("=== RUN ") {
            seen.began = true;
            open = true;
        } else if line == "PASS" || line == "FAIL" {
            // A compiled test program says no more than this.
            open = false;
        } else if line.starts_with("ok  \t") || line.starts_with("ok\t") {
            open = false;
            packages += 1;
            empty += u32::from(line.contains("[no tests to run]"));
        } else if line.starts_with("?   \t") && line.contains("[no test files]") {
            packages += 1;
            empty += 1;
        } else if let Some(package) = line.strip_prefix("FAIL\t") {
            open = false;
            packages += 1;
            let broken = package.contains("[build failed]") || package.contains("[setup failed]");
            seen.build_failed |= broken;
            seen.failed |= !broken;
        }
    }
    if seen.began {
        // With -v every test says its end.
        seen.summaries.push(counts);
    } else if packages > 0 && packages == empty {
        seen.summaries.push(Counts::default());
    }
    seen.began |= packages > empty;
    seen.is_open(open);
    seen
}

fn without_time(name: &str) -> &str {
    name.rsplit_once(" (").map_or(name, |(name, _)| name)
}

fn ends(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("--- ")
        || line.starts_with("=== ")
        || line.starts_with("FAIL")
        || line == "PASS"
        || line.starts_with("ok  \t")
}

fn detail(lines: &[&str], at: usize) -> String {
    let after = block(lines, at + 1, ends);
    if !after.trim().is_empty() {
        return after;
    }
    // With -v a test's own lines stand before its end.
    let start = lines[..at].iter().rposition(|line| ends(line)).map_or(0, |start| start + 1);
    block(&lines[..at], start.max(at.saturating_sub(30)), |_| false)
}
