//! One file judged by its name.

use orch_core::artifact::{ArtifactContent, ArtifactKind, judge_file};

use crate::support::{expect, text};

#[test]
fn a_file_is_judged_by_the_rules_of_its_number() {
    use ArtifactKind as K;
    let ready = "---\nstatus: ready\n---\n";
    let cases = [
        (
            "docs/work-items/X-1/13-test-report.md",
            "---\nresult: PASS\n---\n",
            K::TestReport,
            "pass",
        ),
        ("13-x.md", "---\nresult: FAIL\n---\n", K::TestReport, "fail"),
        ("13-x.md", "---\nresult: PASS|FAIL\n---\n", K::TestReport, "refused"),
        ("12-review.md", "---\nverdict: REQUEST_CHANGES\n---\n", K::Review, "fail"),
        ("15-staging-log.md", "---\nstaging_status: SUCCESS\n---\n", K::StagingLog, "pass"),
        ("16-deploy-log.md", "---\ndeploy_status: ROLLED_BACK\n---\n", K::DeployLog, "fail"),
        ("01-analysis.md", ready, K::Analysis, "pass"),
        ("11-implementation.md", ready, K::Implementation, "pass"),
        ("03-acceptance-criteria.md", "- a\n", K::AcceptanceCriteria, "pass"),
        ("03-acceptance-criteria.md", "a\n", K::AcceptanceCriteria, "refused"),
        ("06-adr/ADR-001-x.md", "---\nstatus: accepted\n---\n", K::Adr, "pass"),
        ("06-adr/ADR-1.md", "---\nstatus: accepted\n---\n", K::Adr, "refused"),
        ("not-needed.md", "---\nreason: small\n---\n", K::AdrNotNeeded, "pass"),
        ("notes.md", "---\na: b\n---\n", K::Other, "pass"),
        ("08-data-requirements.md", "no front matter", K::Other, "refused"),
        ("éé.md", "---\na: b\n---\n", K::Other, "pass"),
        ("", "---\na: b\n---\n", K::Other, "pass"),
    ];
    for (name, content, kind, word) in cases {
        let judged = judge_file(name, &text(content));
        assert_eq!(judged.kind, kind, "{name}");
        expect(&judged.verdict, word, "", name);
    }
}

#[test]
fn a_missing_file_says_so_by_its_short_name() {
    let judged = judge_file("a/b/notes.md", &ArtifactContent::Absent);
    expect(&judged.verdict, "refused", "notes.md: there is no such file", "absent");
    assert_eq!(judged.kind.name(), "artifact that no gate reads");
}
