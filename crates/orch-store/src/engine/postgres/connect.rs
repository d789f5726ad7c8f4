//! Connections to a PostgreSQL server.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use postgres::{Client, Config, NoTls, SimpleQueryMessage, Statement};

use super::failed;
use super::value::type_of;
use crate::engine::Value;
use crate::error::{Result, StoreError};

/// The first version with 64-bit transaction numbers that a query can ask for.
const OLDEST: (i64, &str) = (130_000, "13");
/// The longest wait for a connection to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long sent data may stay unanswered before the connection counts as cut.
const UNANSWERED: Duration = Duration::from_secs(15);
/// More than the statements there are; beyond it only lists of changing length are new.
const STATEMENTS: usize = 400;
/// A node that was cut off in a transaction must not hold its rows for long; a lock that is not to
/// be had is reported rather than waited for.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '30s'; SET lock_timeout = '5s'; \
     SET client_min_messages = warning";
/// The database's clock in Unix milliseconds.
pub(super) const CLOCK: &str =
    "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

/// Where a database is.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("hosts", &self.config.get_hosts())
            .field("dbname", &self.config.get_dbname())
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Reads a `postgres://` address. The error never repeats it: it may hold a password.
    pub fn parse(url: &str) -> Result<Self> {
        let invalid = |reason: String| StoreError::Invalid { what: "the database's URL", reason };
        let mut config: Config = url.parse().map_err(|error: postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            invalid(cause.unwrap_or_else(|| error.to_string()))
        })?;
        if matches!(config.get_ssl_mode(), postgres::config::SslMode::Require) {
            return Err(invalid(
                "sslmode=require: connections to the database are not encrypted in this version; \
                 use a tunnel or a private network, and sslmode=disable"
                    .to_owned(),
            ));
        }
        if config.get_application_name().is_none() {
            config.application_name("orch");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNANSWERED);
        }
        config.keepalives_idle(Duration::from_secs(10));
        config.keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(3);
        Ok(Self { config })
    }

    /// How it is reached.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Opens a connection.
    pub fn connect(&self) -> Result<Connection> {
        let mut client = self.config.connect(NoTls).map_err(failed("connecting"))?;
        client.batch_execute(SESSION).map_err(failed("connecting"))?;
        Ok(Connection { client, statements: HashMap::new(), within: false })
    }

    /// Opens the first connection and looks whether the server will do.
    pub fn connect_checked(&self) -> Result<Connection> {
        let mut connection = self.connect()?;
        let row = connection
            .client
            .query_one("SELECT CAST(current_setting('server_version_num') AS BIGINT), current_setting('server_version')", &[])
            .map_err(failed("asking for the server's version"))?;
        let (number, found): (i64, String) = (row.get(0), row.get(1));
        if number < OLDEST.0 {
            return Err(StoreError::EngineTooOld { engine: "PostgreSQL", found, needed: OLDEST.1 });
        }
        Ok(connection)
    }
}

/// A connection with the statements prepared on it.
pub(crate) struct Connection {
    client: Client,
    /// By text, and by which parameters were absent: an absent one has no type of its own.
    statements: HashMap<String, Vec<(u64, Statement)>>,
    /// A transaction is open on it.
    within: bool,
}

impl Connection {
    /// The client beneath.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// True where it can serve the next operation.
    pub fn is_idle(&self) -> bool {
        !self.within && !self.client.is_closed()
    }

    /// Begins a transaction that writes; returns its number and the database's clock. It has its
    /// number from the beginning, so that whether it was committed can be asked for later, and so
    /// that events are numbered after it.
    pub fn begin(&mut self) -> Result<(String, Timestamp), postgres::Error> {
        self.within = true;
        let sql = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_current_xact_id(), \
                   CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
        let found = self.client.simple_query(sql)?;
        let row = found.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((row.get(0)?, row.get(1)?)),
            _ => None,
        });
        let (number, clock) = row.unwrap_or_default();
        let clock = clock.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Ok((number.to_owned(), clock.unwrap_or_default()))
    }

    /// Begins a transaction that sees one moment.
    pub fn begin_read(&mut self) -> Result<()> {
        self.within = true;
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    /// Commits; an error leaves open whether it did.
    pub fn commit(&mut self) -> Result<(), postgres::Error> {
        self.client.batch_execute("COMMIT")?;
        self.within = false;
        Ok(())
    }

    /// Undoes; where even that fails the connection is not used again.
    pub fn roll_back(&mut self) {
        if self.client.batch_execute("ROLLBACK").is_ok() {
            self.within = false;
        }
    }

    /// Runs statements without parameters.
    pub fn batch(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(failed("writing"))
    }

    /// A statement, prepared once per connection.
    pub fn prepared(&mut self, sql: &str, params: &[Value]) -> Result<Statement, postgres::Error> {
        let absent = params.iter().enumerate().fold(0_u64, |absent, (place, value)| {
            absent | u64::from(matches!(value, Value::Null)) << (place % 64)
        });
        let known = self.statements.get(sql).into_iter().flatten();
        if let Some((_, statement)) = known.into_iter().find(|(mask, _)| *mask == absent) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        let types: Vec<_> = params.iter().map(type_of).collect();
        let statement = self.client.prepare_typed(sql, &types)?;
        let of_text = self.statements.entry(sql.to_owned()).or_default();
        of_text.push((absent, statement.clone()));
        Ok(statement)
    }
}
