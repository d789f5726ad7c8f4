//! Commands that need no service: settings, pipeline, database, doctor.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::place::Place;

const PIPELINE: &str = "\
[pipeline]
stages = [\"analysis\", \"architecture\", \"development\", \"review\", \"testing\", \"merge\"]
[test_runner]
command = \"true\"
timeout = \"7m\"
[agents.default]
adapter = \"command\"
command = [\"agent\"]
";

#[test]
fn settings_are_shown_with_their_source_and_without_secrets() {
    let place = Place::new();
    let root = place.repo("hello", &[("orch.toml", PIPELINE), ("below/x", "")]);
    let mut command = place.command(&root.join("below"), &["config", "show", "--json"]);
    command.env("ORCH_API_TOKEN", "very-secret-token").env("ORCH_MAX_CONCURRENCY", "7");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("very-secret-token"), "{text}");
    let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
    let row = |key: &str| {
        let rows = rows.as_array().unwrap();
        rows.iter()
            .find(|row| row["key"] == key)
            .unwrap_or_else(|| panic!("no {key}: {text}"))
            .clone()
    };
    assert_eq!(row("service.max_concurrency")["value"], "7");
    assert_eq!(row("service.max_concurrency")["source"]["name"], "ORCH_MAX_CONCURRENCY");
    assert_eq!(row("test_runner.timeout")["value"], "7m");
    assert_eq!(row("test_runner.timeout")["source"]["line"], 5);
    assert_eq!(row("service.log")["source"]["kind"], "default");
}

#[test]
fn the_environment_is_checked_too() {
    let place = Place::new();
    let table = [
        ("ORCH_MAX_CONCURRENCY", "many", "ORCH_MAX_CONCURRENCY"),
        ("ORCH_BIND", "0.0.0.0:8420", "ORCH_API_TOKEN"),
        ("ORCH_REAPER_INTERVAL", "5", "ORCH_REAPER_INTERVAL"),
    ];
    for (name, value, told) in table {
        let mut command = place.command(place.path(), &["config", "check"]);
        let output = command.env(name, value).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}={value}\n{stderr}");
        assert!(stderr.contains(told), "{name}={value}\n{stderr}");
    }
}

#[test]
fn the_env_example_names_every_fixed_key() {
    let place = Place::new();
    let text = place.orch(place.path(), &["config", "env-example"]).exits(0).stdout;
    for key in [
        "ORCH_HOME",
        "ORCH_BIND",
        "ORCH_DATABASE_URL",
        "ORCH_MAX_CONCURRENCY",
        "ORCH_API_TOKEN",
        "ORCH_SERIAL_GATE_ENABLED",
        "ORCH_SERIAL_GATE_WIDTH",
        "ORCH_IMPOSSIBLE_QUEUED_SANITIZE_ENABLED",
        "ORCH_REAPER_INTERVAL",
        "ORCH_TEST_RUNNER_ENABLED",
        "ORCH_TEST_RUNNER_REPOS",
        "ORCH_TEST_RUNNER_COMMAND",
        "ORCH_TEST_RUNNER_TIMEOUT",
        "ORCH_TEST_RUNNER_SMOKE_URL",
        "ORCH_TEST_RUNNER_INFRA_RETRIES",
        "ORCH_STAGING_RUNNER_ENABLED",
        "ORCH_STAGING_RUNNER_REPOS",
        "ORCH_STAGING_RUNNER_COMMAND",
        "ORCH_STAGING_RUNNER_EXEC_HOST_SIDE",
        "ORCH_STAGING_RUNNER_SSH_TARGET",
        "ORCH_STAGING_RUNNER_TIMEOUT",
        "ORCH_STAGING_RUNNER_INFRA_RETRIES",
        "ORCH_LOG",
        "ORCH_LOG_FORMAT",
    ] {
        assert!(text.contains(&format!("{key}=")), "{key}");
    }
}

#[test]
fn a_pipeline_is_shown_and_checked() {
    let place = Place::new();
    let root = place.repo("hello", &[("orch.toml", PIPELINE)]);
    let shown = place.orch(&root, &["pipeline", "show"]).exits(0).stdout;
    for word in ["development", "check_tests_passed", "bounce to development", "merge gate"] {
        assert!(shown.contains(word), "{word}\n{shown}");
    }
    let json = place.orch(&root, &["pipeline", "show", "--json"]).exits(0).json();
    assert_eq!(json["stages"].as_array().map(Vec::len), Some(6));
    let file = root.join("orch.toml");
    place.orch(place.path(), &["pipeline", "check", file.to_str().unwrap()]).exits(0);
    place.orch(place.path(), &["pipeline", "check", "nowhere.toml"]).exits(3);
}

#[test]
fn the_database_is_made_checked_and_copied() {
    let place = Place::new();
    for args in [&["db", "check"][..], &["db", "backup", "copy.db"], &["db", "prune"]] {
        place.orch(place.path(), args).exits(3);
    }
    place.orch(place.path(), &["db", "migrate"]).exits(0);
    place.orch(place.path(), &["db", "migrate"]).exits(0);
    let checked = place.orch(place.path(), &["db", "check", "--json"]).exits(0).json();
    assert_eq!(checked["ok"], true);
    place.orch(place.path(), &["db", "backup", "copy.db"]).exits(0);
    assert!(place.path().join("copy.db").is_file());
    let again = place.orch(place.path(), &["db", "backup", "copy.db"]).exits(1);
    assert!(again.stderr.contains("copy.db"), "{}", again.all());
    for nowhere in ["no/such/copy.db", "."] {
        let refused = place.orch(place.path(), &["db", "backup", nowhere]).exits(1);
        assert!(refused.stderr.contains("hint:"), "{}", refused.all());
    }
    let json = place.orch(place.path(), &["db", "backup", "--json", "two.db"]).exits(0).json();
    assert_eq!(json["checked"], true);
    let bytes = fs::metadata(place.path().join("two.db")).unwrap().len();
    assert_eq!(json["bytes"], bytes);
    let mode = fs::metadata(place.state()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_damaged_database_is_told_of() {
    let place = Place::new();
    place.orch(place.path(), &["db", "migrate"]).exits(0);
    fs::write(place.state().join("orch.db"), b"this is no database, whatever its name says")
        .unwrap();
    let outcome = place.orch(place.path(), &["db", "check"]).exits(1);
    assert!(
        outcome.stderr.contains("orch.db") || outcome.stderr.contains("database"),
        "{}",
        outcome.all()
    );
    let doctor = place.orch(place.path(), &["doctor", "--json"]).exits(1).json();
    assert_eq!(check(&doctor, "database")["level"], "fail");
}

fn check<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {report}"))
}

#[test]
fn doctor_looks_at_everything_and_really_runs_a_supervised_process() {
    let place = Place::new();
    place.program("agent", "exit 0");
    let root = place.repo("hello", &[("orch.toml", PIPELINE)]);
    let mut command = place.command(&root, &["doctor", "--json"]);
    let output = command.env("ORCH_BIND", "127.0.0.1:0").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    for name in ["git", "shell", "state dir", "database", "service", "supervisor", "orch.toml"] {
        assert_eq!(check(&report, name)["level"], "ok", "{name}: {text}");
    }
    let left: Vec<_> = fs::read_dir(place.state())
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("doctor"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn doctor_names_what_fails_with_its_remedy() {
    let place = Place::new();
    let root = place.repo("hello", &[("orch.toml", PIPELINE)]);
    let report = place.orch(&root, &["doctor", "--json"]);
    assert_eq!(report.code, 1, "{}", report.all());
    let json = report.json();
    let agent = check(&json, "agent");
    assert_eq!(agent["level"], "fail");
    assert!(agent["detail"].as_str().unwrap().contains("agent is configured"));
    assert!(!agent["remedy"].as_str().unwrap().is_empty());
    let human = place.orch(&root, &["doctor"]).exits(1).stdout;
    assert!(human.contains("fail  agent") && human.contains("→"), "{human}");
    fs::write(root.join("orch.toml"), "[pipelin]\n").unwrap();
    let json = place.orch(&root, &["doctor", "--json"]).exits(1).json();
    assert_eq!(check(&json, "orch.toml")["level"], "fail");
}

#[test]
fn a_state_directory_that_is_a_file_is_said_so() {
    let place = Place::new();
    fs::write(place.state(), "x").unwrap();
    let outcome = place.orch(place.path(), &["db", "migrate"]).exits(1);
    assert!(outcome.stderr.contains("state directory"), "{}", outcome.all());
    assert!(outcome.stderr.contains("ORCH_HOME"), "{}", outcome.all());
}
