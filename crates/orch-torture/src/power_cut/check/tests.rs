use std::collections::BTreeSet;

use orch_core::event::EventKind;

use super::*;
use crate::power_cut::history::DATABASE;
use crate::power_cut::record;
use crate::power_cut::workload::{self, Load};

/// A finished load, in a folder of its own, and what it acknowledged.
fn load() -> (tempfile::TempDir, Vec<Ack>) {
    let dir = tempfile::tempdir().unwrap();
    let load = Load { dir: dir.path().to_owned(), seed: 5, threads: 2, steps: 60 };
    workload::run(&load).unwrap();
    let journal = std::fs::read_to_string(dir.path().join("journal/acknowledged.jsonl")).unwrap();
    let acks = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (dir, acks)
}

/// What a look at a copy finds: a look also works on.
fn harms(file: &Path, acks: &[&Ack]) -> BTreeSet<Harm> {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join(DATABASE);
    std::fs::copy(file, &copy).unwrap();
    look(&copy, acks).iter().map(|fault| fault.harm).collect()
}

#[test]
fn a_whole_database_has_no_faults_and_each_missing_thing_is_one() {
    let (dir, acks) = load();
    let file = workload::database(dir.path());
    let all: Vec<&Ack> = acks.iter().collect();
    assert_eq!(harms(&file, &all), [].into());

    let run = acks.iter().find_map(|ack| match ack {
        Ack::Claimed { run, .. } => Some(run.clone()),
        _ => None,
    });
    let run = run.unwrap();
    let key: orch_core::ids::TaskKey = "H0-1".parse().unwrap();
    let job = orch_core::ids::JobId(1);
    let worker = orch_core::ids::WorkerId::new("h0").unwrap();
    let (status, never) = ("held".to_owned(), orch_core::ids::RunId::from_parts(1, 1));
    let missing = [
        Ack::Registered { repo: orch_core::ids::RepoName::new("nowhere").unwrap() },
        Ack::Submitted { key: key.clone(), title: "another".into(), idempotency: "x".into() },
        Ack::Claimed { job, epoch: 99, run: run.clone(), worker: worker.clone() },
        Ack::Process { run: run.clone(), pid: 99_999 },
        Ack::Base { run, base: "f".repeat(40) },
        Ack::Applied { run: never, job, epoch: 1, status, next: None, over: false },
        Ack::Cancelled { key: "H0-9999".parse().unwrap() },
        Ack::Happened { kind: EventKind::TaskPaused, task: Some(key), repo: None, nth: 999 },
        Ack::Noted { token: "never said".into() },
        Ack::Heard { worker, at: i64::MAX },
    ];
    for ack in &missing {
        assert!(harms(&file, &[ack]).contains(&Harm::Lost), "{ack:?}");
    }
}

#[test]
fn halves_of_an_operation_are_found() {
    let (dir, _) = load();
    let store = Store::open(&workload::database(dir.path()), OPTIONS).unwrap();
    let read = || Found::read(&store, store.snapshot().unwrap()).unwrap();
    assert_eq!(whole::halves(&read()), Vec::<String>::new());
    let broken: [fn(&mut Found); 6] = [
        |found| drop(found.tasks.pop_first()),
        |found| drop(found.runs.pop_first()),
        |found| found.events.retain(|event| event.what.kind != EventKind::TaskCreated),
        |found| found.events.retain(|event| event.what.kind != EventKind::RunStarted),
        |found| found.judged.clear(),
        |found| found.jobs.values_mut().for_each(|job| job.run_epoch += 1),
    ];
    for (number, break_it) in broken.iter().enumerate() {
        let mut found = read();
        break_it(&mut found);
        assert!(!whole::halves(&found).is_empty(), "{number}");
    }
}

#[test]
fn a_file_that_does_not_open_has_lost_everything() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(DATABASE);
    std::fs::write(&file, vec![7; 8_192]).unwrap();
    let ack = Ack::Noted { token: "x".into() };
    assert_eq!(harms(&file, &[&ack]), [Harm::Lost, Harm::Damaged].into());
    assert!(record::read(&file).is_err(), "nor is it a recording");
}
