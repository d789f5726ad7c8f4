//! The gates of analysis, of a landing and of a person's approval.

use orch_core::gate::{Approval, GateInput, MergeEvidence, check};
use orch_core::stage::Gate;

use crate::support::{ask, expect, revision, set};

const READY: &str = "---\nstatus: ready\n---\n";

#[test]
fn an_analysis_is_ready_and_has_criteria() {
    let good = "# Criteria\n- adds two numbers\n";
    let cases = [
        (READY, good, "pass", "03-acceptance-criteria.md: 1 criterion"),
        ("---\nstatus: draft\n---\n", good, "refused", "`status` is \"draft\""),
        ("---\nstatus: FAILED\n---\nunclear\n", good, "fail", "`status: FAILED`"),
        ("status: ready\n", good, "refused", "first line"),
        (READY, "", "refused", "no list item"),
        (READY, "adds two numbers\n", "refused", "no list item"),
        (READY, "```\n- in a fence\n```\n", "refused", "no list item"),
        (READY, "~~~ md\n- in a fence\n```\n- still\n", "refused", "no list item"),
        (READY, "````\n```\n- x\n````\n- out\n", "pass", "1 criterion"),
        (READY, "<!--\n- a template's example\n-->\n", "refused", "no list item"),
        (READY, "---\nlist:\n- in the front matter\n---\n", "refused", "no list item"),
        (READY, "---\ntask: X\n---\n- a\n- b\n", "pass", "2 criteria"),
        (READY, "- \n-\n* * *\n---\n- [ ]\n", "refused", "no list item"),
        (READY, "**bold** text\n-5 degrees\n1.5 is a number\n", "refused", "no list item"),
        (READY, "* a\n+ b\n1. c\n2) d\n- [ ] e\n  - [x] f\n", "pass", "6 criteria"),
        (READY, "\u{feff}- a\r\n- b\r\n", "pass", "2 criteria"),
    ];
    for (analysis, criteria, word, reason) in cases {
        let files = set(&[("01-analysis.md", analysis), ("03-acceptance-criteria.md", criteria)]);
        let case = format!("{analysis:?} {criteria:?}");
        expect(&ask(Gate::AnalysisComplete, &files, None), word, reason, &case);
    }
}

#[test]
fn both_lacks_of_an_analysis_are_named() {
    let lines = ask(Gate::AnalysisComplete, &set(&[]), None).lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("01-analysis.md: there is no such file"), "{lines:?}");
    assert!(lines[1].starts_with("03-acceptance-criteria.md: there is no such file"), "{lines:?}");
}

#[test]
fn every_gate_refuses_an_empty_folder() {
    for gate in Gate::ALL {
        let verdict = ask(gate, &set(&[]), None);
        assert_eq!(verdict.word(), "refused", "{}", gate.name());
        assert!(!verdict.lines().is_empty(), "{}", gate.name());
    }
}

#[test]
fn landing_and_approval_count_by_evidence_only() {
    let artifacts = set(&[]);
    let merged = MergeEvidence { landed: revision('a'), branch: "main".into() };
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    let approval = Approval { by: "ops".into(), at };
    let input = GateInput {
        artifacts: &artifacts,
        at_hand: None,
        branch: None,
        merged: Some(&merged),
        approval: Some(&approval),
    };
    expect(&check(Gate::Merged, &input), "pass", "landed on main as aaaa", "merged");
    expect(&check(Gate::HumanApproved, &input), "pass", "approved by ops at 2026-01-02", "human");
}
