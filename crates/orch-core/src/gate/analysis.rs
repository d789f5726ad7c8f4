//! `check_analysis_complete`: `01-analysis.md` is ready and there is something to accept by.

use super::front::{agree, open_or_body, parse, required, said_as};
use super::{GateInput, Judged, commit, pass};
use crate::artifact::{ArtifactContent, VerdictWord, criteria_in, reported_findings};
use crate::ids::Revision;
use crate::verdict::Verdict;

const NAME: &str = "01-analysis.md";
const CRITERIA: &str = "03-acceptance-criteria.md";

pub(super) fn check(input: &GateInput<'_>) -> Verdict {
    let report = report(NAME, input.artifacts.get(NAME), input.at_hand);
    let criteria = criteria(CRITERIA, input.artifacts.get(CRITERIA));
    match (report, criteria) {
        (Ok(Verdict::Pass { mut reasons }), Ok(line)) => {
            reasons.push(line);
            Verdict::Pass { reasons }
        }
        (Ok(failed @ Verdict::Fail { .. }), _) => failed,
        (report, criteria) => {
            let reasons = [report.err(), criteria.err()].into_iter().flatten().collect();
            Verdict::Refused { reasons }
        }
    }
}

/// Judges the analysis.
pub(crate) fn report(name: &str, content: &ArtifactContent, at_hand: Option<&Revision>) -> Judged {
    let front = parse(name, content)?;
    let word = required(name, &front, "status")?;
    agree(name, &front, "status", word, false)?;
    let compared = commit::if_given(name, &front, at_hand)?;
    let line = format!("{name}: `status: {}`", said_as(&front, "status"));
    if word == VerdictWord::Pass {
        return Ok(pass(std::iter::once(line).chain(compared)));
    }
    let listed = reported_findings(&front).unwrap_or_default();
    Ok(Verdict::Fail { findings: open_or_body(listed, &front, line) })
}

/// Counts the acceptance criteria; none is a refusal.
pub(crate) fn criteria(name: &str, content: &ArtifactContent) -> Result<String, String> {
    match criteria_in(content).map_err(|problem| format!("{name}: {problem}"))? {
        0 => Err(format!(
            "{name}: no list item outside code fences; write each criterion as `- …` or `1. …`"
        )),
        1 => Ok(format!("{name}: 1 criterion")),
        count => Ok(format!("{name}: {count} criteria")),
    }
}
