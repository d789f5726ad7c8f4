//! The files of the repository: links, decision records, words that have no place here.

use std::fs;
use std::path::{Path, PathBuf};

use super::markdown::{Markdown, all_pages, page, relative};

/// What is no part of the project's own text.
const SKIPPED: &[&str] = &[".git", "target"];

/// Every file of the project, in order.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the repository can be read").flatten() {
            let path = entry.path();
            let skipped = SKIPPED.iter().any(|name| path.file_name().is_some_and(|n| n == *name));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !skipped => folders.push(path),
                Ok(kind) if kind.is_file() => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_relative_link_leads_somewhere() {
    let root = crate::root();
    let mut seen = 0;
    for page in all_pages() {
        for link in page.links() {
            seen += 1;
            assert!(root.join(&link).exists(), "{}: {}", page.path, link.display());
        }
    }
    assert!(seen > 30, "only {seen} links were found");
}

#[test]
fn every_page_of_the_docs_is_linked() {
    let root = crate::root();
    let real = |path: &Path| fs::canonicalize(root.join(path)).ok();
    let linked: Vec<PathBuf> =
        all_pages().iter().flat_map(Markdown::links).filter_map(|link| real(&link)).collect();
    for page in all_pages().iter().filter(|page| page.path.starts_with("docs/")) {
        let path = real(Path::new(&page.path)).expect("a page that was read is there");
        assert!(linked.contains(&path), "nothing links to {}", page.path);
    }
}

/// What stands as a proof is a function that is there, or a scenario that is there.
#[test]
fn the_tests_that_are_named_as_proof_exist() {
    let root = crate::root();
    let code: Vec<String> = files(&root.join("crates"))
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| fs::read_to_string(path).expect("a source is text"))
        .collect();
    let mut seen = 0;
    for row in page("docs/reliability.md").rows().filter(|row| row[1].starts_with('`')) {
        for name in row[1].split('`').skip(1).step_by(2).filter(|span| !span.contains(' ')) {
            seen += 1;
            let function = format!("fn {name}(");
            let scenario = root.join(format!("docs/reliability/scripts/{name}.txt"));
            let there = code.iter().any(|text| text.contains(&function)) || scenario.exists();
            assert!(there, "docs/reliability.md names {name}, which is no test and no scenario");
        }
    }
    assert!(seen > 40, "only {seen} proofs were found");
}

/// Numbers without gaps and without a double, each record in the list and titled alike.
#[test]
fn decision_records_are_numbered_and_listed() {
    let root = crate::root();
    let names: Vec<String> = files(&root.join("docs/adr"))
        .iter()
        .filter_map(|path| path.file_name()?.to_str().map(ToOwned::to_owned))
        .filter(|name| name != "README.md")
        .collect();
    assert!(!names.is_empty());
    let list = page("docs/adr/README.md");
    for (index, name) in names.iter().enumerate() {
        let number = format!("{:04}", index + 1);
        assert!(name.starts_with(&format!("{number}-")), "{name} should have number {number}");
        assert!(list.text.contains(&format!("[{number}]({name})")), "{name} is not listed");
        let record = page(&format!("docs/adr/{name}"));
        assert!(record.text.starts_with(&format!("# ADR {number}: ")), "{name}: its title");
    }
    assert_eq!(list.links().len(), names.len(), "the list names records that are not there");
}

/// Paths of one machine have no place in the project.
#[test]
fn no_file_names_the_place_where_it_was_written() {
    let forbidden = [concat!("/wo", "rk/"), concat!("../sha", "red")];
    let root = crate::root();
    let own = ["rs", "md", "toml", "sql", "sh", "j2", "yml", "yaml", "json", "example", "snap", ""];
    for path in files(&root) {
        let ending = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        if !own.contains(&ending) {
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for word in forbidden {
            let line = text.lines().position(|line| line.contains(word)).map(|at| at + 1);
            assert_eq!(line, None, "{} names {word}", relative(&root, &path));
        }
    }
}
