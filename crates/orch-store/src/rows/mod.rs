//! Rows into values. Groups of columns are all there or all absent; whatever else a row holds is
//! [`StoreError::Impossible`], never a panic: the file may have been edited by hand.

pub(crate) mod deploy;
pub(crate) mod event;
pub(crate) mod gate_result;
pub(crate) mod job;
pub(crate) mod outbox;
pub(crate) mod repo;
pub(crate) mod run;
pub(crate) mod task;
pub(crate) mod worker;

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use orch_core::process::ProcessIdentity;
use serde::de::DeserializeOwned;

use crate::engine::{Row, Value};
use crate::error::{Result, StoreError};

/// Reads a row's values in the order of its statement's columns.
pub(crate) struct Reader {
    table: &'static str,
    id: String,
    values: std::vec::IntoIter<Value>,
}

impl Reader {
    /// The row's first column names it in errors.
    pub fn new(table: &'static str, row: Row) -> Self {
        let id = match row.first() {
            Some(Value::Int(id)) => id.to_string(),
            Some(Value::Text(id)) => id.chars().take(80).collect(),
            _ => "?".to_owned(),
        };
        Self { table, id, values: row.into_iter() }
    }

    /// An error about this row.
    pub fn impossible(&self, what: impl Into<String>) -> StoreError {
        StoreError::Impossible { table: self.table, id: self.id.clone(), what: what.into() }
    }

    fn wrong(&self, column: &str, what: impl Display) -> StoreError {
        self.impossible(format!("{column} is {what}"))
    }

    pub fn opt_int(&mut self, column: &str) -> Result<Option<i64>> {
        match self.values.next() {
            Some(Value::Null) => Ok(None),
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Text(_)) => Err(self.wrong(column, "text where a number belongs")),
            Some(Value::Foreign(what)) => Err(self.wrong(column, what)),
            None => Err(self.wrong(column, "not among the columns that were read")),
        }
    }

    pub fn opt_text(&mut self, column: &str) -> Result<Option<String>> {
        match self.values.next() {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Int(_)) => Err(self.wrong(column, "a number where text belongs")),
            Some(Value::Foreign(what)) => Err(self.wrong(column, what)),
            None => Err(self.wrong(column, "not among the columns that were read")),
        }
    }

    pub fn int(&mut self, column: &str) -> Result<i64> {
        self.opt_int(column)?.ok_or_else(|| self.wrong(column, "absent"))
    }

    pub fn text(&mut self, column: &str) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| self.wrong(column, "absent"))
    }

    /// A number of a narrower kind, such as a count.
    pub fn number<T: TryFrom<i64>>(&mut self, column: &str) -> Result<T> {
        let number = self.int(column)?;
        T::try_from(number).map_err(|_| self.wrong(column, format!("out of range: {number}")))
    }

    pub fn opt_number<T: TryFrom<i64>>(&mut self, column: &str) -> Result<Option<T>> {
        let Some(number) = self.opt_int(column)? else { return Ok(None) };
        let narrow = T::try_from(number);
        narrow.map(Some).map_err(|_| self.wrong(column, format!("out of range: {number}")))
    }

    pub fn opt_time(&mut self, column: &str) -> Result<Option<Timestamp>> {
        let Some(ms) = self.opt_int(column)? else { return Ok(None) };
        let time = Timestamp::from_millisecond(ms);
        time.map(Some).map_err(|_| self.wrong(column, format!("no moment in time: {ms}")))
    }

    pub fn time(&mut self, column: &str) -> Result<Timestamp> {
        self.opt_time(column)?.ok_or_else(|| self.wrong(column, "absent"))
    }

    pub fn opt_parsed<T: FromStr<Err: Display>>(&mut self, column: &str) -> Result<Option<T>> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| self.wrong(column, format!("malformed: {error}")))
    }

    pub fn parsed<T: FromStr<Err: Display>>(&mut self, column: &str) -> Result<T> {
        self.opt_parsed(column)?.ok_or_else(|| self.wrong(column, "absent"))
    }

    pub fn opt_json<T: DeserializeOwned>(&mut self, column: &str) -> Result<Option<T>> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        let value = serde_json::from_str(&text);
        value.map(Some).map_err(|error| self.wrong(column, format!("unreadable: {error}")))
    }

    pub fn json<T: DeserializeOwned>(&mut self, column: &str) -> Result<T> {
        self.opt_json(column)?.ok_or_else(|| self.wrong(column, "absent"))
    }

    /// The group `pid, pid_start, boot_id`.
    pub fn process(&mut self) -> Result<Option<ProcessIdentity>> {
        let pid = self.opt_number::<u32>("pid")?;
        let start_time = self.opt_number::<u64>("pid_start")?;
        let boot_id = self.opt_text("boot_id")?;
        match (pid, start_time, boot_id) {
            (None, None, None) => Ok(None),
            (Some(pid), Some(start_time), Some(boot_id)) => {
                Ok(Some(ProcessIdentity { boot_id, pid, start_time }))
            }
            _ => Err(self.impossible("only a part of pid, pid_start, boot_id is set")),
        }
    }
}

/// Decodes a list, leaving damaged rows out: one of them must not hide the others. Each is logged;
/// `integrity` lists them.
pub(crate) fn sound<T>(rows: Vec<Row>, decode: impl Fn(Row) -> Result<T>) -> Vec<T> {
    let log = |error: StoreError| tracing::error!(%error, "left a damaged row out of a list");
    rows.into_iter().filter_map(|row| decode(row).map_err(log).ok()).collect()
}

/// The one number of a statement such as `SELECT count(*)`; 0 where there is none.
pub(crate) fn count(rows: &[Row]) -> u64 {
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Int(number)) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_process_identity_is_impossible() {
        let row = vec![Value::Int(7), Value::Null, Value::from("boot")];
        let error = Reader::new("jobs", row).process().unwrap_err();
        assert!(matches!(error, StoreError::Impossible { table: "jobs", .. }), "{error}");
    }

    #[test]
    fn values_out_of_range_name_their_column() {
        for (value, column) in [(Value::Int(-1), "defers"), (Value::Int(1 << 40), "crashes")] {
            let error = Reader::new("jobs", vec![value]).number::<u32>(column).unwrap_err();
            assert!(error.to_string().contains(column), "{error}");
        }
        assert!(Reader::new("t", vec![Value::Int(i64::MAX)]).time("at").is_err());
        assert!(Reader::new("t", vec![]).text("gone").is_err());
    }
}
