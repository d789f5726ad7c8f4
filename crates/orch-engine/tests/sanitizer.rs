//! The reaper's tick over databases that fail it: it logs, never raises, and the next tick does what
//! this one could not.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use orch_core::decide::Submission;
use orch_core::ids::{AgentName, KeyPrefix, RepoName, StageName};
use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_core::settings::{Env, Sources, load_service};
use orch_core::stage::Gate;
use orch_engine::settings::SettingsSources;
use orch_engine::{Engine, EngineConfig, Home, reaper, reconciler};
use orch_store::NewRepo;
use rusqlite::Connection;

struct Bed {
    _root: tempfile::TempDir,
    engine: Arc<Engine>,
}

fn bed(sanitize: &str) -> Bed {
    let root = tempfile::tempdir().unwrap();
    let name = "ORCH_IMPOSSIBLE_QUEUED_SANITIZE_ENABLED".to_owned();
    let env = Env::from([(name, sanitize.to_owned())]);
    let settings =
        load_service(&Sources { service: None, repository: None, env: &env }).unwrap().value;
    let engine = Engine::open(EngineConfig {
        home: Home::open(&root.path().join("state")).unwrap(),
        settings,
        sources: SettingsSources::default(),
        program: "/bin/false".into(),
        environment: BTreeMap::new(),
        host: "here".into(),
        version: "0",
    })
    .unwrap();
    submit(&engine);
    Bed { _root: root, engine }
}

fn submit(engine: &Engine) {
    let repo = NewRepo {
        name: RepoName::new("hello").unwrap(),
        key_prefix: KeyPrefix::new("HELLO").unwrap(),
        remote: "/srv/hello.git".to_owned(),
        default_branch: "main".to_owned(),
        checkout: None,
    };
    engine.store.register_repo(engine.clock.now(), &repo).unwrap();
    let stage = StageSpec {
        name: StageName::new("development").unwrap(),
        producer: Producer::Agent(AgentName::new("developer").unwrap()),
        gate: Gate::DevelopmentComplete,
        on_fail: OnFail::Retry,
        next: None,
        attempts: 3,
        merges: false,
        writes_code: true,
    };
    let submission = Submission {
        repo: repo.name,
        title: "Add subtraction".to_owned(),
        body: String::new(),
        priority: 0,
        pipeline: Pipeline { stages: vec![stage], left_out: vec![] },
    };
    engine.store.submit(engine.clock.now(), &submission, None).unwrap();
}

impl Bed {
    fn path(&self) -> std::path::PathBuf {
        self.engine.home.database()
    }

    /// The incident's row.
    fn forge(&self) {
        let database = open(&self.path());
        database.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
        let forged = database
            .execute("UPDATE jobs SET run_id = 'r-ghost', pid = 1 WHERE status = 'queued'", [])
            .unwrap();
        assert_eq!(forged, 1);
    }

    fn cleaned(&self) -> u64 {
        self.engine.stats.impossible_queued.load(Ordering::Relaxed)
    }

    /// Ticks on a thread of its own; true where the tick came to its end.
    fn tick(&self) -> bool {
        let before = self.engine.stats.reaper_ticks.load(Ordering::Relaxed);
        let (ended, end) = mpsc::channel();
        let engine = Arc::clone(&self.engine);
        thread::spawn(move || {
            reaper::tick(&engine);
            reconciler::tick(&engine);
            let _ = ended.send(());
        });
        let ended = end.recv_timeout(Duration::from_mins(2)).is_ok();
        ended && self.engine.stats.reaper_ticks.load(Ordering::Relaxed) == before + 1
    }
}

fn open(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    database.busy_timeout(Duration::from_secs(30)).unwrap();
    database
}

#[test]
fn a_row_is_cleaned_once_and_counted() {
    let bed = bed("true");
    bed.forge();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 1);
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 1);
    bed.forge();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 2, "on every tick, not at the start only");
}

#[test]
fn the_switch_gates_the_sweep_alone() {
    let bed = bed("false");
    bed.forge();
    assert!(bed.tick(), "the rest of the tick goes on");
    assert_eq!(bed.cleaned(), 0);
    assert!(!bed.engine.store.integrity().unwrap().is_empty(), "the row is as it was");
}

#[test]
fn a_locked_database_fails_a_tick_and_not_the_service() {
    let bed = bed("true");
    bed.forge();
    let holder = open(&bed.path());
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 0);
    holder.execute_batch("ROLLBACK").unwrap();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 1);
}

/// What SQLite answers to every write on a disk that has become read-only.
#[test]
fn a_database_that_takes_no_writes_fails_a_tick_and_not_the_service() {
    let bed = bed("true");
    bed.forge();
    let hand = open(&bed.path());
    for table in ["jobs", "tasks", "events"] {
        for what in ["INSERT", "UPDATE"] {
            let sql = format!(
                "CREATE TRIGGER no_{what}_{table} BEFORE {what} ON {table} BEGIN \
                 SELECT RAISE(FAIL, 'attempt to write a readonly database'); END"
            );
            hand.execute_batch(&sql).unwrap();
        }
    }
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 0);
    for table in ["jobs", "tasks", "events"] {
        for what in ["INSERT", "UPDATE"] {
            hand.execute_batch(&format!("DROP TRIGGER no_{what}_{table}")).unwrap();
        }
    }
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 1);
}

#[test]
fn a_corrupt_database_fails_a_tick_and_not_the_service() {
    let bed = bed("true");
    bed.forge();
    open(&bed.path()).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let mut bytes = std::fs::read(bed.path()).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(bed.path(), bytes).unwrap();
    for _ in 0..3 {
        assert!(bed.tick());
    }
    let complaints = bed.engine.store.integrity();
    assert!(complaints.map_or(true, |lines| !lines.is_empty()), "the damage is there");
}

#[test]
fn a_database_whose_tables_are_gone_fails_a_tick_and_not_the_service() {
    let bed = bed("true");
    open(&bed.path())
        .execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE runs; DROP TABLE jobs")
        .unwrap();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 0);
}
