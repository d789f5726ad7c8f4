//! `check_development_complete`, and what every gate asks of the branch.

use orch_core::gate::{BranchEvidence, GateInput, check};
use orch_core::stage::Gate;
use orch_core::verdict::{Finding, Verdict};

use crate::support::{ask, expect, revision, set};

fn good() -> BranchEvidence {
    BranchEvidence { commits_ahead: 1, clean: true, ..BranchEvidence::default() }
}

fn develop(report: &str, branch: &BranchEvidence) -> Verdict {
    let artifacts = set(&[("11-implementation.md", report)]);
    let input = GateInput {
        artifacts: &artifacts,
        at_hand: Some(&revision('a')),
        branch: Some(branch),
        merged: None,
        approval: None,
    };
    check(Gate::DevelopmentComplete, &input)
}

const READY: &str = "---\nstatus: ready\ncommit: the one I just made\n---\n";

#[test]
fn the_branch_has_to_hold_clean_guarded_work() {
    let guard = Finding::new("src/a.rs:3: conflict markers");
    let cases = [
        ("all well", good(), "pass", "1 commits on the branch"),
        ("no commit", BranchEvidence { commits_ahead: 0, ..good() }, "refused", "no commit on"),
        ("unclean", BranchEvidence { clean: false, ..good() }, "refused", "uncommitted changes"),
        (
            "outside",
            BranchEvidence { outside: vec![".ci/run".into()], ..good() },
            "refused",
            ".ci/run was changed, which this stage may not write",
        ),
        (
            "guards",
            BranchEvidence { guard_findings: vec![guard], ..good() },
            "fail",
            "src/a.rs:3: conflict markers",
        ),
    ];
    for (case, branch, word, reason) in cases {
        expect(&develop(READY, &branch), word, reason, case);
    }
}

#[test]
fn every_lack_is_named_at_once() {
    let nothing = BranchEvidence::default();
    let lines = develop("no front matter", &nothing).lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let Verdict::Refused { reasons } = develop(READY, &nothing) else { panic!("refused") };
    assert_eq!(reasons.len(), 2, "{reasons:?}");
}

#[test]
fn the_report_has_to_be_ready() {
    let cases = [
        ("---\nstatus: READY\n---\n", "pass", "`status: READY`"),
        ("---\nstatus: failed\n---\nThe build is broken.", "fail", "`status: failed`"),
        ("---\nstatus: wip\n---\n", "refused", "no verdict"),
        ("---\nstatus: ready\nresult: FAIL\n---\n", "refused", "contradict"),
        ("---\n---\nstatus: ready\n", "refused", "no field `status`"),
    ];
    for (report, word, reason) in cases {
        expect(&develop(report, &good()), word, reason, report);
    }
}

#[test]
fn without_the_branch_only_the_artifact_half_is_judged_and_said_so() {
    let files = set(&[("11-implementation.md", READY)]);
    let verdict = ask(Gate::DevelopmentComplete, &files, None);
    expect(&verdict, "pass", "only the artifact was judged", "half");
}

#[test]
fn a_stage_that_wrote_outside_its_artifacts_is_refused_whatever_it_says() {
    let artifacts = set(&[("12-review.md", "---\nverdict: APPROVED\n---\n")]);
    let outside = (0..30).map(|n| format!("src/{n}.rs")).collect();
    let branch = BranchEvidence { outside, ..good() };
    let input = GateInput {
        artifacts: &artifacts,
        at_hand: None,
        branch: Some(&branch),
        merged: None,
        approval: None,
    };
    let verdict = check(Gate::ReviewApproved, &input);
    expect(&verdict, "refused", "src/0.rs was changed", "named");
    expect(&verdict, "refused", "and 10 more such paths", "bounded");
}
