//! Databases to measure on: each fresh, on the disk that is measured, gone with the bed.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use orch_core::serial_gate::GatePolicy;
use orch_store::{Store, StoreOptions};
use orch_testkit::postgres::Cluster;
use serde::Serialize;
use tempfile::TempDir;

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// A file of our own.
    Sqlite,
    /// A server of the installed PostgreSQL, with fsync on.
    Postgres,
}

impl Engine {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Where everything is.
pub struct Bed {
    dir: TempDir,
    cluster: OnceLock<Cluster>,
    databases: AtomicU32,
}

impl Bed {
    /// Makes it below a directory, or where temporary files go.
    pub fn make(below: Option<&Path>) -> anyhow::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("orch-bench-");
        let dir = match below {
            Some(below) => {
                builder.tempdir_in(below).with_context(|| below.display().to_string())?
            }
            None => builder.tempdir()?,
        };
        Ok(Self { dir, cluster: OnceLock::new(), databases: AtomicU32::new(0) })
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A fresh database with the store's own tables.
    pub fn database(&self, engine: Engine) -> anyhow::Result<Database> {
        let place = match engine {
            Engine::Sqlite => {
                let number = self.databases.fetch_add(1, Ordering::Relaxed);
                Place::File(self.dir.path().join(format!("{number}.db")))
            }
            Engine::Postgres => {
                Place::Server(self.cluster.get_or_init(|| Cluster::start(true)).database())
            }
        };
        let database = Database { engine, place };
        drop(database.store()?);
        Ok(database)
    }
}

/// A database.
pub struct Database {
    pub engine: Engine,
    place: Place,
}

enum Place {
    File(PathBuf),
    Server(String),
}

impl Database {
    /// A SQLite database in a file that the store has made.
    pub fn at(path: PathBuf) -> Self {
        Self { engine: Engine::Sqlite, place: Place::File(path) }
    }

    /// Opens it as the service does.
    pub fn store(&self) -> anyhow::Result<Store> {
        let options = StoreOptions { gate: GatePolicy { enabled: true, width: 1 } };
        Ok(match &self.place {
            Place::File(path) => Store::open(path, options)?,
            Place::Server(url) => Store::open_url(url, options)?,
        })
    }

    /// Opens the file with nothing between, set as the store sets it.
    pub fn sqlite(&self) -> anyhow::Result<rusqlite::Connection> {
        let Place::File(path) = &self.place else { anyhow::bail!("it is on a server") };
        let connection = rusqlite::Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
        )?;
        Ok(connection)
    }

    /// Connects to the server with nothing between.
    pub fn postgres(&self) -> anyhow::Result<postgres::Client> {
        let Place::Server(url) = &self.place else { anyhow::bail!("it is in a file") };
        Ok(postgres::Client::connect(url, postgres::NoTls)?)
    }

    /// Runs statements behind the store's back, and leaves nothing of them for later: no
    /// write-ahead log to copy, no statistics to gather.
    pub fn fill(&self, statements: &str) -> anyhow::Result<()> {
        match self.engine {
            Engine::Sqlite => {
                let connection = self.sqlite()?;
                connection.execute_batch("PRAGMA synchronous = OFF")?;
                connection.execute_batch(&format!("BEGIN; {statements}; COMMIT"))?;
                connection
                    .execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE);")?;
                std::fs::File::open(self.file()?)?.sync_all()?;
            }
            Engine::Postgres => {
                let mut client = self.postgres()?;
                client.batch_execute(&format!("BEGIN; {statements}; COMMIT"))?;
                client.batch_execute("VACUUM ANALYZE")?;
                client.batch_execute("CHECKPOINT")?;
            }
        }
        Ok(())
    }

    fn file(&self) -> anyhow::Result<&Path> {
        match &self.place {
            Place::File(path) => Ok(path),
            Place::Server(_) => anyhow::bail!("it is on a server"),
        }
    }
}
