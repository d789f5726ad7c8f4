//! A slice of the torture with the real program: every fault that this machine allows, once at
//! least, and the whole judgement.

use std::process::Command;

use serde_json::Value;

/// Figures that have to be nought, whatever was done.
const NOUGHT: [&str; 12] = [
    "lost",
    "double_runs",
    "double_owned",
    "stale_writes",
    "not_landed_once",
    "wrong_bounces",
    "not_deployed",
    "worktrees_left",
    "processes_left",
    "violations",
    "wedges",
    "done_missing",
];

#[test]
fn a_slice_of_every_fault_loses_and_repeats_nothing() {
    let seed = std::env::var("ORCH_TORTURE_SEED").unwrap_or_else(|_| "20".to_owned());
    let output = Command::new(env!("CARGO_BIN_EXE_orch-torture"))
        .args(["chaos", "--kills", "14", "--restarts", "5", "--others", "1"])
        .args(["--tasks", "12", "--repos", "2", "--json", "--seed", &seed])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut figures: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{stderr}", output.status));
    println!("{figures:#}");
    figures["done_missing"] =
        (figures["tasks"].as_u64().unwrap() - figures["done"].as_u64().unwrap()).into();
    assert_eq!(figures["failures"], serde_json::json!([]), "{stderr}");
    assert!(output.status.success(), "{stderr}");
    for name in NOUGHT {
        assert_eq!(figures[name], 0, "{name}");
    }
    // That it passed has to mean that something was done to it.
    let struck = |name: &str| figures["faults"][name].as_u64().unwrap_or_default();
    assert!(figures["tasks"].as_u64().unwrap() >= 12);
    assert!(struck("kill -9 service") >= 4, "{figures:#}");
    assert!(struck("kill -9 supervisor") + struck("kill -9 agent") > 0, "{figures:#}");
    assert!(figures["adopted"].as_u64().unwrap() > 0, "{figures:#}");
    let left_out = figures["left_out"].to_string();
    if !left_out.contains("pid namespaces") {
        assert_eq!(struck("fresh pid namespace"), 5, "{figures:#}");
    }
    if !left_out.contains("full disk") {
        assert_eq!(struck("full disk"), 1, "{figures:#}");
    }
}

#[test]
fn what_is_asked_of_it_wrongly_is_refused_with_a_remedy() {
    let output = Command::new(env!("CARGO_BIN_EXE_orch-torture"))
        .args(["--orch", "/no/such/program"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--orch /no/such/program"), "{stderr}");
}
