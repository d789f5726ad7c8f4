//! The reaper over a database that somebody else has locked, or that is damaged: it logs, goes on,
//! and does its work when the fault is gone.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use orch_core::decide::Submission;
use orch_core::ids::{AgentName, KeyPrefix, RepoName, StageName};
use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_core::settings::{Env, Sources, load_service};
use orch_core::stage::Gate;
use orch_engine::settings::SettingsSources;
use orch_engine::{Engine, EngineConfig, Home, reaper};
use orch_store::NewRepo;

fn database(root: &Path) -> PathBuf {
    root.join("state/orch.db")
}

fn engine(root: &Path) -> Arc<Engine> {
    let env = Env::new();
    let settings =
        load_service(&Sources { service: None, repository: None, env: &env }).unwrap().value;
    Engine::open(EngineConfig {
        home: Home::open(&root.join("state")).unwrap(),
        settings,
        sources: SettingsSources::default(),
        program: "/bin/false".into(),
        environment: BTreeMap::new(),
        host: "here".into(),
        version: "0",
    })
    .unwrap()
}

/// A queued job with traces of an owner: the incident, forged behind the store's back.
fn forge(engine: &Engine, root: &Path) {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let name = RepoName::new("hello").unwrap();
    let repo = NewRepo {
        name: name.clone(),
        key_prefix: KeyPrefix::new("HELLO").unwrap(),
        remote: "/srv/hello.git".into(),
        default_branch: "main".into(),
        checkout: None,
    };
    engine.store.register_repo(now, &repo).unwrap();
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
        repo: name,
        title: "Add subtraction".into(),
        body: String::new(),
        priority: 0,
        pipeline: Pipeline { stages: vec![stage], left_out: vec![] },
    };
    engine.store.submit(now, &submission, None).unwrap();
    let outside = rusqlite::Connection::open(database(root)).unwrap();
    outside
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON; UPDATE jobs SET run_id = 'r-left-over'",
        )
        .unwrap();
}

fn figures(engine: &Engine) -> (u64, u64) {
    let read = |figure: &std::sync::atomic::AtomicU64| figure.load(Ordering::Relaxed);
    (read(&engine.stats.reaper_ticks), read(&engine.stats.impossible_queued))
}

#[test]
fn a_locked_database_delays_the_reaper_and_no_more() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    forge(&engine, root.path());
    let holder = rusqlite::Connection::open(database(root.path())).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    reaper::tick(&engine);
    assert_eq!(figures(&engine), (1, 0), "it could not clean, and says no other");
    holder.execute_batch("ROLLBACK").unwrap();
    reaper::tick(&engine);
    assert_eq!(figures(&engine), (2, 1), "it cleans as soon as it can");
}

#[test]
fn a_damaged_table_of_jobs_ends_no_loop() {
    let root = tempfile::tempdir().unwrap();
    let file = database(root.path());
    drop(engine(root.path()));
    let page: usize = rusqlite::Connection::open(&file)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'", [], |row| {
            row.get::<_, i64>(0)
        })
        .unwrap()
        .try_into()
        .unwrap();
    let mut content = std::fs::read(&file).unwrap();
    content[(page - 1) * 4096..page * 4096].fill(0x5a);
    std::fs::write(&file, content).unwrap();

    let engine = engine(root.path());
    reaper::tick(&engine);
    reaper::tick(&engine);
    assert_eq!(figures(&engine), (2, 0));
    let error = engine.store.sanitize(engine.clock.now()).unwrap_err();
    assert!(error.to_string().contains("restore a backup"), "{error}");
}
