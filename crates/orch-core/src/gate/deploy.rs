//! `check_deploy_status`: `16-deploy-log.md` succeeds for the merged revision.

use super::suite::Suite;
use super::{GateInput, Judged};
use crate::artifact::ArtifactContent;
use crate::ids::Revision;

const NAME: &str = "16-deploy-log.md";
const SUITE: Suite = Suite { field: "deploy_status", strict: false, zero_means_pass: false };

pub(super) fn check(input: &GateInput<'_>) -> Judged {
    let landed = input.merged.map(|merged| &merged.landed);
    report(NAME, input.artifacts.get(NAME), input.at_hand.or(landed))
}

/// Judges a deploy log.
pub(crate) fn report(name: &str, content: &ArtifactContent, at_hand: Option<&Revision>) -> Judged {
    SUITE.judge(name, content, at_hand)
}
