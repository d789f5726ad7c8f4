//! `check_review_approved`: `12-review.md` approves and contradicts itself nowhere.

use super::front::{agree, open_or_body, parse, required, said_as};
use super::{GateInput, Judged, commit, pass};
use crate::artifact::{ArtifactContent, FrontMatter, VerdictWord, reported_findings};
use crate::ids::Revision;
use crate::verdict::Verdict;

const NAME: &str = "12-review.md";
const FIELD: &str = "verdict";

pub(super) fn check(input: &GateInput<'_>) -> Judged {
    report(NAME, input.artifacts.get(NAME), input.at_hand)
}

/// Judges a review. A refused change is a fail with its findings; an approval is looked at for
/// open findings that forbid it.
pub(crate) fn report(name: &str, content: &ArtifactContent, at_hand: Option<&Revision>) -> Judged {
    let front = parse(name, content)?;
    let word = required(name, &front, FIELD)?;
    agree(name, &front, FIELD, word, false)?;
    let compared = commit::if_given(name, &front, at_hand)?;
    let said = format!("`{FIELD}: {}`", said_as(&front, FIELD));
    if word == VerdictWord::Fail {
        // What is malformed in the list can't turn a plain "no" into anything else.
        let listed = reported_findings(&front).unwrap_or_default();
        let title = format!("{name}: {said}");
        return Ok(Verdict::Fail { findings: open_or_body(listed, &front, title) });
    }
    no_blocking_findings(name, &front, &said)?;
    Ok(pass(std::iter::once(format!("{name}: {said}, no open P0 or P1 finding")).chain(compared)))
}

fn no_blocking_findings(name: &str, front: &FrontMatter, said: &str) -> Result<(), String> {
    let listed = reported_findings(front).map_err(|reason| format!("{name}: {reason}"))?;
    if let Some(blocking) = listed.iter().find(|finding| finding.blocks()) {
        let finding = &blocking.finding;
        return Err(format!(
            "{name}: {said} and the open finding \"{finding}\" contradict each other"
        ));
    }
    match listed.iter().find(|finding| finding.open && finding.has_unknown_severity()) {
        Some(odd) => {
            let severity = odd.finding.severity.as_deref().unwrap_or_default();
            let title = &odd.finding.title;
            Err(format!(
                "{name}: the open finding {title:?} has the severity {severity:?}, which is none of P0 P1 P2 P3"
            ))
        }
        None => Ok(()),
    }
}
