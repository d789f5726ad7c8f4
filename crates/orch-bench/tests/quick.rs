//! A smoke of the benchmarks: they run on both engines, and their figures are of work that was done.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use serde_json::Value;

fn bench(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orch-bench")).arg("queue").args(args).output().unwrap()
}

fn figures(output: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{stderr}"))
}

#[test]
fn a_smoke_measures_everything_on_both_engines() {
    let figures = figures(&bench(&["--quick", "--json"]));
    println!("{figures:#}");
    let rates = figures["throughput"].as_array().unwrap();
    let lines: Vec<_> =
        rates.iter().map(|rate| (rate["engine"].as_str().unwrap(), &rate["claimers"])).collect();
    let wanted = [("sqlite", 1), ("sqlite", 4), ("postgres", 1), ("postgres", 4)];
    assert_eq!(lines.len(), wanted.len());
    for ((engine, claimers), wanted) in lines.iter().zip(wanted) {
        assert_eq!((*engine, claimers.as_u64().unwrap()), wanted);
    }
    for rate in rates {
        assert!(rate["jobs_per_s"].as_f64().unwrap() > 0.0, "{rate}");
        assert!(rate["raw_per_s"].as_f64().unwrap() > 0.0, "{rate}");
        let group = rate["group"].as_f64().unwrap();
        // Nobody shares a transaction with somebody who is alone.
        let alone = rate["claimers"] == 1 || rate["engine"] == "postgres";
        assert!(group >= 1.0 && !(alone && group > 1.0), "{rate}");
    }
    let scenes = figures["latency"].as_array().unwrap();
    assert_eq!(scenes.len(), 8, "{scenes:?}");
    for scene in scenes {
        assert_eq!(scene["claim"]["count"], 20, "{scene}");
        assert!(scene["claim"]["p50_us"].as_u64().unwrap() > 0, "{scene}");
        let always_one = scene["scene"] == "20 repositories";
        assert_eq!(scene["empty"].is_null(), always_one, "{scene}");
    }
    assert_eq!(figures["recovery"]["running"], 5);
    assert!(figures["recovery"]["recovered_us"].as_u64().unwrap() > 0);
    for way in ["enqueued", "claimed", "spawned", "service"] {
        assert_eq!(figures["spawn"][way]["count"], 3, "{way}");
    }
    assert!(figures["fsync"]["p50_us"].as_u64().unwrap() > 0);
}

#[test]
fn parts_can_be_left_out_and_the_table_says_the_goals() {
    let output = bench(&["--quick", "--only", "throughput", "--engine", "sqlite"]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}");
    assert!(table.contains("SQLite, 4 claimers: share of raw"), "{table}");
    assert!(!table.contains("PostgreSQL"), "{table}");
    assert!(!table.contains("dead"), "{table}");
    assert!(table.contains("--quick --only throughput --engine sqlite"), "{table}");
}

#[test]
fn a_place_that_is_not_there_is_said() {
    let output = bench(&["--quick", "--dir", "/no/such/place"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("/no/such/place"), "{stderr}");
}
