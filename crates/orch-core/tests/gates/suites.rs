//! The gates of testing, deploy-staging and deploy: evidence, staleness, findings.

use orch_core::artifact::{EvidenceFields, render};
use orch_core::gate::{GateInput, MergeEvidence, check};
use orch_core::ids::RunId;
use orch_core::stage::Gate;
use orch_core::verdict::Verdict;

use crate::support::{ask, expect, revision, set};

const SUITES: [(Gate, &str, &str, &str, &str); 3] = [
    (Gate::TestsPassed, "13-test-report.md", "result", "PASS", "FAIL"),
    (Gate::StagingStatus, "15-staging-log.md", "staging_status", "SUCCESS", "FAILED"),
    (Gate::DeployStatus, "16-deploy-log.md", "deploy_status", "SUCCESS", "ROLLED_BACK"),
];

#[test]
fn a_verdict_counts_only_for_the_revision_at_hand() {
    let (new, old) = (revision('a'), revision('b'));
    for (gate, name, field, good, bad) in SUITES {
        for word in [good, bad] {
            let file = |commit: &str| format!("---\n{field}: {word}\n{commit}\n---\n");
            let expected = if word == good { "pass" } else { "fail" };
            let fresh = set(&[(name, &file(&format!("commit: {new}")))]);
            expect(&ask(gate, &fresh, Some(&new)), expected, word, name);
            expect(&ask(gate, &fresh, None), expected, word, name);
            let stale = ask(gate, &fresh, Some(&old));
            expect(&stale, "refused", "stale verdict", name);
            expect(&stale, "refused", new.as_str(), name);
            expect(&stale, "refused", old.as_str(), name);
            for (commit, reason) in [
                ("", "no field `commit`"),
                ("commit:", "no field `commit`"),
                ("commit: aaaaaaa", "judges the revision \"aaaaaaa\""),
                ("commit: HEAD", "judges the revision \"head\""),
                ("commit: \"\"", "judges the revision \"\""),
                ("commit: [x]", "`commit` is a list"),
            ] {
                let files = set(&[(name, &file(commit))]);
                expect(&ask(gate, &files, Some(&new)), "refused", reason, commit);
            }
        }
    }
}

#[test]
fn a_pass_says_whether_the_revision_was_compared() {
    let new = revision('a');
    let files = set(&[("13-test-report.md", &format!("---\nresult: PASS\ncommit: {new}\n---\n"))]);
    expect(&ask(Gate::TestsPassed, &files, None), "pass", "was not compared", "without");
    expect(&ask(Gate::TestsPassed, &files, Some(&new)), "pass", "it judges aaaa", "with");
}

#[test]
fn each_gate_reads_its_own_field_only() {
    for (gate, name, field, good, _) in SUITES {
        for (_, _, other, word, _) in SUITES {
            let verdict = ask(gate, &set(&[(name, &format!("---\n{other}: {word}\n---\n"))]), None);
            let expected = if other == field { "pass" } else { "refused" };
            assert_eq!(verdict.word(), expected, "{name} with {other}: {:?}", verdict.lines());
        }
        let failing = format!("---\n{field}: {good}\nstatus: FAILED\n---\n");
        expect(&ask(gate, &set(&[(name, &failing)]), None), "refused", "contradict", name);
    }
}

#[test]
fn a_deploy_may_fail_after_its_command_went_well() {
    let log = |word: &str, code: i32| {
        set(&[(
            "16-deploy-log.md",
            &format!("---\ndeploy_status: {word}\nexit_code: {code}\n---\n"),
        )])
    };
    expect(&ask(Gate::DeployStatus, &log("ROLLED_BACK", 0), None), "fail", "ROLLED_BACK", "health");
    expect(&ask(Gate::DeployStatus, &log("SUCCESS", 3), None), "refused", "contradict", "code");
    expect(&ask(Gate::DeployStatus, &log("SUCCESS|FAILED", 0), None), "refused", "no verdict", "t");
}

#[test]
fn a_deploy_is_compared_with_what_landed_where_nothing_else_is_at_hand() {
    let merged = MergeEvidence { landed: revision('a'), branch: "main".into() };
    let judge = |commit: char| {
        let log = format!("---\ndeploy_status: SUCCESS\ncommit: {}\n---\n", revision(commit));
        let artifacts = set(&[("16-deploy-log.md", &log)]);
        check(
            Gate::DeployStatus,
            &GateInput {
                artifacts: &artifacts,
                at_hand: None,
                branch: None,
                merged: Some(&merged),
                approval: None,
            },
        )
    };
    expect(&judge('a'), "pass", "it judges aaaa", "landed");
    expect(&judge('b'), "refused", "stale", "another");
}

#[test]
fn a_failure_carries_its_output_to_the_next_brief() {
    let report = "---\nresult: FAIL\nexit_code: 101\ncommand: cargo test\n---\n# Tests\nadd: left 3, right 4\n";
    let Verdict::Fail { findings } =
        ask(Gate::TestsPassed, &set(&[("13-test-report.md", report)]), None)
    else {
        panic!("a failed report is a fail");
    };
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].title,
        "13-test-report.md: `result: FAIL`, exit code 101, command `cargo test`"
    );
    assert!(findings[0].detail.contains("left 3, right 4"), "{}", findings[0].detail);
}

#[test]
fn what_the_service_writes_its_gates_can_read() {
    let commit = revision('c');
    for (gate, name, field, good, bad) in SUITES {
        for (word, exit_code, expected) in [(good, 0, "pass"), (bad, 1, "fail")] {
            let evidence = EvidenceFields {
                task: "HELLO-1".parse().unwrap(),
                run_id: RunId::from_parts(1, 2),
                commit: commit.clone(),
                code_tree: None,
                started_at: "2026-01-02T03:04:05Z".parse().unwrap(),
                duration_s: 1.5,
                command: "sh -c 'make: \"test\" # all'\n---\nresult: PASS".into(),
                exit_code,
            };
            let mut fields = vec![(field.to_owned(), word.to_owned())];
            fields.extend(evidence.fields());
            let text = render(&fields, "---\nresult: PASS\n");
            assert!(text.contains("\nexit_code: ") && text.contains("\nduration_s: 1.500\n"));
            let verdict = ask(gate, &set(&[(name, &text)]), Some(&commit));
            expect(&verdict, expected, word, name);
        }
    }
}

#[test]
fn a_pass_in_which_no_test_ran_or_one_failed_is_refused() {
    for (gate, name, field, good, _) in SUITES {
        for (figures, expected, reason) in [
            ("tests_passed: 3\ntests_failed: 0", "pass", good),
            ("tests_passed: 0\ntests_failed: 0", "refused", "zero tests ran"),
            ("tests_total: 0", "refused", "zero tests ran"),
            ("tests_passed: 3\ntests_failed: 1", "refused", "tests_failed: 1"),
            ("tests_passed: many", "refused", "`tests_passed` is"),
        ] {
            let file = format!("---\n{field}: {good}\n{figures}\n---\n");
            expect(&ask(gate, &set(&[(name, &file)]), None), expected, reason, figures);
        }
    }
}
