//! Backup of a PostgreSQL database, by the server's own tool.

use std::path::Path;
use std::process::{Command, Stdio};

use postgres::config::Host;

use super::connect::Server;
use crate::error::{Result, StoreError};

/// Has `pg_dump` write the database into a new file while it is in use; `pg_restore` reads it. An
/// existing file is never overwritten, and a copy that fails half-way is removed.
pub(crate) fn backup(server: &Server, to: &Path) -> Result<()> {
    if std::fs::symlink_metadata(to).is_ok() {
        let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(StoreError::io("will not overwrite", to, source));
    }
    crate::engine::sqlite::own_file(to)?;
    let dumped = dump(server, to);
    if dumped.is_err() {
        drop(std::fs::remove_file(to));
    }
    dumped
}

fn dump(server: &Server, to: &Path) -> Result<()> {
    let mut command = Command::new("pg_dump");
    command.args(["--format=custom", "--no-password", "--file"]).arg(to).stdin(Stdio::null());
    for (name, value) in environment(server) {
        command.env(name, value);
    }
    let output = command.output().map_err(|source| {
        let doing = "cannot run pg_dump (is the PostgreSQL client installed?) for";
        StoreError::io(doing, to, source)
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(StoreError::io("pg_dump failed for", to, std::io::Error::other(said)))
}

/// How `pg_dump` reaches the server. Not by arguments: any user of the machine can read those.
fn environment(server: &Server) -> Vec<(&'static str, String)> {
    let config = server.config();
    let host = config.get_hosts().first().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.to_string_lossy().into_owned(),
    });
    let password = config.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let port = config.get_ports().first().map(ToString::to_string);
    [
        ("PGHOST", host),
        ("PGPORT", port),
        ("PGUSER", config.get_user().map(ToOwned::to_owned)),
        ("PGDATABASE", config.get_dbname().map(ToOwned::to_owned)),
        ("PGOPTIONS", config.get_options().map(ToOwned::to_owned)),
        ("PGPASSWORD", password),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
