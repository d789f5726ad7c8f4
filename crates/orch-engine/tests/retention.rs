//! What goes after its time, and what never does.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use orch_core::decide::{Situation, Submission, cancelled};
use orch_core::ids::{AgentName, KeyPrefix, RepoName, RunId, StageName, TaskKey};
use orch_core::job::JobState;
use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_core::settings::{Env, Sources, load_service};
use orch_core::stage::Gate;
use orch_engine::clock::Clock;
use orch_engine::retention::{self, Round};
use orch_engine::settings::SettingsSources;
use orch_engine::{Engine, EngineConfig, Home};
use orch_process::{RunDir, observe};
use orch_store::{ClaimRequest, Guard, NewRepo, StoreError};

/// A clock that stands where it is put.
struct Hand(Mutex<(Timestamp, u64)>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn random(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        state.1
    }
}

struct World {
    engine: Arc<Engine>,
    hand: Arc<Hand>,
    _root: tempfile::TempDir,
}

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + day * 86_400).unwrap()
}

impl World {
    fn new(settings: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let env: Env = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let sources = Sources { service: None, repository: None, env: &env };
        let mut engine = Engine::open(EngineConfig {
            home: Home::open(&root.path().join("state")).unwrap(),
            settings: load_service(&sources).unwrap().value,
            sources: SettingsSources::default(),
            program: "/bin/false".into(),
            environment: BTreeMap::new(),
            host: "here".into(),
            version: "0",
        })
        .unwrap();
        let hand = Arc::new(Hand(Mutex::new((day(0), 0))));
        Arc::get_mut(&mut engine).unwrap().clock = Arc::clone(&hand) as Arc<dyn Clock>;
        let repo = NewRepo {
            name: RepoName::new("hello").unwrap(),
            key_prefix: KeyPrefix::new("HELLO").unwrap(),
            remote: root.path().join("hello.git").display().to_string(),
            default_branch: "main".to_owned(),
            checkout: None,
        };
        engine.store.register_repo(day(0), &repo).unwrap();
        Self { engine, hand, _root: root }
    }

    fn set(&self, now: Timestamp) {
        self.hand.0.lock().unwrap().0 = now;
    }

    /// A task whose run has begun and left something on the disk.
    fn running(&self) -> (TaskKey, RunId) {
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
            title: "A line".to_owned(),
            body: String::new(),
            priority: 0,
            pipeline: Pipeline { stages: vec![stage], left_out: vec![] },
        };
        let now = self.engine.clock.now();
        let task = self.engine.store.submit(now, &submission, None).unwrap().task;
        let request = ClaimRequest {
            worker_id: self.engine.worker.clone(),
            run_id: self.engine.clock.run_id(),
            lease: Duration::from_secs(45),
            labels: std::collections::BTreeSet::new(),
            max_running: 100,
            max_per_repo: None,
            max_per_agent: None,
        };
        let claim = self.engine.store.claim(now, &request).unwrap().unwrap();
        assert_eq!(claim.task.key, task.key);
        let JobState::Running(owner) = claim.job.state else { panic!("{:?}", claim.job) };
        let dir = self.engine.home.run(&owner.run_id);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("log.jsonl"), "{}\n").unwrap();
        (task.key, owner.run_id)
    }

    fn cancel(&self, key: &TaskKey) {
        let (task, job) = self.engine.store.standing(key).unwrap();
        let job = job.unwrap();
        let now = self.engine.clock.now();
        let decision = cancelled(Situation { task: &task, job: &job, now }, "enough").unwrap();
        let guard = Guard::Any { job_id: job.id, run_epoch: job.run_epoch };
        self.engine.store.apply(now, &guard, &decision, None).unwrap();
    }

    fn finished(&self) -> (TaskKey, RunId) {
        let (key, run) = self.running();
        self.cancel(&key);
        (key, run)
    }

    fn round(&self) -> Round {
        let preview = retention::preview(&self.engine).unwrap();
        let round = retention::round(&self.engine, &mut |_| {}).unwrap();
        assert_eq!(
            (preview.tasks.tasks, preview.run_dirs, preview.bytes, preview.records),
            (round.tasks, round.run_dirs, round.bytes, round.records),
            "what was announced is what was done"
        );
        round
    }

    fn has_dir(&self, run: &RunId) -> bool {
        self.engine.home.run(run).exists()
    }

    fn has_task(&self, key: &TaskKey) -> bool {
        match self.engine.store.task(key) {
            Ok(_) => true,
            Err(StoreError::NotFound { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// As if this very process were the run's supervisor.
fn bring_to_life(dir: &Path) {
    let me = orch_process::identity::current().unwrap();
    let claim = serde_json::json!({ "by": "supervisor", "identity": me });
    fs::write(RunDir::new(dir).claim(), claim.to_string()).unwrap();
    let seen = observe(&RunDir::new(dir));
    assert!(matches!(seen, orch_process::Observation::Starting), "{seen:?}");
}

const DAILY: [(&str, &str); 4] = [
    ("ORCH_RETENTION_TASKS", "10d"),
    ("ORCH_RETENTION_KEEP_TASKS", "1"),
    ("ORCH_RETENTION_RUNS", "5d"),
    ("ORCH_RETENTION_KEEP_RUNS", "0"),
];

#[test]
fn tasks_go_by_age_and_number_and_take_their_directories_along() {
    let world = World::new(&DAILY);
    let (old, old_run) = world.finished();
    world.set(day(1));
    let (newest, newest_run) = world.finished();
    let (open, open_run) = world.running();
    world.set(day(4));
    assert_eq!(world.round(), Round::default(), "nothing is old enough");
    world.set(day(9));
    // By now the directories' time is over, the open task's excepted.
    let round = world.round();
    assert_eq!((round.tasks, round.run_dirs, round.bytes), (0, 2, 6));
    assert!(!world.has_dir(&old_run) && !world.has_dir(&newest_run));
    assert!(world.has_task(&old));
    world.set(day(300));
    let round = world.round();
    assert_eq!((round.tasks, round.run_dirs, round.failed), (1, 0, 0));
    assert!(!world.has_task(&old));
    assert!(world.has_task(&newest), "the newest one stays");
    assert!(world.has_task(&open) && world.has_dir(&open_run));
    assert_eq!(world.engine.store.running(None).unwrap().len(), 1);
    assert_eq!(world.round(), Round::default(), "a second round finds nothing");
}

#[test]
fn directories_stay_with_their_tasks_where_only_tasks_have_a_time() {
    let world = World::new(&[
        ("ORCH_RETENTION_TASKS", "10d"),
        ("ORCH_RETENTION_KEEP_TASKS", "0"),
        ("ORCH_RETENTION_RUNS", "0"),
    ]);
    let (key, run) = world.finished();
    world.set(day(9));
    world.round();
    assert!(world.has_dir(&run));
    world.set(day(11));
    let round = world.round();
    assert_eq!((round.tasks, round.run_dirs), (1, 1));
    assert!(!world.has_dir(&run) && !world.has_task(&key));
}

#[test]
fn what_lives_stays_and_does_not_stand_in_the_way() {
    let world = World::new(&[
        ("ORCH_RETENTION_TASKS", "10d"),
        ("ORCH_RETENTION_KEEP_TASKS", "0"),
        ("ORCH_RETENTION_RUNS", "5d"),
        ("ORCH_RETENTION_KEEP_RUNS", "0"),
    ]);
    let (alive, alive_run) = world.finished();
    let (driven, driven_run) = world.finished();
    let (gone, gone_run) = world.finished();
    bring_to_life(&world.engine.home.run(&alive_run));
    let entry = world.engine.active.enter(&driven_run).unwrap();
    // A directory that the database does not know, and whose run lives all the same.
    let stranger = RunId::from_parts(7, 7);
    fs::create_dir(world.engine.home.run(&stranger)).unwrap();
    bring_to_life(&world.engine.home.run(&stranger));
    world.set(day(60));
    let round = retention::round(&world.engine, &mut |_| {}).unwrap();
    assert_eq!((round.tasks, round.run_dirs), (1, 1));
    assert!(!world.has_task(&gone) && !world.has_dir(&gone_run));
    for (key, run) in [(&alive, &alive_run), (&driven, &driven_run)] {
        assert!(world.has_task(key) && world.has_dir(run), "{key}");
    }
    assert!(world.has_dir(&stranger));

    drop(entry);
    for run in [&alive_run, &stranger] {
        fs::remove_file(RunDir::new(world.engine.home.run(run)).claim()).unwrap();
    }
    let round = world.round();
    assert_eq!((round.tasks, round.run_dirs, round.failed), (2, 3, 0));
}

#[test]
fn the_newest_directories_stay_and_what_is_no_run_is_not_touched() {
    let world = World::new(&[("ORCH_RETENTION_RUNS", "5d"), ("ORCH_RETENTION_KEEP_RUNS", "2")]);
    let runs: Vec<RunId> = (0..4)
        .map(|n| {
            world.set(day(n));
            world.finished().1
        })
        .collect();
    let notes = world.engine.home.path().join("runs/my notes");
    fs::create_dir(&notes).unwrap();
    world.set(day(200));
    assert_eq!(world.round().run_dirs, 2);
    let kept: Vec<bool> = runs.iter().map(|run| world.has_dir(run)).collect();
    assert_eq!(kept, [false, false, true, true]);
    assert!(notes.exists());
}

#[test]
fn a_round_ends_early_where_the_service_stops_and_the_next_goes_on() {
    let world = World::new(&[("ORCH_RETENTION_TASKS", "10d"), ("ORCH_RETENTION_KEEP_TASKS", "0")]);
    let keys: Vec<TaskKey> = (0..60).map(|_| world.finished().0).collect();
    world.set(day(60));
    world.engine.wake.stop();
    let round = retention::round(&world.engine, &mut |_| {}).unwrap();
    let left = keys.iter().filter(|key| world.has_task(key)).count() as u64;
    assert!(round.tasks < 60 && left == 60 - round.tasks, "{round:?}, {left} left");
    assert_eq!(world.engine.store.integrity().unwrap(), Vec::<String>::new());
}
