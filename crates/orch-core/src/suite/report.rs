//! What was read, added up over the runners that spoke.

use crate::verdict::tail;

/// Failing tests named at most; more help nobody in a brief.
const MAX_FAILURES: usize = 40;
/// The longest name of a test, in characters.
const MAX_NAME: usize = 200;
/// What is quoted of one failure, in bytes.
const MAX_DETAIL: usize = 2 * 1024;

/// How many tests came to which end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, errors included.
    pub failed: u64,
    /// Tests that were left out.
    pub skipped: u64,
}

impl Counts {
    /// Tests that really ran.
    pub fn executed(self) -> u64 {
        self.passed.saturating_add(self.failed)
    }

    /// All tests, those left out included.
    pub fn total(self) -> u64 {
        self.executed().saturating_add(self.skipped)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTest {
    /// Its name as the runner prints it, one line.
    pub name: String,
    /// The end of what it printed of itself, at most 2 KiB; empty where nothing was found.
    pub detail: String,
}

/// What one runner's marks say.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The runner announced tests.
    pub(super) began: bool,
    /// Its summaries, in the order printed; a run of nothing is a summary of zeros.
    pub(super) summaries: Vec<Counts>,
    /// Every test named as failed.
    pub(super) failures: Vec<FailedTest>,
    /// It said that tests failed, named or not.
    pub(super) failed: bool,
    /// What was to be tested could not be built.
    pub(super) build_failed: bool,
    /// Beginnings whose end was not printed: where any is left, the output was cut off.
    open: u32,
}

impl Seen {
    /// A beginning was printed after which the runner always prints an end.
    pub(super) fn opens(&mut self) {
        self.open = self.open.saturating_add(1);
    }

    /// The end of the last beginning; one whose beginning was not kept ends nothing.
    pub(super) fn closes(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Whether an end is missing, for runners whose beginning is any of several lines.
    pub(super) fn is_open(&mut self, open: bool) {
        self.open = u32::from(open);
    }

    fn is_nothing(&self) -> bool {
        !self.began
            && !self.failed
            && !self.build_failed
            && self.summaries.is_empty()
            && self.failures.is_empty()
    }

    /// True where a later summary of as many tests has no failure: the suite was run again.
    fn cured(&self) -> bool {
        let failing = self.summaries.iter().rposition(|counts| counts.failed > 0);
        failing.is_some_and(|at| {
            let failed = self.summaries[at];
            self.summaries[at + 1..].iter().any(|later| later.total() >= failed.total())
        })
    }

    fn counts(&self) -> Option<Counts> {
        // Of a suite that was run again only the later run counts.
        let failing = self.summaries.iter().rposition(|counts| counts.failed > 0);
        let from = failing.filter(|_| self.cured()).map_or(0, |at| at + 1);
        self.summaries[from..].iter().copied().reduce(Counts::plus)
    }

    pub(super) fn name(&mut self, name: &str, detail: String) {
        let name: String = name.trim().chars().take(MAX_NAME).collect();
        if !name.is_empty() && !self.failures.iter().any(|known| known.name == name) {
            self.failures.push(FailedTest { name, detail });
        }
    }
}

/// What a suite's output says, over all runners that spoke in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuiteReport {
    /// The runners whose marks were found.
    pub runners: Vec<&'static str>,
    /// How many tests came to which end; `None` where no runner said.
    pub counts: Option<Counts>,
    /// Tests that failed, at most 40.
    pub failures: Vec<FailedTest>,
    /// Failing tests beyond those.
    pub failures_left_out: usize,
    /// A runner said that tests failed, named or not.
    pub failed: bool,
    /// What was to be tested could not be built, in its compiler's own words.
    pub build_failed: bool,
    /// The suite failed, was run again and then passed; its counts may hold tests twice.
    pub run_again: bool,
    /// Marks are configured and none was printed.
    pub marks_missing: bool,
    /// The runners that printed a beginning and not its end: somebody cut their output off.
    pub unfinished: Vec<&'static str>,
}

impl SuiteReport {
    /// True where tests came to an end of their own, whether good or bad.
    pub fn ran(&self) -> bool {
        self.has_failure()
            || self.counts.is_some_and(|counts| counts.executed() > 0)
            || (!self.runners.is_empty() && self.counts.is_none() && !self.build_failed)
    }

    /// True where a test failed by the runner's own words.
    pub fn has_failure(&self) -> bool {
        self.failed || !self.failures.is_empty()
    }

    /// True where a runner said that it ran nothing.
    pub fn ran_nothing(&self) -> bool {
        !self.has_failure() && self.counts.is_some_and(|counts| counts.executed() == 0)
    }

    pub(super) fn add(&mut self, runner: &'static str, seen: Seen) {
        self.note_end(runner, &seen);
        if seen.is_nothing() {
            return;
        }
        self.runners.push(runner);
        self.counts = match (self.counts, seen.counts()) {
            (Some(one), Some(two)) => Some(one.plus(two)),
            (one, two) => one.or(two),
        };
        self.build_failed |= seen.build_failed;
        self.run_again |= seen.cured();
        if !seen.cured() {
            let counted = seen.summaries.iter().any(|counts| counts.failed > 0);
            self.failed |= seen.failed || counted;
            self.failures.extend(seen.failures);
        }
    }

    /// Takes note of a missing end, and of nothing else.
    pub(super) fn note_end(&mut self, runner: &'static str, seen: &Seen) {
        if seen.open > 0 && !self.unfinished.contains(&runner) {
            self.unfinished.push(runner);
        }
    }

    /// Cuts what is quoted; the output may be megabytes of failures.
    pub(super) fn bound(&mut self) {
        self.failures_left_out = self.failures.len().saturating_sub(MAX_FAILURES);
        self.failures.truncate(MAX_FAILURES);
        for failure in &mut self.failures {
            failure.detail = tail(failure.detail.trim_matches('\n'), MAX_DETAIL).to_owned();
        }
    }
}
