//! What jobs ask of workers: each set of labels once, and by whom it can be worked.

use std::collections::BTreeSet;

use orch_core::ids::Label;

use super::apply::json;
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::Reader;

/// The number of a set; `None` for the empty one.
pub(crate) fn set_of(tx: &mut dyn Tx, labels: &BTreeSet<Label>) -> Result<Option<i64>> {
    if labels.is_empty() {
        return Ok(None);
    }
    let text = json("labels", labels)?;
    if let Some(known) = find(tx, &text)? {
        return Ok(Some(known));
    }
    tx.execute(
        "INSERT INTO label_sets (labels) VALUES ($1) ON CONFLICT (labels) DO NOTHING",
        params![&text],
    )?;
    find(tx, &text)
}

fn find(tx: &mut dyn Tx, text: &str) -> Result<Option<i64>> {
    let rows = tx.query("SELECT id FROM label_sets WHERE labels = $1", params![text])?;
    rows.into_iter().next().map(|row| Reader::new("label_sets", row).int("id")).transpose()
}

/// The numbers of the sets that a worker with these labels has all of; `None` where no job ever
/// asked for any.
pub(crate) fn served_by(tx: &mut dyn Tx, labels: &BTreeSet<Label>) -> Result<Option<Vec<i64>>> {
    let rows = tx.query("SELECT id, labels FROM label_sets", &[])?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut served = Vec::new();
    for row in rows {
        let mut row = Reader::new("label_sets", row);
        let id = row.int("id")?;
        // A set that can't be read is served by nobody; `why` shows its jobs waiting.
        if row.json::<BTreeSet<Label>>("labels").is_ok_and(|wanted| wanted.is_subset(labels)) {
            served.push(id);
        }
    }
    Ok(Some(served))
}
