//! Puts an engine together from its parts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use orch_core::settings::ServiceSettings;
use orch_git::{Git, Identity};
use orch_store::{Store, StoreError, StoreOptions};

use crate::accounts::Routes;
use crate::active::{Active, BesideRuns, RepoLocks};
use crate::alerts::Resting;
use crate::channels::Channels;
use crate::clock::{Clock, SystemClock};
use crate::deploy::{DeployLocks, Monitors};
use crate::engine::Engine;
use crate::home::{Home, HomeError};
use crate::orderly::Orderly;
use crate::publish::Publishing;
use crate::settings::{EngineSettings, SettingsSources};
use crate::stats::Stats;
use crate::wake::Wake;

/// What an engine is made from; the caller reads environment and files.
#[derive(Debug)]
pub struct EngineConfig {
    /// The state directory.
    pub home: Home,
    /// The service's settings.
    pub settings: ServiceSettings,
    /// Where repositories' settings come from.
    pub sources: SettingsSources,
    /// The `orch` binary.
    pub program: PathBuf,
    /// The environment of the service; runs see what the allow-list lets through.
    pub environment: BTreeMap<String, String>,
    /// This machine's name.
    pub host: String,
    /// The version of the program.
    pub version: &'static str,
}

/// Why an engine can't be put together.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state directory can't be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database can't be used.
    #[error("the database can't be opened")]
    Store(#[from] StoreError),
    /// No thread could be had for the object store.
    #[error("the object store's thread can't be started")]
    Objects(#[source] std::io::Error),
}

impl Engine {
    /// Opens the database and puts the engine together; nothing runs yet.
    pub fn open(config: EngineConfig) -> Result<Arc<Self>, OpenError> {
        let EngineConfig { home, settings, sources, program, environment, host, version } = config;
        let engine_settings = EngineSettings::from_service(&settings);
        let store = open_store(&home, &settings, engine_settings.gate)?;
        let publishing = Publishing::new(settings.object_store.as_ref(), &environment)
            .map_err(OpenError::Objects)?;
        let wake = Arc::new(Wake::default());
        let woken = Arc::clone(&wake);
        store.subscribe(Box::new(move |_| woken.notify()));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::shared_by(store.clone()));
        Ok(Arc::new(Self {
            worker: home.worker_id(clock.random())?,
            started_at: clock.now(),
            git: Git::new(&Identity::default()),
            settings: engine_settings,
            store,
            home,
            sources,
            program,
            host,
            version,
            clock,
            environment,
            stats: Stats::default(),
            active: Active::default(),
            beside: BesideRuns::default(),
            orderly: Orderly::default(),
            repo_locks: RepoLocks::default(),
            mirrors: Mutex::default(),
            routes: Routes::default(),
            sandboxes: OnceLock::new(),
            publishing,
            deploy_locks: DeployLocks::default(),
            monitors: Monitors::default(),
            channels: Channels::default(),
            resting: Resting::default(),
            wake,
        }))
    }
}

/// Opens the database of a state directory.
pub fn open_store(
    home: &Home,
    settings: &ServiceSettings,
    gate: orch_core::serial_gate::GatePolicy,
) -> Result<Store, OpenError> {
    let options = StoreOptions { gate };
    Ok(match &settings.service.database_url {
        None => Store::open(&home.database(), options)?,
        Some(url) => Store::open_url(url.expose(), options)?,
    })
}
