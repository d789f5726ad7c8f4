//! `orch check-gate` and `orch check-artifact` on folders as hostile as agents can leave them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::place::Place;

const REV: &str = "0123456789abcdef0123456789abcdef01234567";

fn report(result: &str) -> String {
    format!("---\nresult: {result}\ncommit: {REV}\n---\n# Report\n")
}

#[test]
fn the_verdict_is_the_exit_code() {
    let place = Place::new();
    let good = report("PASS");
    let table: &[(&str, Vec<u8>, &str)] = &[
        ("pass", good.clone().into_bytes(), "pass"),
        ("pass with BOM", [b"\xef\xbb\xbf", good.as_bytes()].concat(), "pass"),
        ("pass with CRLF", good.replace('\n', "\r\n").into_bytes(), "pass"),
        ("quoted with comment", report("\"passed\" # all").into_bytes(), "pass"),
        ("fail", report("FAIL").into_bytes(), "fail"),
        ("template", report("PASS|FAIL").into_bytes(), "refused"),
        ("list", report("[PASS]").into_bytes(), "refused"),
        ("number", report("1").into_bytes(), "refused"),
        ("null", report("").into_bytes(), "refused"),
        ("repeated", report("PASS\nresult: PASS").into_bytes(), "refused"),
        ("contradiction", report("PASS\nstatus: FAILED").into_bytes(), "refused"),
        ("nested", b"---\nx:\n  result: PASS\n---\n".to_vec(), "refused"),
        ("no front matter", b"# Report\nresult: PASS\n".to_vec(), "refused"),
        ("in a fence", b"---\na: b\n---\n```\nresult: PASS\n```\n".to_vec(), "refused"),
        ("unclosed", b"---\nresult: PASS\n".to_vec(), "refused"),
        ("empty", b"".to_vec(), "refused"),
        ("invalid UTF-8", [good.as_bytes(), b"\xff\xfe"].concat(), "refused"),
        ("over 1 MiB", [good.as_bytes(), &vec![b'x'; 1 << 20]].concat(), "refused"),
    ];
    for (name, bytes, expected) in table {
        let dir = place.folder(&name.replace(' ', "-"));
        fs::write(dir.join("13-test-report.md"), bytes).unwrap();
        judged(&place, &dir, expected, name);
    }
}

#[track_caller]
fn judged(place: &Place, dir: &Path, expected: &str, name: &str) {
    let code =
        ["pass", "fail", "refused"].iter().position(|word| *word == expected).unwrap() as i32;
    let args = ["check-gate", "testing", "--dir", dir.to_str().unwrap()];
    let human = place.orch(place.path(), &args);
    assert_eq!(human.code, code, "{name}\n{}", human.all());
    assert!(human.stdout.starts_with(expected), "{name}\n{}", human.all());
    let json = place.orch(place.path(), &[&args[..], &["--json"]].concat()).exits(code).json();
    assert_eq!(json["verdict"], expected, "{name}");
    let reasons = json["reasons"].as_array().unwrap();
    assert!(!reasons.is_empty() && reasons.iter().all(serde_json::Value::is_string), "{name}");
}

#[test]
fn what_is_not_a_plain_small_file_is_refused_at_once() {
    let place = Place::new();
    let real = place.folder("real");
    fs::write(real.join("13-test-report.md"), report("PASS")).unwrap();
    let linked = place.folder("linked");
    symlink(real.join("13-test-report.md"), linked.join("13-test-report.md")).unwrap();
    judged(&place, &linked, "refused", "symlink");
    let folder = place.folder("folder");
    fs::create_dir(folder.join("13-test-report.md")).unwrap();
    judged(&place, &folder, "refused", "a folder");
    // Sparse: costs no disk, and would cost 50 MB of memory if it were read.
    let huge = place.folder("huge");
    fs::File::create(huge.join("13-test-report.md")).unwrap().set_len(50 << 20).unwrap();
    judged(&place, &huge, "refused", "50 MB");
    judged(&place, &place.folder("nothing"), "refused", "absent");
    judged(&place, &place.path().join("nowhere"), "refused", "no folder");
}

#[test]
fn the_revision_is_compared_only_when_given() {
    let place = Place::new();
    let dir = place.folder("d");
    fs::write(dir.join("13-test-report.md"), report("PASS")).unwrap();
    let dir = dir.to_str().unwrap();
    let other = "f".repeat(40);
    let table = [(REV, 0), (other.as_str(), 2), ("HEAD", 2), ("0123456", 2)];
    for (commit, code) in table {
        let args = ["check-gate", "testing", "--dir", dir, "--commit", commit];
        place.orch(place.path(), &args).exits(code);
    }
}

#[test]
fn a_gate_that_reads_the_branch_too_says_that_only_artifacts_were_judged() {
    let place = Place::new();
    let dir = place.folder("d");
    fs::write(dir.join("11-implementation.md"), "---\nstatus: ready\n---\nDone.\n").unwrap();
    let args = ["check-gate", "development", "--dir", dir.to_str().unwrap()];
    let outcome = place.orch(place.path(), &args).exits(0);
    assert!(outcome.stdout.contains("artifacts only"), "{}", outcome.all());
}

#[test]
fn decisions_are_looked_for_in_their_folder() {
    let place = Place::new();
    let dir = place.folder("d");
    fs::create_dir(dir.join("06-adr")).unwrap();
    let adr = dir.join("06-adr/ADR-001-queue.md");
    fs::write(&adr, "---\nstatus: accepted\n---\n# Queue\n").unwrap();
    let args = ["check-gate", "architecture", "--dir", dir.to_str().unwrap()];
    place.orch(place.path(), &args).exits(0);
    fs::remove_file(adr).unwrap();
    place.orch(place.path(), &args).exits(2);
}

#[test]
fn an_unknown_stage_names_the_nearest() {
    let place = Place::new();
    let outcome = place.orch(place.path(), &["check-gate", "tesing", "--dir", "."]).exits(2);
    assert!(outcome.stderr.contains("\"testing\""), "{}", outcome.all());
    assert_eq!(outcome.stdout, "");
}

#[test]
fn one_artifact_can_be_judged_alone() {
    let place = Place::new();
    let dir = place.folder("d");
    let file = dir.join("12-review.md");
    let table = [
        ("---\nverdict: APPROVED\n---\n", 0),
        ("---\nverdict: REQUEST_CHANGES\n---\n", 1),
        ("---\nverdict: APPROVED\nfindings:\n  - {severity: P1, status: open, title: x}\n---\n", 2),
        ("verdict: APPROVED\n", 2),
    ];
    for (text, code) in table {
        fs::write(&file, text).unwrap();
        let outcome = place.orch(place.path(), &["check-artifact", file.to_str().unwrap()]);
        assert_eq!(outcome.code, code, "{text}\n{}", outcome.all());
    }
    let missing = dir.join("01-analysis.md");
    place.orch(place.path(), &["check-artifact", missing.to_str().unwrap()]).exits(2);
}
