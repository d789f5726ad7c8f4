//! Python's own `unittest`, which Django's runner prints as well.

use super::lines::{block, labelled};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut ran = None;
    for (at, line) in lines.iter().enumerate() {
        if let Some(rest) = line.strip_prefix("Ran ") {
            ran = count(rest);
        } else if let Some(run) = ran
            && let Some(failed) = ended(line)
        {
            let skipped = labelled(line, "skipped=").unwrap_or(0);
            let passed = run.saturating_sub(failed + skipped);
            seen.summaries.push(Counts { passed, failed, skipped });
            ran = None;
        } else if (line.starts_with("FAIL: ") || line.starts_with("ERROR: "))
            && lines.get(at + 1).is_some_and(|next| next.starts_with("-----"))
        {
            let name = line.split_once(": ").map_or("", |(_, name)| name);
            let detail =
                block(lines, at + 2, |line| line.starts_with("=====") || line.starts_with("-----"));
            seen.name(name, detail);
        }
    }
    seen
}

/// `3 tests in 0.001s`.
fn count(rest: &str) -> Option<u64> {
    let (number, rest) = rest.split_once(' ')?;
    rest.starts_with("test").then(|| number.parse().ok())?
}

/// How many failed, by the last line of a run.
fn ended(line: &str) -> Option<u64> {
    if line == "OK" || line.starts_with("OK (") || line == "NO TESTS RAN" {
        return Some(0);
    }
    let failed = line.strip_prefix("FAILED (")?;
    let of = |label| labelled(failed, label).unwrap_or(0);
    Some((of("failures=") + of("errors=") + of("unexpected successes=")).max(1))
}
