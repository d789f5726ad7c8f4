//! `node --test` with its reporter for people.

use super::lines::block;
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    seen.is_open(unsummed(lines));
    let figure = |label: &str| -> Option<u64> {
        lines.iter().rev().find_map(|line| {
            let text = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?;
            text.strip_prefix(label)?.strip_prefix(' ')?.trim().parse().ok()
        })
    };
    let (Some(passed), Some(failed)) = (figure("pass"), figure("fail")) else { return seen };
    let cancelled = figure("cancelled").unwrap_or(0);
    let skipped = figure("skipped").unwrap_or(0) + figure("todo").unwrap_or(0);
    seen.summaries.push(Counts { passed, failed: failed + cancelled, skipped });
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let name = text.strip_prefix("✖ ").or_else(|| {
            let (_, name) = text.strip_prefix("not ok ")?.split_once(" - ")?;
            (!name.contains("# TODO")).then_some(name)
        });
        if let Some(name) = name.filter(|name| *name != "failing tests:") {
            let name =
                name.rsplit_once(" (").filter(|(_, t)| t.ends_with("ms)")).map_or(name, |n| n.0);
            let ends = |line: &str| {
                let line = line.trim_start();
                line.is_empty()
                    || line.starts_with(['✖', '✔', '﹣', 'ℹ', '#'])
                    || line.starts_with("ok ")
                    || line.starts_with("not ok ")
            };
            seen.name(name, block(lines, at + 1, ends));
        }
    }
    seen
}

/// True where tests ended (`✔ adds (0.92ms)`, at the margin) and the figures of all did not follow.
fn unsummed(lines: &[&str]) -> bool {
    let mut open = false;
    for line in lines {
        let of_a_test = line.starts_with("✔ ") || line.starts_with("✖ ") || line.starts_with("▶ ");
        let timed = line.trim_end().strip_suffix("ms)").and_then(|line| line.rsplit_once(" ("));
        let timed =
            timed.is_some_and(|(_, time)| time.contains('.') && time.parse::<f64>().is_ok());
        open |= of_a_test && timed;
        open &= !line.starts_with("ℹ fail ");
    }
    open
}
