//! `check_development_complete`: commits exist, the tree is clean, the report is ready, the
//! guards hold.

use super::front::{agree, open_or_body, parse, required, said_as};
use super::{BranchEvidence, GateInput, Judged, pass};
use crate::artifact::{ArtifactContent, VerdictWord, reported_findings};
use crate::verdict::Verdict;

const NAME: &str = "11-implementation.md";

pub(super) fn check(input: &GateInput<'_>) -> Judged {
    let judged = report(NAME, input.artifacts.get(NAME));
    let Some(branch) = input.branch else { return judged.map(artifact_half) };
    let reasons = match judged {
        Ok(Verdict::Pass { reasons }) => reasons,
        Ok(other) => return Ok(other),
        Err(reason) => return Ok(refused_with(branch, Some(reason))),
    };
    let wanting = wanting(branch);
    if !wanting.is_empty() {
        return Ok(Verdict::Refused { reasons: wanting });
    }
    if !branch.guard_findings.is_empty() {
        return Ok(Verdict::Fail { findings: branch.guard_findings.clone() });
    }
    let seen = format!("{} commits on the branch, clean tree, guards hold", branch.commits_ahead);
    Ok(pass(reasons.into_iter().chain([seen])))
}

/// Judges the developer's report. Its `commit` is not compared: the work *makes* the revision.
pub(crate) fn report(name: &str, content: &ArtifactContent) -> Judged {
    let front = parse(name, content)?;
    let word = required(name, &front, "status")?;
    agree(name, &front, "status", word, false)?;
    let line = format!("{name}: `status: {}`", said_as(&front, "status"));
    if word == VerdictWord::Pass {
        return Ok(pass([line]));
    }
    let listed = reported_findings(&front).unwrap_or_default();
    Ok(Verdict::Fail { findings: open_or_body(listed, &front, line) })
}

fn wanting(branch: &BranchEvidence) -> Vec<String> {
    let no_commit = (branch.commits_ahead == 0).then(|| {
        "no commit on the task's branch: nothing was changed outside its artifacts".to_owned()
    });
    let unclean = (!branch.clean)
        .then(|| "the worktree holds uncommitted changes; commit or remove them".to_owned());
    no_commit.into_iter().chain(unclean).collect()
}

fn refused_with(branch: &BranchEvidence, reason: Option<String>) -> Verdict {
    Verdict::Refused { reasons: reason.into_iter().chain(wanting(branch)).collect() }
}

fn artifact_half(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Pass { mut reasons } => {
            reasons.push(
                "only the artifact was judged: commits, clean tree and guards were not looked at"
                    .to_owned(),
            );
            Verdict::Pass { reasons }
        }
        other => other,
    }
}
