//! `check_tests_passed`: `13-test-report.md` passes for the revision at hand.

use super::suite::Suite;
use super::{GateInput, Judged};
use crate::artifact::ArtifactContent;
use crate::ids::Revision;

const NAME: &str = "13-test-report.md";
const SUITE: Suite = Suite { field: "result", strict: true, zero_means_pass: true };

pub(super) fn check(input: &GateInput<'_>) -> Judged {
    report(NAME, input.artifacts.get(NAME), input.at_hand)
}

/// Judges a test report.
pub(crate) fn report(name: &str, content: &ArtifactContent, at_hand: Option<&Revision>) -> Judged {
    SUITE.judge(name, content, at_hand)
}
