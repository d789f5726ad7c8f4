//! Mocha, and what prints as it does (Cypress).

use super::lines::{block, numbered};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut counts = None;
    let mut listing = None;
    // A line at the margin is another program's, such as Jest's, which ticks off tests as well.
    let (mut titled, mut open) = (false, false);
    for (at, line) in lines.iter().enumerate() {
        let indented = line.starts_with("  ") && !line.starts_with("   ");
        titled = (titled && (line.is_empty() || line.starts_with(' ')))
            || (indented && at > 0 && lines[at - 1].is_empty());
        open |= titled && ended_test(line);
        match numbered(line).next().filter(|_| indented) {
            Some((number, "passing")) => {
                open = false;
                seen.summaries.extend(counts.take());
                counts = Some(Counts { passed: number, ..Counts::default() });
            }
            Some((number, "failing")) => {
                counts.get_or_insert_default().failed = number;
                listing = Some(at);
            }
            Some((number, "pending")) => counts.get_or_insert_default().skipped = number,
            _ => {}
        }
        if listing.is_some()
            && indented
            && let Some(title) = ordinal(line)
        {
            // The last part of the title stands alone on the line that ends with a colon.
            let title_end = (at..lines.len().min(at + 12)).find(|i| lines[*i].ends_with(':'));
            let parts = &lines[at + 1..title_end.map_or(at + 1, |end| end + 1)];
            let name = std::iter::once(title).chain(parts.iter().map(|part| part.trim()));
            let name = name.collect::<Vec<_>>().join(" ");
            let after = title_end.map_or(at + 1, |end| end + 1);
            let next = |line: &str| {
                line.starts_with("  ") && !line.starts_with("   ") && ordinal(line).is_some()
            };
            seen.name(name.trim_end_matches(':'), block(lines, after, next));
        } else if line.starts_with("Error: No test files found") {
            seen.summaries.push(Counts::default());
        }
    }
    seen.summaries.extend(counts);
    seen.is_open(open);
    seen
}

/// `  1) calc` gives `calc`.
fn ordinal(line: &str) -> Option<&str> {
    let (number, title) = line.trim_start().split_once(") ")?;
    number.parse::<u32>().ok().map(|_| title)
}

/// `    ✔ adds`, below its suite's title.
fn ended_test(line: &str) -> bool {
    let text = line.trim_start();
    line.starts_with("  ") && (text.starts_with("✔ ") || text.starts_with("✓ "))
}
