//! Gradle, which counts tests only where one failed.

use super::lines::{block, numbered};
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let (mut tasks, mut empty) = (0_u32, 0_u32);
    let mut open = false;
    for (at, line) in lines.iter().enumerate() {
        open |= line.starts_with("> Task :");
        open &= !line.starts_with("BUILD SUCCESSFUL") && !line.starts_with("BUILD FAILED");
        if let Some(task) = test_task(line) {
            tasks += 1;
            empty += u32::from(task.ends_with("NO-SOURCE"));
        } else if line.contains(" completed, ") && line.contains(" failed") {
            let of = |wanted: &[&str]| {
                numbered(line).find(|(_, word)| wanted.contains(word)).map_or(0, |(n, _)| n)
            };
            let (all, failed, skipped) =
                (of(&["tests", "test"]), of(&["failed"]), of(&["skipped"]));
            if all > 0 {
                let passed = all.saturating_sub(failed + skipped);
                seen.summaries.push(Counts { passed, failed, skipped });
            }
        } else if let Some(name) = line.strip_suffix(" FAILED")
            && name.contains(" > ")
            && !name.starts_with("> Task")
        {
            seen.name(name, block(lines, at + 1, str::is_empty));
        } else if line.contains("Compilation failed; see the compiler") {
            seen.build_failed = true;
        }
    }
    if tasks > 0 && tasks == empty {
        seen.summaries.push(Counts::default());
    }
    seen.began |= tasks > empty;
    seen.is_open(open);
    seen
}

/// `> Task :app:test`, a task that runs tests.
fn test_task(line: &str) -> Option<&str> {
    let task = line.strip_prefix("> Task :")?;
    let path = task.split(' ').next()?;
    let name = path.rsplit(':').next()?;
    (name == "test" || name.ends_with("Test")).then_some(task)
}
