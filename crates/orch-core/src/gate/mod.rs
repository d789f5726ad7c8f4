//! Gates (S1): one deterministic check closes each stage. Artifacts and evidence in, verdict out;
//! whatever is absent, unreadable, contradictory or stale is refused.
//!
//! A file per gate. Every gate is a pure function of [`GateInput`]: the floors above read the
//! files and the branch.

pub(crate) mod analysis;
pub(crate) mod architecture;
mod commit;
pub(crate) mod deploy;
pub(crate) mod development;
mod front;
pub mod guards;
mod human;
mod merged;
pub(crate) mod review;
pub(crate) mod staging;
mod suite;
pub(crate) mod testing;

use jiff::Timestamp;

use crate::artifact::ArtifactSet;
use crate::ids::Revision;
use crate::stage::Gate;
use crate::verdict::{Finding, Verdict};

/// A verdict, or the one reason for which there can't be one.
pub(crate) type Judged = Result<Verdict, String>;

/// Everything a gate may look at.
#[derive(Debug, Clone, Copy)]
pub struct GateInput<'a> {
    /// The task's artifact folder.
    pub artifacts: &'a ArtifactSet,
    /// The revision that verdicts have to speak of; `None` where it is not compared.
    pub at_hand: Option<&'a Revision>,
    /// The task's branch; `None` where only the artifacts can be judged, which a reason then says.
    pub branch: Option<&'a BranchEvidence>,
    /// The landing; `None` where the branch has not landed.
    pub merged: Option<&'a MergeEvidence>,
    /// The approval; `None` where nobody has approved.
    pub approval: Option<&'a Approval>,
}

/// What is true of the task's branch after the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BranchEvidence {
    /// Commits of the branch that the default branch lacks.
    pub commits_ahead: u32,
    /// True where the worktree holds nothing uncommitted.
    pub clean: bool,
    /// Paths changed in this run, outside the artifact folder, that the stage may not write.
    pub outside: Vec<String>,
    /// What the guards of S8 found in the changed files.
    pub guard_findings: Vec<Finding>,
}

/// That the branch is part of the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeEvidence {
    /// The revision that landed.
    pub landed: Revision,
    /// The branch it landed on.
    pub branch: String,
}

/// That a person said yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Asks a gate.
pub fn check(gate: Gate, input: &GateInput<'_>) -> Verdict {
    if let Some(refusal) = outside(input) {
        return refusal;
    }
    let judged = match gate {
        Gate::AnalysisComplete => Ok(analysis::check(input)),
        Gate::ArchitectureComplete => architecture::check(input),
        Gate::DevelopmentComplete => development::check(input),
        Gate::ReviewApproved => review::check(input),
        Gate::TestsPassed => testing::check(input),
        Gate::StagingStatus => staging::check(input),
        Gate::Merged => merged::check(input),
        Gate::DeployStatus => deploy::check(input),
        Gate::HumanApproved => human::check(input),
    };
    judged.unwrap_or_else(Verdict::refused)
}

/// A stage that wrote where it may not is judged by nothing that it says of itself.
fn outside(input: &GateInput<'_>) -> Option<Verdict> {
    const SHOWN: usize = 20;
    let paths = &input.branch?.outside;
    if paths.is_empty() {
        return None;
    }
    let mut reasons: Vec<String> = paths
        .iter()
        .take(SHOWN)
        .map(|path| format!("{path} was changed, which this stage may not write; leave it alone"))
        .collect();
    if paths.len() > SHOWN {
        reasons.push(format!("and {} more such paths", paths.len() - SHOWN));
    }
    Some(Verdict::Refused { reasons })
}

fn pass(reasons: impl IntoIterator<Item = String>) -> Verdict {
    Verdict::Pass { reasons: reasons.into_iter().collect() }
}
