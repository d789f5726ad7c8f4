//! Last words that are nobody's: lines after which a runner always prints more.

/// What cargo says while it has not come to the tests yet.
const AT_WORK: [&str; 2] = ["   Compiling ", "  Downloading "];
/// What it says before a test program of the usual harness is started.
const BEFORE_TESTS: [&str; 2] = ["     Running unittests ", "   Doc-tests "];

/// The runner whose output ends in the middle, by the last line of it.
pub(super) fn last_words(stdout: &str, stderr: &str) -> Option<&'static str> {
    let last = |text: &str| {
        let line = text.lines().rev().find(|line| !line.trim().is_empty());
        line.map(str::to_owned).unwrap_or_default()
    };
    let (out, err) = (last(stdout), last(stderr));
    let is = |line: &str, words: &[&str]| words.iter().any(|word| line.starts_with(word));
    let at_work = is(&out, &AT_WORK) || is(&err, &AT_WORK);
    // Results go to standard output: beside them the last of these lines is standard error's end.
    let before_tests = is(if out.is_empty() { &err } else { &out }, &BEFORE_TESTS);
    (at_work || before_tests).then_some("cargo test")
}
