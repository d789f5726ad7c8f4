//! `check_staging_status`: `15-staging-log.md` succeeds for the revision at hand.

use super::suite::Suite;
use super::{GateInput, Judged};
use crate::artifact::ArtifactContent;
use crate::ids::Revision;

const NAME: &str = "15-staging-log.md";
const SUITE: Suite = Suite { field: "staging_status", strict: false, zero_means_pass: true };

pub(super) fn check(input: &GateInput<'_>) -> Judged {
    report(NAME, input.artifacts.get(NAME), input.at_hand)
}

/// Judges a staging log.
pub(crate) fn report(name: &str, content: &ArtifactContent, at_hand: Option<&Revision>) -> Judged {
    SUITE.judge(name, content, at_hand)
}
