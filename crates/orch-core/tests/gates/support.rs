//! Values and one assertion for gate tests.

use orch_core::artifact::{ArtifactContent, ArtifactSet};
use orch_core::gate::{GateInput, check};
use orch_core::ids::Revision;
use orch_core::stage::Gate;
use orch_core::verdict::Verdict;

pub fn revision(digit: char) -> Revision {
    Revision::new(digit.to_string().repeat(40)).expect("40 hexadecimal digits are a revision")
}

pub fn text(text: &str) -> ArtifactContent {
    ArtifactContent::text(text)
}

pub fn set(files: &[(&str, &str)]) -> ArtifactSet {
    files.iter().map(|(path, content)| (*path, text(content))).collect()
}

/// Asks a gate about artifacts alone.
pub fn ask(gate: Gate, artifacts: &ArtifactSet, at_hand: Option<&Revision>) -> Verdict {
    check(gate, &GateInput { artifacts, at_hand, branch: None, merged: None, approval: None })
}

/// Asserts the verdict's word and that its lines say `reason`.
#[track_caller]
pub fn expect(verdict: &Verdict, word: &str, reason: &str, case: &str) {
    let lines = verdict.lines();
    assert_eq!(verdict.word(), word, "{case}: {lines:?}");
    assert!(lines.iter().any(|line| line.contains(reason)), "{case}: no {reason:?} in {lines:?}");
}
