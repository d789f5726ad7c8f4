//! What gates check, for people and agents.

use orch_core::stage::Gate;

/// What a gate checks, one line each.
pub fn gate_asks(gate: Gate) -> Vec<String> {
    let asks: &[&str] = match gate {
        Gate::AnalysisComplete => &[
            "`01-analysis.md` with `status: ready`",
            "`03-acceptance-criteria.md` with at least one list item",
        ],
        Gate::ArchitectureComplete => &[
            "at least one `06-adr/ADR-NNN-title.md` with `status: proposed` or `status: accepted`, or `06-adr/not-needed.md` with a `reason`",
        ],
        Gate::DevelopmentComplete => &[
            "a change to the repository beyond the artifacts",
            "`11-implementation.md` with `status: ready`",
            "no conflict markers and no leaked tool-call tags in changed files",
        ],
        Gate::ReviewApproved => &[
            "`12-review.md` with `verdict: APPROVED` or `verdict: REQUEST_CHANGES`",
            "`findings`, a list of `{severity: P0|P1|P2|P3, status: open|closed, title: …}`; an approval has no open P0 or P1",
        ],
        Gate::TestsPassed => &[
            "`13-test-report.md` with `result: PASS` or `result: FAIL`",
            "`commit`, the full revision that was tested",
            "`status` and `verdict`, where they are given, say the same as `result`",
        ],
        Gate::StagingStatus => &[
            "`15-staging-log.md` with `staging_status: SUCCESS` or `staging_status: FAILED`",
            "`commit`, the full revision that ran",
        ],
        Gate::DeployStatus => &[
            "`16-deploy-log.md` with `deploy_status: SUCCESS`, `FAILED` or `ROLLED_BACK`",
            "`commit`, the full revision that was deployed",
        ],
        Gate::Merged => &["the branch is part of the default branch"],
        Gate::HumanApproved => &["a person approves"],
    };
    asks.iter().map(|ask| (*ask).to_owned()).collect()
}
