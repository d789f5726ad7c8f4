//! The standard pipeline (S1): one table, [`STAGE_TRANSITIONS`], from which everything else that
//! speaks of stages derives.

use serde::{Deserialize, Serialize};

/// One row of the standard pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTransition {
    /// Where the task stands.
    pub stage: &'static str,
    /// Who works the stage by default; `None` for `created`, which needs no work.
    pub work: Option<StageWork>,
    /// Where the task stands after a pass.
    pub next: &'static str,
}

/// How a stage of the standard pipeline is worked and judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageWork {
    /// The default producer: an agent's role, or a reserved runner.
    pub producer: &'static str,
    /// The agent that does the stage when the runner is switched off.
    pub fallback: Option<&'static str>,
    /// The artifacts the producer leaves, relative to the task's artifact folder.
    pub artifacts: &'static [&'static str],
    /// The check that closes the stage.
    pub gate: Gate,
    /// What a failed verdict leads to.
    pub on_fail: DefaultOnFail,
}

/// What a failed verdict leads to in the standard pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultOnFail {
    /// The same stage again; burns the stage's own attempts.
    Retry,
    /// Back to the named stage; burns its bounce budget.
    Bounce(&'static str),
    /// The task is parked with a reason.
    Hold,
}

/// The start of every task, before its first stage.
pub const CREATED: &str = "created";
/// The end of every task.
pub const DONE: &str = "done";
/// The stage that only lands the branch, for repositories with nothing to deploy.
pub const MERGE: &str = "merge";

/// `created → analysis → architecture → development → review → testing → deploy-staging → deploy → done`
/// (S1). The one table of the standard pipeline.
pub const STAGE_TRANSITIONS: [StageTransition; 8] = [
    StageTransition { stage: CREATED, work: None, next: "analysis" },
    row(
        "analysis",
        "analyst",
        None,
        &["01-analysis.md", "03-acceptance-criteria.md"],
        Gate::AnalysisComplete,
        DefaultOnFail::Retry,
        "architecture",
    ),
    row(
        "architecture",
        "architect",
        None,
        &["06-adr", "08-data-requirements.md", "10-tech-risks.md"],
        Gate::ArchitectureComplete,
        DefaultOnFail::Retry,
        "development",
    ),
    row(
        "development",
        "developer",
        None,
        &["11-implementation.md"],
        Gate::DevelopmentComplete,
        DefaultOnFail::Retry,
        "review",
    ),
    row(
        "review",
        "reviewer",
        None,
        &["12-review.md"],
        Gate::ReviewApproved,
        DefaultOnFail::Bounce("development"),
        "testing",
    ),
    row(
        "testing",
        TEST_RUNNER,
        Some("tester"),
        &["13-test-report.md"],
        Gate::TestsPassed,
        DefaultOnFail::Bounce("development"),
        "deploy-staging",
    ),
    row(
        "deploy-staging",
        STAGING_RUNNER,
        Some("deployer"),
        &["15-staging-log.md"],
        Gate::StagingStatus,
        DefaultOnFail::Bounce("development"),
        "deploy",
    ),
    row(
        "deploy",
        DEPLOY_FINALIZER,
        None,
        &["16-deploy-log.md"],
        Gate::DeployStatus,
        DefaultOnFail::Hold,
        DONE,
    ),
];

const fn row(
    stage: &'static str,
    producer: &'static str,
    fallback: Option<&'static str>,
    artifacts: &'static [&'static str],
    gate: Gate,
    on_fail: DefaultOnFail,
    next: &'static str,
) -> StageTransition {
    StageTransition {
        stage,
        work: Some(StageWork { producer, fallback, artifacts, gate, on_fail }),
        next,
    }
}

/// Looks a stage of the standard pipeline up.
pub fn standard(stage: &str) -> Option<&'static StageTransition> {
    STAGE_TRANSITIONS.iter().find(|row| row.stage == stage)
}

/// The runner of the repository's tests.
pub const TEST_RUNNER: &str = "test-runner";
/// The runner of the staging suite.
pub const STAGING_RUNNER: &str = "staging-runner";
/// The runner of the deploy command, after the merge gate.
pub const DEPLOY_FINALIZER: &str = "deploy-finalizer";
/// The watcher of a deployed revision.
pub const POST_DEPLOY_MONITOR: &str = "post-deploy-monitor";
/// The lander of branches.
pub const MERGE_GATE: &str = "merge-gate";

/// Names that `launch_job` intercepts before an LLM is ever started (S6).
pub const RESERVED_AGENTS: [&str; 5] =
    [TEST_RUNNER, STAGING_RUNNER, DEPLOY_FINALIZER, POST_DEPLOY_MONITOR, MERGE_GATE];

/// The roles that an LLM agent can be given; each has a prompt template (S6).
pub const AGENT_ROLES: [&str; 6] =
    ["analyst", "architect", "developer", "reviewer", "tester", "deployer"];

/// A deterministic check that closes a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Gate {
    /// `01-analysis.md` ready and at least one acceptance criterion.
    #[serde(rename = "check_analysis_complete")]
    AnalysisComplete,
    /// An ADR, or the reason why none is needed.
    #[serde(rename = "check_architecture_complete")]
    ArchitectureComplete,
    /// Commits exist, the tree is clean, the report is ready, the guards hold.
    #[serde(rename = "check_development_complete")]
    DevelopmentComplete,
    /// `12-review.md` approves and contradicts itself nowhere.
    #[serde(rename = "check_review_approved")]
    ReviewApproved,
    /// `13-test-report.md` passes for the revision at hand.
    #[serde(rename = "check_tests_passed")]
    TestsPassed,
    /// `15-staging-log.md` succeeds for the revision at hand.
    #[serde(rename = "check_staging_status")]
    StagingStatus,
    /// The branch is part of the default branch.
    #[serde(rename = "check_merged")]
    Merged,
    /// `16-deploy-log.md` succeeds for the merged revision.
    #[serde(rename = "check_deploy_status")]
    DeployStatus,
    /// A human said yes.
    #[serde(rename = "check_human_approved")]
    HumanApproved,
}

impl Gate {
    /// Every gate there is.
    pub const ALL: [Self; 9] = [
        Self::AnalysisComplete,
        Self::ArchitectureComplete,
        Self::DevelopmentComplete,
        Self::ReviewApproved,
        Self::TestsPassed,
        Self::StagingStatus,
        Self::Merged,
        Self::DeployStatus,
        Self::HumanApproved,
    ];

    /// The name used in `orch.toml`, events and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::AnalysisComplete => "check_analysis_complete",
            Self::ArchitectureComplete => "check_architecture_complete",
            Self::DevelopmentComplete => "check_development_complete",
            Self::ReviewApproved => "check_review_approved",
            Self::TestsPassed => "check_tests_passed",
            Self::StagingStatus => "check_staging_status",
            Self::Merged => "check_merged",
            Self::DeployStatus => "check_deploy_status",
            Self::HumanApproved => "check_human_approved",
        }
    }

    /// Looks a gate up by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gate| gate.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_one_chain_from_created_to_done() {
        let mut at = CREATED;
        let mut walked = vec![at];
        while let Some(row) = standard(at) {
            at = row.next;
            walked.push(at);
        }
        assert_eq!(
            walked.join(" → "),
            "created → analysis → architecture → development → review → testing → deploy-staging → deploy → done"
        );
        assert_eq!(walked.len(), STAGE_TRANSITIONS.len() + 1);
    }

    #[test]
    fn bounces_of_the_table_go_backwards() {
        for (index, row) in STAGE_TRANSITIONS.iter().enumerate() {
            let Some(StageWork { on_fail: DefaultOnFail::Bounce(to), .. }) = row.work else {
                continue;
            };
            let target = STAGE_TRANSITIONS.iter().position(|r| r.stage == to);
            assert!(target.is_some_and(|t| t < index), "{} bounces to {to}", row.stage);
        }
    }
}
