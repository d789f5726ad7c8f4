//! Which entry is played, and what happens where none is.

use std::fs;
use std::process::Command;

use orch_core::artifact::ArtifactContent;
use orch_core::artifact::ArtifactSet;
use orch_core::gate::{GateInput, check};
use orch_core::ids::Revision;
use orch_core::stage::Gate;
use orch_core::verdict::Verdict;

use crate::support::{context, play_as};

#[test]
fn the_first_entry_whose_conditions_hold_is_played() {
    let script = r#"
[[on]]
task = "Other*"
[[on.step]]
exit = 1
[[on]]
task = "Say*"
attempt = 1
[[on.step]]
exit = 2
[[on]]
task = "HELLO-1"
attempt = "3+"
role = "developer"
[[on.step]]
exit = 3
[[on]]
stage = "review"
[[on.step]]
exit = 4
[[on]]
attempt = "2"
[[on.step]]
exit = 5
"#;
    let root = tempfile::tempdir().unwrap();
    let code = |attempt, stage: &str, role: &str| {
        let context = orch_agents::scripted::ScriptContext {
            attempt,
            stage: stage.into(),
            role: role.into(),
            ..context(root.path())
        };
        play_as(&context, script).code
    };
    for (attempt, stage, role, expected) in [
        (1, "development", "developer", 2),
        (2, "development", "developer", 5),
        (3, "development", "developer", 3),
        (99, "development", "developer", 3),
        (3, "review", "reviewer", 4),
        (3, "testing", "tester", 0),
    ] {
        assert_eq!(code(attempt, stage, role), expected, "attempt {attempt} of {role} at {stage}");
    }
}

#[test]
fn an_agent_without_an_entry_says_so() {
    let root = tempfile::tempdir().unwrap();
    let played = play_as(&context(root.path()), "");
    assert_eq!(played.code, 0);
    let expected = "no entry for developer at development, attempt 1: nothing is done";
    assert!(played.err.contains(expected), "{}", played.err);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

/// A worktree with one commit.
fn repository() -> (tempfile::TempDir, Revision) {
    let root = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
            .args(args)
            .current_dir(root.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    let head = git(&["rev-parse", "HEAD"]).parse().unwrap();
    (root, head)
}

#[test]
fn the_default_artifacts_pass_their_gates() {
    for (stage, role, gate, names) in [
        (
            "analysis",
            "analyst",
            Gate::AnalysisComplete,
            &["01-analysis.md", "03-acceptance-criteria.md"][..],
        ),
        ("architecture", "architect", Gate::ArchitectureComplete, &["06-adr/not-needed.md"]),
        ("development", "developer", Gate::DevelopmentComplete, &["11-implementation.md"]),
        ("review", "reviewer", Gate::ReviewApproved, &["12-review.md"]),
        ("testing", "tester", Gate::TestsPassed, &["13-test-report.md"]),
        ("deploy-staging", "deployer", Gate::StagingStatus, &["15-staging-log.md"]),
        ("deploy", "deployer", Gate::DeployStatus, &["16-deploy-log.md"]),
        ("second-look", "reviewer", Gate::ReviewApproved, &["12-review.md"]),
    ] {
        let (root, head) = repository();
        let mut context = context(root.path());
        (context.stage, context.role) = (stage.into(), role.into());
        context.title = "--- \"hostile\": [title\n---\nverdict: FAIL".into();
        let played = play_as(&context, "default_artifacts = true");
        assert_eq!(played.code, 0, "{stage}: {}", played.err);
        let mut artifacts = ArtifactSet::default();
        for name in names {
            let bytes = fs::read(context.artifact_dir.join(name)).unwrap();
            artifacts.insert((*name).to_owned(), ArtifactContent::Text(bytes));
        }
        let input = GateInput {
            artifacts: &artifacts,
            at_hand: Some(&head),
            branch: None,
            merged: None,
            approval: None,
        };
        let verdict = check(gate, &input);
        assert!(matches!(verdict, Verdict::Pass { .. }), "{stage}: {verdict:?}");
    }
}
