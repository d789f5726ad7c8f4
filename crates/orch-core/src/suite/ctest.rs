//! CTest.

use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut listing = false;
    for line in lines {
        if let Some((head, all)) = line.split_once(" tests failed out of ")
            && let (Some((_, failed)), Ok(all)) =
                (head.rsplit_once(", "), all.trim().parse::<u64>())
        {
            let failed: u64 = failed.trim().parse().unwrap_or(0);
            let passed = all.saturating_sub(failed);
            seen.summaries.push(Counts { passed, failed, skipped: 0 });
            seen.closes();
        } else if line.starts_with("Test project ") {
            seen.began = true;
            seen.opens();
        } else if line.starts_with("No tests were found!!!") || lists(line, &seen) {
            seen.summaries.push(Counts::default());
            seen.closes();
        } else if line.starts_with("The following tests FAILED:") {
            listing = true;
        } else if listing
            && let Some((number, rest)) = line.trim().split_once(" - ")
            && number.parse::<u32>().is_ok()
        {
            let name = rest.rsplit_once(" (").map_or(rest, |(name, _)| name);
            seen.name(name, detail(lines, name));
        }
    }
    seen
}

/// `Total Tests: 3`, the end of a list of tests that were not run (`-N`).
fn lists(line: &str, seen: &Seen) -> bool {
    let total = line.strip_prefix("Total Tests: ");
    seen.began && total.is_some_and(|total| total.trim().parse::<u64>().is_ok())
}

/// What `--output-on-failure` printed below the test's own line.
fn detail(lines: &[&str], name: &str) -> String {
    let own = |line: &str| line.contains("Test ") && line.contains(&format!(": {name} ..."));
    let Some(at) = lines.iter().position(|line| own(line)) else { return String::new() };
    let ends =
        |line: &str| line.trim_start().starts_with("Start ") || line.contains("% tests passed");
    super::lines::block(lines, at, ends)
}
