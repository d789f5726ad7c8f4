//! What operations ask of the database, written down as they go: for whoever compares the store
//! with what the same statements cost without it.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use orch_core::ids::EventId;

use super::{Dialect, Row, Tx, Value};
use crate::error::Result;

/// A statement as it was run.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its text, with parameters `$1`, `$2`, ….
    pub sql: String,
    /// The parameters' values.
    pub params: Vec<Value>,
    /// The rows it returned.
    pub rows: Vec<Vec<Value>>,
}

/// The statements of each operation that wrote, in the order in which the operations ended.
#[derive(Debug, Clone, Default)]
pub struct Recording(Arc<Mutex<Vec<Vec<Statement>>>>);

impl Recording {
    /// What was written down so far; it is taken out.
    pub fn take(&self) -> Vec<Vec<Statement>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs an operation and writes its statements down where it succeeds.
    pub(crate) fn of<T>(
        &self,
        tx: &mut dyn Tx,
        operation: impl FnOnce(&mut dyn Tx) -> Result<T>,
    ) -> Result<T> {
        let mut recorded = Recorded { tx, statements: Vec::new() };
        let value = operation(&mut recorded)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(recorded.statements);
        Ok(value)
    }
}

struct Recorded<'a> {
    tx: &'a mut dyn Tx,
    statements: Vec<Statement>,
}

impl Recorded<'_> {
    fn note(&mut self, sql: &str, params: &[Value], rows: &[Row]) {
        let (sql, params, rows) = (sql.to_owned(), params.to_vec(), rows.to_vec());
        self.statements.push(Statement { sql, params, rows });
    }
}

impl Tx for Recorded<'_> {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        let changed = self.tx.execute(sql, params)?;
        self.note(sql, params, &[]);
        Ok(changed)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let rows = self.tx.query(sql, params)?;
        self.note(sql, params, &rows);
        Ok(rows)
    }

    fn dialect(&self) -> &'static Dialect {
        self.tx.dialect()
    }

    fn wrote_event(&mut self, id: EventId) {
        self.tx.wrote_event(id);
    }

    fn lease_clock(&mut self, given: Timestamp) -> Result<Timestamp> {
        self.tx.lease_clock(given)
    }

    fn attempt(&mut self, part: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()> {
        let statements = &mut self.statements;
        self.tx.attempt(&mut |tx| {
            let mut within = Recorded { tx, statements: Vec::new() };
            part(&mut within)?;
            statements.append(&mut within.statements);
            Ok(())
        })
    }
}
