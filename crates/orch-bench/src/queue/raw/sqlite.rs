//! The raw limit of SQLite: one connection, one thread, so many operations to a transaction.

use std::time::{Duration, Instant};

use anyhow::bail;
use orch_store::Value;
use rusqlite::types::{Null, ValueRef};
use rusqlite::{Connection, Statement};

use super::Cycles;
use crate::queue::template::{Cycle, Env, Step, Symbol};

/// A prepared operation.
struct Operation<'a>(Vec<(&'a Step, Statement<'a>)>);

impl<'a> Operation<'a> {
    fn prepare(connection: &'a Connection, steps: &'a [Step]) -> anyhow::Result<Self> {
        // Numbered places, so that binding need not look for names.
        let prepared =
            steps.iter().map(|step| Ok((step, connection.prepare(&step.sql.replace('$', "?"))?)));
        Ok(Self(prepared.collect::<rusqlite::Result<_>>()?))
    }

    fn run(&mut self, env: &mut Env) -> anyhow::Result<()> {
        for (step, statement) in &mut self.0 {
            for (place, slot) in step.slots.iter().enumerate() {
                match slot.value(env) {
                    Value::Null => statement.raw_bind_parameter(place + 1, Null)?,
                    Value::Int(number) => statement.raw_bind_parameter(place + 1, number)?,
                    Value::Text(text) => statement.raw_bind_parameter(place + 1, text)?,
                    Value::Foreign(what) => bail!("a parameter is {what}"),
                }
            }
            if statement.column_count() == 0 {
                statement.raw_execute()?;
                continue;
            }
            let mut rows = statement.raw_query();
            let mut first = true;
            while let Some(row) = rows.next()? {
                for (column, symbol) in step.learns.iter().filter(|_| first) {
                    env.learn(*symbol, owned(row.get_ref(*column)?)?);
                }
                first = false;
            }
            if first && !step.learns.is_empty() {
                bail!("{} found nothing", step.sql);
            }
        }
        Ok(())
    }
}

fn owned(value: ValueRef<'_>) -> anyhow::Result<Value> {
    Ok(match value {
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text)?.to_owned()),
        other => bail!("an id is {:?}", other.data_type()),
    })
}

/// Runs cycles for so long; returns how many were whole and how long they took. So many cycles are
/// under way at once, in step, and on average so many operations share a transaction.
pub fn cycles(
    connection: &Connection,
    cycle: &Cycle,
    cycles: &Cycles,
    at_once: usize,
    group: f64,
    limit: Duration,
) -> anyhow::Result<(u64, Duration)> {
    let prepare = |steps| Operation::prepare(connection, steps);
    let mut operations =
        [prepare(&cycle.submit)?, prepare(&cycle.claim)?, prepare(&cycle.complete)?];
    let mut begin = connection.prepare("BEGIN IMMEDIATE")?;
    let mut commit = connection.prepare("COMMIT")?;
    let (mut done, mut due, mut open) = (0, 0.0, false);
    let begun = Instant::now();
    while begun.elapsed() < limit {
        let mut envs: Vec<Env> = (0..at_once).map(|_| cycles.next()).collect();
        for operation in &mut operations {
            for env in &mut envs {
                if !open {
                    begin.raw_execute()?;
                    open = true;
                }
                operation.run(env)?;
                due += 1.0;
                if due >= group {
                    commit.raw_execute()?;
                    (due, open) = (due - group, false);
                }
            }
        }
        done += envs.iter().filter(|env| *env.get(Symbol::Job) != Value::Null).count() as u64;
    }
    if open {
        commit.raw_execute()?;
    }
    Ok((done, begun.elapsed()))
}
