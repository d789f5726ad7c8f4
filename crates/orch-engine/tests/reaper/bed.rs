//! An engine with one queued task and nothing that runs but what a test ticks.

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

pub struct Bed {
    _root: tempfile::TempDir,
    pub engine: Arc<Engine>,
}

pub fn bed(sanitize: &str) -> Bed {
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
        labels: std::collections::BTreeSet::new(),
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
    pub fn path(&self) -> std::path::PathBuf {
        self.engine.home.database()
    }

    /// The incident's row.
    pub fn forge(&self) {
        let database = open(&self.path());
        database.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
        let forged = database
            .execute("UPDATE jobs SET run_id = 'r-ghost', pid = 1 WHERE status = 'queued'", [])
            .unwrap();
        assert_eq!(forged, 1);
    }

    pub fn cleaned(&self) -> u64 {
        self.engine.stats.impossible_queued.load(Ordering::Relaxed)
    }

    /// Ticks on a thread of its own; true where the tick came to its end.
    pub fn tick(&self) -> bool {
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

pub fn open(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    database.busy_timeout(Duration::from_secs(30)).unwrap();
    database
}
