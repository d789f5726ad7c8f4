//! PostgreSQL: one transaction as an operation sees it. Transactions run side by side under READ
//! COMMITTED; what an operation goes on to change by what it read, it locks while reading.

pub(crate) mod backup;
pub(crate) mod care;
mod connect;
pub(crate) mod migrate;
mod value;

use std::error::Error as _;
use std::sync::Arc;

use jiff::Timestamp;
use orch_core::ids::EventId;
use postgres::error::SqlState;
use postgres::types::ToSql;

pub(crate) use connect::{Connection, Server};

use super::{Dialect, Row, Tx, Value};
use crate::error::{Result, StoreError};

const DIALECT: Dialect = Dialect {
    claim_lock: " FOR NO KEY UPDATE OF j SKIP LOCKED",
    row_lock: " FOR NO KEY UPDATE",
    // A number of our own among advisory locks.
    claim_in_turn: "SELECT pg_advisory_xact_lock(7382420431)",
};

/// A transaction on a PostgreSQL connection; whoever makes one begins and ends it.
pub(crate) struct PgTx<'a> {
    connection: &'a mut Connection,
    /// The database's clock at the beginning; `None` where nobody has asked it yet.
    clock: Option<Timestamp>,
    /// Parts that may fail get a savepoint; it costs two round trips, so the first try does
    /// without.
    careful: bool,
    /// The last event written.
    pub last_event: Option<EventId>,
    /// What stood in the way, beyond what the error says.
    pub trouble: Trouble,
}

/// What a failed transaction may be tried again for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// A part that the operation would have survived failed without a savepoint.
    pub needs_care: bool,
    /// Somebody else was quicker with a value that must be unique.
    pub conflict: bool,
    /// The server went away, or asked to try again.
    pub again: bool,
}

impl<'a> PgTx<'a> {
    pub(crate) fn new(connection: &'a mut Connection, clock: Option<Timestamp>) -> Self {
        let trouble = Trouble::default();
        Self { connection, clock, careful: false, last_event: None, trouble }
    }

    /// With a savepoint before each part that may fail.
    pub(crate) fn careful(self, careful: bool) -> Self {
        Self { careful, ..self }
    }

    fn run<T>(
        &mut self,
        sql: &str,
        params: &[Value],
        doing: &'static str,
        act: impl FnOnce(
            &mut postgres::Client,
            &postgres::Statement,
            &[&(dyn ToSql + Sync)],
        ) -> Result<T, postgres::Error>,
    ) -> Result<T> {
        let bound: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let done = self
            .connection
            .prepared(sql, params)
            .and_then(|statement| act(self.connection.client(), &statement, &bound));
        done.map_err(|error| {
            self.trouble.conflict |= error.code() == Some(&SqlState::UNIQUE_VIOLATION);
            self.trouble.again |= passes(&error);
            failed(doing)(error)
        })
    }
}

impl Tx for PgTx<'_> {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        self.run(sql, params, "writing", |client, statement, params| {
            client.execute(statement, params)
        })
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let rows = self.run(sql, params, "reading", |client, statement, params| {
            client.query(statement, params)
        })?;
        rows.iter().map(|row| value::decode(row).map_err(failed("reading"))).collect()
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn wrote_event(&mut self, id: EventId) {
        self.last_event = self.last_event.max(Some(id));
    }

    fn lease_clock(&mut self, _: Timestamp) -> Result<Timestamp> {
        if let Some(clock) = self.clock {
            return Ok(clock);
        }
        let rows = self.query(connect::CLOCK, &[])?;
        let clock = crate::rows::Reader::new("clock", rows.into_iter().flatten().collect())
            .time("clock_timestamp")?;
        self.clock = Some(clock);
        Ok(clock)
    }

    fn attempt(&mut self, part: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()> {
        if !self.careful {
            // A failed statement spoils the whole transaction; it is begun again with care.
            return part(self).inspect_err(|_| self.trouble.needs_care = true);
        }
        let before = (self.last_event, self.trouble);
        self.connection.batch("SAVEPOINT attempt")?;
        let result = part(self);
        if result.is_err() {
            (self.last_event, self.trouble) = before;
            self.connection.batch("ROLLBACK TO SAVEPOINT attempt")?;
        }
        self.connection.batch("RELEASE SAVEPOINT attempt")?;
        result
    }
}

/// True where the same may work in a moment, and nothing of the transaction was kept.
fn passes(error: &postgres::Error) -> bool {
    let Some(code) = error.code() else {
        return error.is_closed()
            || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
    };
    let passing = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    // Class 08 is about the connection itself.
    passing.contains(code) || code.code().starts_with("08")
}

/// Turns an error of the engine into ours: a broken constraint by its name, all else by what was
/// being done.
pub(crate) fn failed(doing: &'static str) -> impl Fn(postgres::Error) -> StoreError {
    move |error| {
        if let Some(found) = error.as_db_error()
            && found.code().code().starts_with("23")
        {
            let column = || Some(format!("{}.{}", found.table()?, found.column()?));
            let name = found.constraint().map(ToOwned::to_owned).or_else(column);
            let constraint = name.unwrap_or_else(|| found.message().to_owned());
            return StoreError::Constraint { constraint, source: Arc::new(error) };
        }
        StoreError::Engine { doing, transient: passes(&error), source: Arc::new(error) }
    }
}
