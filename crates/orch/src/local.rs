//! The state directory of this machine: for commands that work without a service, and for those
//! that are the service.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use orch_core::settings::{SECTIONS, Scope, ServiceSettings};
use orch_engine::settings::SettingsSources;
use orch_engine::{EngineConfig, Home, OperateError, RegisterRequest};
use orch_git::Git;
use orch_store::{Repo, Store};

use crate::env::Env;
use crate::exit::Stop;
use crate::settings;

pub use crate::server::Server;

/// Opens the state directory, making it where it is not there.
pub fn home(env: &Env) -> anyhow::Result<Home> {
    Ok(Home::open(env.home()?)?)
}

/// Opens the database, making it where it is not there.
pub fn store(env: &Env) -> anyhow::Result<Store> {
    let settings = settings::service(env)?.value;
    open(env, &settings)
}

/// Opens the database; fails with "not found" where there is none.
pub fn existing_store(env: &Env) -> anyhow::Result<Store> {
    let settings = settings::service(env)?.value;
    if let Some(path) = database_file(env, &settings)?
        && !path.exists()
    {
        return Err(Stop::not_found(format!("no database at {}", path.display()))
            .hint("`orch init`, `orch serve` and `orch db migrate` make one")
            .into());
    }
    open(env, &settings)
}

/// Opens the database that these settings name.
pub fn open(env: &Env, settings: &ServiceSettings) -> anyhow::Result<Store> {
    Ok(orch_engine::open_store(&home(env)?, settings, settings.serial_gate)?)
}

/// The file that the database is in; `None` where a server keeps it.
pub fn database_file(env: &Env, settings: &ServiceSettings) -> Result<Option<PathBuf>, Stop> {
    let Some(url) = &settings.service.database_url else {
        return Ok(Some(env.home()?.join("orch.db")));
    };
    match url.expose().split_once(':') {
        Some(("sqlite", path)) => {
            Ok(Some(env.cwd().join(path.strip_prefix("//").unwrap_or(path))))
        }
        Some(("postgres" | "postgresql", _)) => Ok(None),
        _ => Err(Stop::usage("ORCH_DATABASE_URL names a database that this version can't use")
            .hint("use postgres://USER@HOST/NAME or sqlite:/path/to/orch.db, or unset it for orch.db in the state directory")),
    }
}

/// Registers a repository straight in the database, for when no service runs. True where that
/// changed something.
pub fn register(env: &Env, request: &RegisterRequest) -> anyhow::Result<(Repo, bool)> {
    let store = store(env)?;
    let sources = sources(env, env.home()?)?;
    let done = orch_engine::register::register(
        &store,
        &Git::default(),
        &sources,
        Timestamp::now(),
        request,
    );
    done.map_err(|error: OperateError| error.into())
}

/// What an engine on this state directory is made from. In another directory than the user's own
/// only those `ORCH_*` settings count that are about the service and not about where things are.
pub fn engine_config(env: &Env, home: &Path) -> anyhow::Result<EngineConfig> {
    let own = env.home().is_ok_and(|mine| mine == home);
    let env = &if own { env.clone() } else { elsewhere(env, home) };
    Ok(EngineConfig {
        home: Home::open(home)?,
        settings: settings::service(env)?.value,
        sources: sources(env, home)?,
        program: env.program()?,
        environment: env.all().clone(),
        host: env.host().to_owned(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

fn elsewhere(env: &Env, home: &Path) -> Env {
    // What is done elsewhere is not for the user's own object store.
    let service = SECTIONS
        .iter()
        .filter(|section| section.scope == Scope::Service && section.name != "object_store");
    let keys: Vec<&str> = service
        .flat_map(|section| section.keys)
        .map(|key| key.env)
        .filter(|name| {
            !matches!(*name, "ORCH_HOME" | "ORCH_DATABASE_URL" | "ORCH_API_TOKEN" | "ORCH_BIND")
        })
        .collect();
    env.at(home, |name| keys.contains(&name))
}

fn sources(env: &Env, home: &Path) -> anyhow::Result<SettingsSources> {
    let file = settings::read_file(&home.join(settings::FILE_NAME))?;
    Ok(SettingsSources {
        env: env.vars().clone(),
        service_file: file.map(settings::Text::into_parts),
    })
}
