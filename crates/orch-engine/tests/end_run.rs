//! The end of a run that never began.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use orch_core::ids::RunId;
use orch_core::settings::{Env, Sources, load_service};
use orch_engine::settings::SettingsSources;
use orch_engine::{Engine, EngineConfig, Home};
use orch_process::{Observation, RunDir, observe};

/// A brief was written and the launch never came: ending the run must neither wait for it nor let
/// it begin later.
#[test]
fn a_run_that_never_began_is_ended_at_once_and_for_good() {
    let root = tempfile::tempdir().unwrap();
    let env = Env::new();
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
    let run = RunId::from_parts(1, 1);
    let dir = RunDir::new(engine.home.run(&run));
    std::fs::create_dir_all(dir.path()).unwrap();
    std::fs::write(dir.path().join("brief.md"), "").unwrap();

    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        engine.end_run(&run);
        ended.send(()).unwrap();
    });
    assert!(
        end.recv_timeout(Duration::from_secs(20)).is_ok(),
        "it waits for a run that never began"
    );
    assert!(matches!(observe(&dir), Observation::Revoked));
}
