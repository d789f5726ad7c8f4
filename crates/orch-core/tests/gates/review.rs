//! `check_review_approved`.

use orch_core::stage::Gate;
use orch_core::verdict::Verdict;

use crate::support::{ask, expect, revision, set};

fn review(front: &str, body: &str) -> Verdict {
    let file = format!("---\n{front}\n---\n{body}");
    ask(Gate::ReviewApproved, &set(&[("12-review.md", &file)]), None)
}

#[test]
fn an_approval_with_an_open_blocking_finding_contradicts_itself() {
    let contradict = "contradict each other";
    let cases = [
        ("findings: [{severity: P1, status: open, title: crash}]", "refused", "P1: crash"),
        ("findings: [{severity: P0, title: crash}]", "refused", contradict),
        ("findings: [{Severity: p1, Status: OPEN, Title: crash}]", "refused", contradict),
        ("findings: [{severity: P1, status: in progress, title: x}]", "refused", contradict),
        ("findings:\n  - severity: P3\n  - severity: \"P1\"", "refused", contradict),
        ("findings: [\"P1: crash on empty input\"]", "refused", "P1: crash on empty input"),
        ("findings: [\"[P0] crash\"]", "refused", "P0: crash"),
        ("findings: [{severity: critical, title: x}]", "refused", "none of P0 P1 P2 P3"),
        ("findings: {severity: P1}", "refused", "`findings` is a mapping"),
        ("findings: P1 crash", "refused", "it has to be a list"),
        ("findings: [[P1]]", "refused", "finding 1 is a list"),
        ("findings: [{severity: [P1]}]", "refused", "`severity` of finding 1 is a list"),
        ("findings: [{severity: P1, status: closed, title: x}]", "pass", "APPROVED"),
        ("findings: [{severity: P0, status: Fixed, title: x}]", "pass", "APPROVED"),
        ("findings: [{severity: P2, status: open, title: x}]", "pass", "APPROVED"),
        ("findings: [{title: no severity}, a line]", "pass", "APPROVED"),
        ("findings: [{severity: critical, status: closed, title: x}]", "pass", "APPROVED"),
        ("findings: [P10 things are fine]", "pass", "APPROVED"),
        ("findings: []", "pass", "no open P0 or P1"),
        ("findings:", "pass", "APPROVED"),
        ("findings: none", "pass", "APPROVED"),
        ("meta: {findings: [{severity: P0}]}", "pass", "APPROVED"),
    ];
    for (findings, word, reason) in cases {
        expect(&review(&format!("verdict: APPROVED\n{findings}"), ""), word, reason, findings);
    }
}

#[test]
fn only_a_known_verdict_counts() {
    let cases = [
        ("verdict: approved # at last", "pass", "approved"),
        ("verdict: APPROVED|REQUEST_CHANGES", "refused", "no verdict"),
        ("verdict: CHANGES_REQUESTED", "refused", "no verdict"),
        ("result: APPROVED", "refused", "no field `verdict`"),
        ("verdict: APPROVED\nstatus: REQUEST_CHANGES", "refused", "contradict"),
        ("verdict: APPROVED\nstatus: final", "pass", "APPROVED"),
        ("verdict: REQUEST_CHANGES\nstatus: ready", "fail", "REQUEST_CHANGES"),
    ];
    for (front, word, reason) in cases {
        expect(&review(front, ""), word, reason, front);
    }
}

#[test]
fn requested_changes_carry_their_open_findings() {
    let listed = "verdict: REQUEST_CHANGES\nfindings:\n\
        - {severity: P1, status: open, title: Empty input crashes, detail: see src/a.rs}\n\
        - {severity: P2, status: closed, title: Typo}";
    let Verdict::Fail { findings } = review(listed, "body") else { panic!("a fail") };
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].to_string(), "P1: Empty input crashes");
    assert_eq!(findings[0].detail, "see src/a.rs");
}

#[test]
fn requested_changes_without_a_list_carry_the_body_bounded() {
    let body = format!("\n# Review\nHandle é empty input.\n{}", "é".repeat(500_000));
    for front in ["verdict: REQUEST_CHANGES", "verdict: REQUEST_CHANGES\nfindings: {odd: 1}"] {
        let Verdict::Fail { findings } = review(front, &body) else { panic!("a fail") };
        assert_eq!(findings.len(), 1, "{front}");
        assert!(findings[0].detail.starts_with("# Review\nHandle é empty input."), "{front}");
        assert!(findings[0].detail.len() <= 8 * 1024, "{front}");
    }
    let many = "- {severity: P2, title: x}\n".repeat(2_000);
    let front = format!("verdict: REQUEST_CHANGES\nfindings:\n{many}");
    let Verdict::Fail { findings } = review(&front, "") else { panic!("a fail") };
    assert_eq!(findings.len(), 100);
}

#[test]
fn a_long_title_is_cut_and_kept_whole_in_the_detail() {
    let long = "word ".repeat(100);
    let front = format!("verdict: REQUEST_CHANGES\nfindings: [{{severity: P1, title: {long}}}]");
    let Verdict::Fail { findings } = review(&front, "") else { panic!("a fail") };
    assert_eq!(findings[0].title.chars().count(), 200);
    assert_eq!(findings[0].detail, long.trim());
}

#[test]
fn a_review_may_name_its_revision_but_not_another() {
    let at_hand = revision('a');
    let cases = [
        ("x: y", "pass", "APPROVED"),
        ("commit:", "pass", "APPROVED"),
        ("commit: aaaaaaa", "pass", "it judges aaaa"),
        ("commit: AAAAAAAAAA", "pass", "it judges aaaa"),
        ("commit: aaaaaa", "refused", "stale"),
        ("commit: \"\"", "refused", "stale"),
        ("commit: bbbbbbb", "refused", "judges the revision \"bbbbbbb\""),
        ("commit: {a: b}", "refused", "`commit` is a mapping"),
    ];
    for (commit, word, reason) in cases {
        let file = format!("---\nverdict: APPROVED\n{commit}\n---\n");
        let files = set(&[("12-review.md", &file)]);
        expect(&ask(Gate::ReviewApproved, &files, Some(&at_hand)), word, reason, commit);
    }
}
