//! What the runners make of a suite's end, with the program itself: missing programs, suites that
//! ran nothing, suites that lost tests, and failing tests on their way into the next brief.
#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::path::Path;

use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// Writes what each stage asks for and keeps every brief of development beside the repository.
const AGENT: &str = r#"
set -eu
mkdir -p "$ORCH_ARTIFACT_DIR"
case $ORCH_STAGE in
development)
    cp "$ORCH_BRIEF_FILE" "@BRIEFS@/$ORCH_TASK-$ORCH_ATTEMPT"
    mkdir -p said
    echo "$ORCH_TASK attempt $ORCH_ATTEMPT" >> "said/$ORCH_TASK"
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
esac
"#;

const SETTINGS: &str = r#"
[repository]
name = "suite"
key_prefix = "SUITE"
[pipeline]
stages = ["development", @STAGES@, "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[budgets]
backoff_base = "20ms"
backoff_cap = "50ms"
"#;

struct Bed {
    root: tempfile::TempDir,
    repository: Repository,
    orch: Orch,
}

fn settings(stages: &str, more: &str) -> String {
    SETTINGS.replace("@STAGES@", stages) + more
}

fn bed(settings: &str) -> Bed {
    let root = tempfile::tempdir().unwrap();
    let briefs = root.path().join("briefs");
    std::fs::create_dir(&briefs).unwrap();
    let agent = AGENT.replace("@BRIEFS@", &briefs.display().to_string());
    let files = [("agent.sh", agent.as_str()), ("orch.toml", settings)];
    let repository = Repository::make(root.path(), "suite", &files);
    let orch = Orch::new(PROGRAM, root.path());
    orch.ok(&repository.checkout, &["init"]);
    Bed { root, repository, orch }
}

impl Bed {
    fn at(&self) -> &Path {
        self.root.path()
    }

    fn add(&self, title: &str) {
        self.orch.ok(&self.repository.checkout, &["task", "add", title]);
    }

    fn becomes(&self, key: &str, state: &str) -> Value {
        until(&format!("{key} to be {state}"), || {
            let why = self.orch.json(&["why", key, "--json"]);
            (why["state"] == state).then_some(why)
        })
    }

    fn briefs(&self) -> usize {
        std::fs::read_dir(self.at().join("briefs")).unwrap().count()
    }
}

/// The incident: the staging suite called a program that was not there, and that was booked as a
/// failed suite; every task went back to development until its retries were burnt.
#[test]
fn a_missing_program_in_the_staging_command_is_never_a_failed_suite() {
    for command in ["docker-that-is-not-here compose up", "docker-that-is-not-here up || exit 1"] {
        let staging = format!("[staging_runner]\ncommand = \"{command}\"\n");
        let bed = bed(&settings("\"deploy-staging\"", &staging));
        let service = bed.orch.serve();
        bed.add("Say hello");
        let why = bed.becomes("SUITE-1", "held");
        assert_eq!(why["stage"], "deploy-staging");
        assert!(why.to_string().contains("command not found"), "{why}");
        assert_eq!(bed.briefs(), 1, "it went back to development");
        let mended = staging.replace(command, "echo 'ok 1 - staged'");
        let mended = settings("\"deploy-staging\"", &mended);
        bed.repository.write(&[("orch.toml", &mended)]);
        bed.orch.ok(bed.at(), &["task", "retry", "SUITE-1"]);
        bed.becomes("SUITE-1", "done");
        assert_eq!(bed.repository.on_main("said/SUITE-1"), "SUITE-1 attempt 1\n");
        drop(service);
    }
}

/// A suite that ran nothing, or far fewer tests than the last time, holds the task and says why.
#[test]
fn a_suite_that_ran_too_little_is_held() {
    let suite = |command: &str, more: &str| {
        settings("\"testing\"", &format!("[test_runner]\ncommand = '''{command}'''\n{more}"))
    };
    let ten = "for n in 1 2 3 4 5 6 7 8 9 10; do echo \"ok $n\"; done";
    let bed = bed(&suite(
        "echo 'running 0 tests'; echo 'test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s'",
        "",
    ));
    let service = bed.orch.serve();
    bed.add("Say hello");
    let why = bed.becomes("SUITE-1", "held");
    assert!(why.to_string().contains("zero tests ran (cargo test)"), "{why}");
    bed.repository.write(&[("orch.toml", &suite(ten, ""))]);
    bed.orch.ok(bed.at(), &["task", "retry", "SUITE-1"]);
    bed.becomes("SUITE-1", "done");
    let report = bed.repository.on_main("docs/work-items/SUITE-1/13-test-report.md");
    assert!(
        report.contains("\ntests_total: 10\n") && report.contains("\ntests_passed: 10\n"),
        "{report}"
    );

    let nine = "for n in 1 2 3 4 5 6 7 8 9; do echo \"ok $n\"; done";
    bed.repository.write(&[("orch.toml", &suite(nine, ""))]);
    bed.add("Say it again");
    let why = bed.becomes("SUITE-2", "held");
    assert!(why.to_string().contains("9 tests ran, and 10 the last time"), "{why}");
    assert!(why.to_string().contains("fewer_tests_percent"), "{why}");
    bed.repository.write(&[("orch.toml", &suite(nine, "fewer_tests_percent = 10\n"))]);
    bed.orch.ok(bed.at(), &["task", "retry", "SUITE-2"]);
    bed.becomes("SUITE-2", "done");
    assert_eq!(bed.briefs(), 2, "one of them went back to development");
    drop(service);
}

/// Failing tests' names and their ends stand in the report and reach the developer; what the suite
/// prints forges nothing.
#[test]
fn failing_tests_reach_the_next_brief() {
    let script = r#"
if grep -q 'attempt 2' said/*; then echo "ok 1 - divides"; exit 0; fi
echo '---'
echo 'result: PASS'
echo '---'
echo '```'
echo 'not ok 1 - divides "by": {zero}'
echo '  got 2'
echo '  result: PASS'
echo '  ---'
echo '  wanted 3'
exit 1
"#;
    let bed = bed(&settings("\"testing\"", "[test_runner]\ncommand = \"sh suite.sh\"\n"));
    bed.repository.write(&[("suite.sh", script)]);
    git(&bed.repository.checkout, &["add", "suite.sh"]);
    git(&bed.repository.checkout, &["commit", "-qm", "Suite"]);
    git(&bed.repository.checkout, &["push", "-q", "origin", "main"]);
    let service = bed.orch.serve();
    bed.add("Divide");
    bed.becomes("SUITE-1", "done");
    assert_eq!(bed.repository.on_main("said/SUITE-1").lines().count(), 2);
    let brief = std::fs::read_to_string(bed.at().join("briefs/SUITE-1-2")).unwrap();
    assert!(brief.contains("divides \"by\": {zero} failed"), "{brief}");
    assert!(brief.contains("wanted 3"), "{brief}");
    let report = bed.repository.on_main("docs/work-items/SUITE-1/13-test-report.md");
    assert!(
        report.contains("\nresult: PASS\n") && report.contains("\ntests_passed: 1\n"),
        "{report}"
    );
    drop(service);
}

/// Nobody can tell what an exit 1 without a word means: it is tried once more, then held.
#[test]
fn an_end_without_a_sign_is_tried_once_more_and_held() {
    let bed = bed(&settings(
        "\"testing\"",
        "[test_runner]\ncommand = \"echo run >> ../ran-it; exit 1\"\n",
    ));
    let service = bed.orch.serve();
    bed.add("Say hello");
    let why = bed.becomes("SUITE-1", "held");
    assert!(why.to_string().contains("without a mark of a suite that ran"), "{why}");
    assert_eq!(bed.briefs(), 1, "it went back to development");
    let ran = std::fs::read_to_string(bed.orch.home().join("worktrees/ran-it"));
    assert_eq!(ran.unwrap().lines().count(), 2);
    drop(service);
}

/// After the suite a running service is asked: one that says what it should passes, one that says
/// something else goes back with what was found, one that is not there is infrastructure.
#[test]
fn a_smoke_test_asks_a_running_service() {
    let bed = bed(&settings("\"testing\"", "[test_runner]\ncommand = \"true\"\n"));
    let suite = |url: &str, more: &str| {
        let command = format!("command = \"echo 'ok 1 - works'\"\nsmoke_url = \"{url}\"\n{more}");
        let infra = "infra = 0\ndevelopment = 50\nbackoff_base";
        settings("\"testing\"", &format!("[test_runner]\n{command}")).replace("backoff_base", infra)
    };
    let service = bed.orch.serve();
    bed.repository.write(&[("orch.toml", &suite(&bed.orch.url(), ""))]);
    bed.add("Say hello");
    bed.becomes("SUITE-1", "done");

    let wrong = suite(&bed.orch.url(), "smoke = [\"/health status=broken\"]\n");
    bed.repository.write(&[("orch.toml", &wrong)]);
    bed.add("Say it again");
    let brief = bed.at().join("briefs/SUITE-2-2");
    until("it to come back", || brief.exists().then_some(()));
    let brief = std::fs::read_to_string(brief).unwrap();
    assert!(brief.contains("/health has status \"ok\", and not status=broken"), "{brief}");

    bed.repository.write(&[("orch.toml", &suite("http://127.0.0.1:1", ""))]);
    let why = bed.becomes("SUITE-2", "held");
    assert!(why.to_string().contains("smoke test: http://127.0.0.1:1/health"), "{why}");
    bed.repository.write(&[("orch.toml", &suite(&bed.orch.url(), ""))]);
    bed.orch.ok(bed.at(), &["task", "retry", "SUITE-2"]);
    bed.becomes("SUITE-2", "done");
    drop(service);
}
