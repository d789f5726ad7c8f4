//! A slice of the torture of PostgreSQL: the server restarts under load.

use std::process::Command;

use serde_json::Value;

#[test]
fn a_server_that_restarts_under_load_loses_and_repeats_nothing() {
    let seed = std::env::var("ORCH_TORTURE_SEED").unwrap_or_else(|_| "20".to_owned());
    let output = Command::new(env!("CARGO_BIN_EXE_orch-torture"))
        .args(["postgres", "--restarts", "3", "--every", "1..3", "--nodes", "2", "--threads", "2"])
        .args(["--json", "--seed", &seed])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let figures: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{stderr}", output.status));
    println!("{figures:#}");
    assert_eq!(figures["failures"], serde_json::json!([]), "{stderr}");
    assert!(output.status.success(), "{stderr}");
    for name in ["lost", "unknown", "double_owned", "stale_accepted", "events_missed"] {
        assert_eq!(figures[name], 0, "{name}");
    }
    // That it passed has to mean that something was done.
    assert_eq!((&figures["crashes"], &figures["fast"]), (&Value::from(2), &Value::from(1)));
    let count = |name: &str| figures[name].as_u64().unwrap();
    assert!(count("tasks") > 4 && count("ended") > 4, "{figures:#}");
    assert_eq!(count("stale_tried"), count("ended"));
}
