//! Suite: what a test runner's output says of the tests it ran. A file per runner; each reads its
//! own marks and knows nothing of the others.
//!
//! Everything here is read from a program's output and is bounded: names, details and their number.

mod cargo;
mod ctest;
mod custom;
mod cut;
mod go;
mod gradle;
mod jest;
mod junit;
mod lines;
mod maven;
mod mocha;
mod nextest;
mod node;
mod pytest;
mod report;
mod shrink;
mod tap;
mod unittest;
mod vitest;

pub use custom::{Mark, MarkError};
pub use report::{Counts, FailedTest, SuiteReport};
pub use shrink::{FewerTests, fewer_tests};

use report::Seen;

/// What reads one runner's marks from the lines of an output.
type Read = fn(&[&str]) -> Seen;

/// The runners known by their own marks, by name.
const RUNNERS: &[(&str, Read)] = &[
    ("cargo test", cargo::read),
    ("cargo nextest", nextest::read),
    ("pytest", pytest::read),
    ("unittest", unittest::read),
    ("go test", go::read),
    ("node --test", node::read),
    ("jest", jest::read),
    ("vitest", vitest::read),
    ("mocha", mocha::read),
    ("maven", maven::read),
    ("gradle", gradle::read),
    ("ctest", ctest::read),
];

/// Formats that a runner named above may print as well: read only where none of them spoke.
const FORMATS: &[(&str, Read)] = &[("JUnit XML", junit::read), ("TAP", tap::read)];

/// Runners in whose output another one's beginnings may stand: nextest shows what a test program
/// printed, also of one that died and was tried again.
const SHOWS: &[(&str, &str)] = &[("cargo nextest", "cargo test")];

/// Reads what a suite printed. `marks` are the repository's own, for a runner that is not known.
pub fn read(stdout: &str, stderr: &str, marks: &[Mark]) -> SuiteReport {
    let (stdout, stderr) = (lines::plain(stdout), lines::plain(stderr));
    let lines: Vec<&str> = stdout.lines().chain(stderr.lines()).collect();
    let mut report = SuiteReport::default();
    report.unfinished.extend(cut::last_words(&stdout, &stderr));
    for (name, read) in RUNNERS {
        report.add(name, read(&lines));
    }
    for (runner, shown) in SHOWS {
        if report.runners.contains(runner) {
            report.unfinished.retain(|unfinished| unfinished != shown);
        }
    }
    let formats: Vec<_> = FORMATS.iter().map(|(name, read)| (name, read(&lines))).collect();
    let told = report.ran();
    for (name, seen) in formats {
        if told {
            report.note_end(name, &seen);
        } else {
            report.add(name, seen);
        }
    }
    report.add("configured marks", custom::read(marks, &lines));
    report.marks_missing = !marks.is_empty() && !marks.iter().any(|mark| mark.is_in(&lines));
    report.bound();
    report
}
