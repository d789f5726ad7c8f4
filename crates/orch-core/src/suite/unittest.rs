//! Python's own `unittest`, which Django's runner prints as well.

use super::lines::{block, labelled};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut ran = None;
    let mut open = false;
    for (at, line) in lines.iter().enumerate() {
        if let Some(rest) = line.strip_prefix("Ran ") {
            ran = count(rest);
            open |= ran.is_some();
        } else if let Some(run) = ran
            && let Some(failed) = ended(line)
        {
            let skipped = labelled(line, "skipped=").or_else(|| labelled(line, "skips="));
            let skipped = skipped.unwrap_or(0);
            let passed = run.saturating_sub(failed + skipped);
            seen.summaries.push(Counts { passed, failed, skipped });
            ran = None;
            open = false;
        } else if ended_test(line) {
            open = true;
        } else if (line.starts_with("FAIL: ") || line.starts_with("ERROR: "))
            && lines.get(at + 1).is_some_and(|next| next.starts_with("-----"))
        {
            let name = line.split_once(": ").map_or("", |(_, name)| name);
            let detail =
                block(lines, at + 2, |line| line.starts_with("=====") || line.starts_with("-----"));
            seen.name(name, detail);
        }
    }
    seen.is_open(open);
    seen
}

/// `3 tests in 0.001s`.
fn count(rest: &str) -> Option<u64> {
    let (number, rest) = rest.split_once(' ')?;
    let timed = rest.starts_with("test in ") || rest.starts_with("tests in ");
    timed.then(|| number.parse().ok())?
}

/// How many failed, by the last line of a run.
fn ended(line: &str) -> Option<u64> {
    // Twisted's runner says PASSED.
    let well = ["OK", "PASSED"].into_iter().find_map(|word| line.strip_prefix(word));
    if well.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (")) || line == "NO TESTS RAN"
    {
        return Some(0);
    }
    let failed = line.strip_prefix("FAILED (")?;
    let of = |label| labelled(failed, label).unwrap_or(0);
    Some((of("failures=") + of("errors=") + of("unexpected successes=")).max(1))
}

/// `test_adds (calc.Calc.test_adds) ... ok`, or Django's `Found 3 test(s).`
fn ended_test(line: &str) -> bool {
    let listed = line.strip_prefix("Found ").and_then(|rest| rest.strip_suffix(" test(s)."));
    let told = line.starts_with("test") && line.contains(" (") && line.contains(") ... ");
    told || listed.is_some_and(|number| number.parse::<u64>().is_ok())
}
