//! What the service needs: its state directory, database, port, and control groups.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use orch_core::ids::RunId;
use orch_core::settings::{Alerts, Receiver};
use orch_objects::{Objects, ObjectsError};

use super::Check;
use crate::env::Env;
use crate::{local, service, settings};

/// The checks of this file.
pub fn checks(env: &Env) -> Vec<Check> {
    let mut checks = vec![state_directory(env), cgroup()];
    let settings = match settings::service(env) {
        Ok(loaded) => loaded.value,
        Err(error) => {
            checks.push(Check::fail(
                "settings",
                error.to_string(),
                "correct it; `orch config check` shows every problem",
            ));
            return checks;
        }
    };
    let answers = service::answers(env);
    checks.push(match answers {
        Ok(Some(url)) => Check::ok("service", format!("answers at {url}")),
        Ok(None) => port(&settings.service.bind.to_string()),
        Err(error) => Check::fail("service", error.to_string(), "set ORCH_HOME"),
    });
    checks.push(database(env, &settings));
    checks.push(object_store(env, &settings));
    checks.push(alerts(&settings.alerts));
    checks
}

fn state_directory(env: &Env) -> Check {
    const NAME: &str = "state dir";
    let path = match env.home() {
        Ok(path) => path,
        Err(error) => return Check::fail(NAME, error.to_string(), "set ORCH_HOME"),
    };
    let shown = path.display();
    let open = fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o777);
    let home = match local::home(env) {
        Ok(home) => home,
        Err(error) => {
            let remedy = "set ORCH_HOME to a directory that this user can write";
            return Check::fail(NAME, format!("{error:#}"), remedy);
        }
    };
    let probe = home.path().join(format!("doctor-{}", std::process::id()));
    if let Err(error) = fs::write(&probe, "x").and_then(|()| fs::remove_file(&probe)) {
        let remedy = "make it writable for this user, or free some space";
        return Check::fail(NAME, format!("{shown}: {error}"), remedy);
    }
    match open {
        Some(mode) if mode & 0o077 != 0 => Check::warn(
            NAME,
            format!("{shown} was open to others (mode {mode:04o}) and is 0700 now"),
            "see who read it: it holds logs and briefs",
        ),
        _ => Check::ok(NAME, format!("{shown}, writable, mode 0700")),
    }
}

fn database(env: &Env, settings: &orch_core::settings::ServiceSettings) -> Check {
    const NAME: &str = "database";
    let file = match local::database_file(env, settings) {
        Ok(file) => file,
        Err(error) => return Check::fail(NAME, error.to_string(), "unset ORCH_DATABASE_URL"),
    };
    let shown = match &file {
        Some(path) => path.display().to_string(),
        None => "PostgreSQL".to_owned(),
    };
    if file.as_ref().is_some_and(|path| !path.exists()) {
        return Check::ok(NAME, format!("{shown} is not there yet; the first use makes it"));
    }
    let opened = local::open(env, settings).and_then(|store| Ok(store.schema_info()?));
    let remedy = match &file {
        Some(_) => "see `orch db check`; a copy made by `orch db backup` can take its place",
        None => "see that the server runs and that ORCH_DATABASE_URL names it and a database there",
    };
    match opened {
        Ok(schema) => Check::ok(NAME, format!("{shown}, schema version {}", schema.version)),
        Err(error) => Check::fail(NAME, format!("{shown}: {error:#}"), remedy),
    }
}

fn object_store(env: &Env, settings: &orch_core::settings::ServiceSettings) -> Check {
    const NAME: &str = "object store";
    let Some(store) = &settings.object_store else {
        return Check::ok(NAME, "none set; logs and artifacts stay on this machine");
    };
    let objects = match Objects::new(store, env.all()) {
        Ok(objects) => objects,
        Err(error) => return Check::fail(NAME, error.to_string(), "see how many threads are left"),
    };
    let place = objects.place();
    let name = RunId::from_parts(jiff::Timestamp::now().as_millisecond(), fastrand::u64(..));
    let Err(error) = objects.probe(&name) else {
        return Check::ok(NAME, format!("{place}: written, read and deleted"));
    };
    let remedy = match error {
        ObjectsError::Denied { .. } => {
            "correct ORCH_OBJECT_STORE_ACCESS_KEY_ID and ORCH_OBJECT_STORE_SECRET_ACCESS_KEY, or \
             the key's rights to read, write, list and delete"
        }
        ObjectsError::Missing { .. } => "make it, or correct object_store.url",
        ObjectsError::Unavailable { .. } => {
            "see whether object_store.endpoint answers from here; runs go on without it"
        }
    };
    Check::fail(NAME, format!("{place}: {error}"), remedy)
}

fn alerts(settings: &Alerts) -> Check {
    const NAME: &str = "alerts";
    let names: Vec<&str> = settings.receivers.iter().map(Receiver::name).collect();
    match (settings.enabled, names.is_empty()) {
        (true, false) => Check::ok(
            NAME,
            format!("told to {}; `orch alerts test` tries it out", names.join(", ")),
        ),
        (true, true) => Check::ok(NAME, "nobody is told of held tasks; [alerts] names who is"),
        (false, _) => Check::warn(NAME, "switched off", "unset ORCH_ALERTS_ENABLED"),
    }
}

fn port(bind: &str) -> Check {
    match TcpListener::bind(bind) {
        Ok(_) => Check::ok("service", format!("not running; {bind} is free for it")),
        Err(error) => Check::fail(
            "service",
            format!("not running, and {bind} can't be had: {error}"),
            "stop what listens there, or set ORCH_BIND to another address",
        ),
    }
}

fn cgroup() -> Check {
    const NAME: &str = "cgroup";
    let made = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .into_iter()
        .filter(|mount| Path::new(mount).join("cgroup.procs").exists())
        .find(|mount| {
            let leaf = Path::new(mount).join(format!("orch-doctor-{}", std::process::id()));
            fs::create_dir(&leaf).and_then(|()| fs::remove_dir(&leaf)).is_ok()
        });
    match made {
        Some(mount) => Check::ok(NAME, format!("version 2, writable at {mount}")),
        None => Check::ok(NAME, "none to write to; runs are ended by walking their process tree"),
    }
}
