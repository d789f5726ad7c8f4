//! Short words for what the cases do with a store, and children that meet a fault alone.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use orch_core::decide::Submission;
use orch_core::ids::{AgentName, KeyPrefix, RepoName, RunId, StageName, TaskKey, WorkerId};
use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_core::stage::Gate;
use orch_store::{Claim, ClaimRequest, NewRepo, Result, Store, StoreError, StoreOptions};

/// Tells a child where its database is; only a parent sets it.
const PLACE: &str = "ORCH_TEST_DISK";

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn file(dir: &Path) -> PathBuf {
    dir.join("orch.db")
}

pub fn open(dir: &Path) -> Result<Store> {
    Store::open(&file(dir), StoreOptions::default())
}

/// A fresh store with a repository.
pub fn fresh(dir: &Path) -> Store {
    let store = open(dir).unwrap();
    let repo = NewRepo {
        name: RepoName::new("hello").unwrap(),
        key_prefix: KeyPrefix::new("HELLO").unwrap(),
        remote: "/srv/hello.git".to_owned(),
        default_branch: "main".to_owned(),
        checkout: None,
    };
    store.register_repo(at(0), &repo).unwrap();
    store
}

pub fn submit(store: &Store) -> Result<TaskKey> {
    let stage = StageSpec {
        name: StageName::new("development").unwrap(),
        producer: Producer::Agent(AgentName::new("developer").unwrap()),
        gate: Gate::DevelopmentComplete,
        on_fail: OnFail::Retry,
        next: None,
        attempts: 3,
        merges: false,
        writes_code: true,
        labels: std::collections::BTreeSet::new(),
    };
    let submission = Submission {
        repo: RepoName::new("hello").unwrap(),
        title: "Add subtraction".to_owned(),
        body: "in some detail ".repeat(400),
        priority: 0,
        pipeline: Pipeline { stages: vec![stage], left_out: vec![] },
    };
    store.submit(at(1), &submission, None).map(|submitted| submitted.task.key)
}

pub fn claim(store: &Store) -> Result<Option<Claim>> {
    let request = ClaimRequest {
        worker_id: WorkerId::new("w1").unwrap(),
        run_id: RunId::from_parts(1, store.writer_stats().operations),
        lease: Duration::from_secs(45),
        labels: std::collections::BTreeSet::new(),
        max_running: 1_000,
        max_per_repo: None,
        max_per_agent: None,
    };
    store.claim(at(2), &request)
}

/// Puts a job into the queue that has an owner, behind the store's back: work for the sanitizer.
pub fn forge(dir: &Path) {
    let connection = rusqlite::Connection::open(file(dir)).unwrap();
    connection
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON; \
             UPDATE jobs SET run_id = 'r-left-over', pid = 7, pid_start = 1, boot_id = 'b' \
             WHERE id = 1",
        )
        .unwrap();
}

/// An error with its causes, as people see it.
pub fn said(error: &StoreError) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Runs one ignored test of this file in a process of its own, behind the words of a wrapper
/// such as `sh -c …`; returns what it printed.
pub fn child(wrapper: &[&str], case: &str, dir: &Path) -> String {
    let done = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg(std::env::current_exe().unwrap())
        .args([case, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(PLACE, dir)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && out.contains("1 passed"), "{case}: {out}{err}");
    out.into_owned()
}

/// The same with a small file system of its own over the folder, in a user namespace. Where this
/// machine allows none the case is left out, and says so.
pub fn with_a_file_system(options: &str, case: &str, dir: &Path) {
    let mount = format!("mount -t tmpfs -o {options} tmpfs \"$0\"");
    let wrapper = ["unshare", "-Urm", "sh", "-c"];
    let may = Command::new(wrapper[0]).args(&wrapper[1..]).arg(&mount).arg(dir).output();
    if !may.is_ok_and(|done| done.status.success()) {
        eprintln!("{case} is left out: this machine allows no file systems in user namespaces");
        return;
    }
    let mount = mount.replace("$0", &format!("${PLACE}"));
    let script = format!("{mount} && exec \"$0\" \"$@\"");
    child(&[&wrapper[..], &[&script]].concat(), case, dir);
}

/// Where a child's database is; `None` where nobody is its parent.
pub fn place() -> Option<PathBuf> {
    std::env::var_os(PLACE).map(PathBuf::from)
}
