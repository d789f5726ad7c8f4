//! Forged rows of `jobs`, status by status: what each group of columns may be, and the constraint
//! that refuses anything else. Every forged row breaks one rule only, so that any engine names it.

use std::collections::BTreeMap;

use crate::Engine;

const STATUSES: [&str; 6] = ["queued", "running", "succeeded", "failed", "cancelled", "held"];
/// An owner's columns, each with a value; the process is whole or absent.
const OWNER: [&str; 5] = [
    "run_id = 'r-forged'",
    "worker_id = 'w1'",
    "started_at = 1",
    "lease_until = 2",
    "pid = 7, pid_start = 8, boot_id = 'b'",
];
const HOLD: [&str; 3] = ["hold_kind = 'infra'", "hold_reason = 'no docker'", "held_at = 1"];

/// A row as assignments.
type Row = BTreeMap<String, String>;

fn set(row: &mut Row, assignments: &str) {
    for assignment in assignments.split(", ") {
        let (column, value) = assignment.split_once(" = ").unwrap();
        row.insert(column.to_owned(), value.to_owned());
    }
}

/// A row that is as this status has it.
fn lawful(status: &str) -> Row {
    let mut row = Row::new();
    set(&mut row, "id = 99, task_id = 1, stage = 'testing', agent = 'tester', priority = 0");
    set(&mut row, "available_at = 0, created_at = 0, run_epoch = 1");
    set(&mut row, &format!("status = '{status}'"));
    match status {
        "running" => OWNER.iter().for_each(|column| set(&mut row, column)),
        "held" => HOLD.iter().for_each(|column| set(&mut row, column)),
        "queued" => {}
        _ => set(&mut row, "finished_at = 3"),
    }
    row
}

fn insert(row: &Row) -> String {
    let columns: Vec<&str> = row.keys().map(String::as_str).collect();
    let values: Vec<&str> = row.values().map(String::as_str).collect();
    format!("INSERT INTO jobs ({}) VALUES ({})", columns.join(", "), values.join(", "))
}

/// What is forged into a row of a status, and the rule it breaks.
fn forgeries(status: &str) -> Vec<(String, &'static str)> {
    let mut forged = Vec::new();
    let mut push = |what: &str, rule| forged.push((what.to_owned(), rule));
    let is_final = !["queued", "running", "held"].contains(&status);
    for column in OWNER {
        match status {
            "running" if column.starts_with("pid") => {}
            "running" => push(&nulled(column), "running_has_an_owner"),
            "queued" => push(column, "queued_has_no_owner"),
            _ => push(column, "only_running_has_an_owner"),
        }
    }
    if status == "running" {
        push("run_epoch = 0", "running_has_an_owner");
        for part in ["pid = NULL", "pid_start = NULL", "boot_id = NULL", "pid = 0", "pid = -7"] {
            push(part, "process_is_whole");
        }
    }
    for column in HOLD {
        if status == "held" {
            push(&nulled(column), "held_has_reason");
        } else {
            push(column, "only_held_has_hold");
        }
    }
    if status == "held" {
        push("hold_reason = ''", "held_has_reason");
    }
    if is_final {
        push("finished_at = NULL", "job_final_has_finish");
    } else {
        push("finished_at = 3", "job_final_has_finish");
        push("finish_reason = 'r'", "finish_reason_needs_finish");
    }
    if status != "queued" {
        push("queued_reason = 'r'", "queued_reason_needs_queue");
    }
    for counter in ["attempts = -1", "defers = -1", "crashes = -1"] {
        push(counter, "job_counts_from_zero");
    }
    forged
}

fn nulled(column: &str) -> String {
    let (name, _) = column.split_once(" = ").unwrap();
    format!("{name} = NULL")
}

pub fn each_status_has_its_columns_and_no_others(engine: &Engine) {
    engine.submit();
    for _ in 0..2 {
        engine.pass(&engine.claimed());
    }
    let mut tried = 0;
    for status in STATUSES {
        engine.raw(&insert(&lawful(status))).unwrap();
        engine.raw("DELETE FROM jobs WHERE id = 99").unwrap();
        for (what, rule) in forgeries(status) {
            let mut row = lawful(status);
            set(&mut row, &what);
            let error = engine.raw(&insert(&row)).expect_err(&format!("{status} with {what}"));
            assert!(error.contains(rule), "{status} with {what}: {error}, not {rule}");
            tried += 1;
        }
    }
    assert!(tried > 80, "{tried}");
    assert_eq!(engine.violations(), []);
}
