//! Lines per crate: code, and tests beside it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A table of lines per crate.
pub fn table(root: &Path) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let dir = entry?.path();
        let mut sizes = Sizes::default();
        count(&dir, false, &mut sizes)?;
        rows.push((dir.file_name().unwrap_or_default().to_string_lossy().into_owned(), sizes));
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let mut text = format!("{:<14} {:>7} {:>7} {:>6}\n", "crate", "code", "tests", "files");
    let mut all = Sizes::default();
    for (name, sizes) in rows {
        let _ =
            writeln!(text, "{name:<14} {:>7} {:>7} {:>6}", sizes.code, sizes.tests, sizes.files);
        all.code += sizes.code;
        all.tests += sizes.tests;
        all.files += sizes.files;
    }
    let _ = writeln!(text, "{:<14} {:>7} {:>7} {:>6}", "all", all.code, all.tests, all.files);
    Ok(text)
}

#[derive(Default)]
struct Sizes {
    code: usize,
    tests: usize,
    files: usize,
}

fn count(dir: &Path, testing: bool, sizes: &mut Sizes) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let of_tests = testing || name == "tests" || name == "tests.rs" || name == "testing.rs";
        if path.is_dir() {
            count(&path, of_tests, sizes)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sizes.files += 1;
            let text = fs::read_to_string(&path)?;
            let lines = text.lines().count();
            let inline =
                text.find("#[cfg(test)]\nmod tests {").map_or(0, |at| text[at..].lines().count());
            let tests = if of_tests { lines } else { inline };
            sizes.tests += tests;
            sizes.code += lines - tests;
        }
    }
    Ok(())
}
