//! The raw limit of PostgreSQL: as many connections as claimers, each operation a transaction.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use orch_store::Value;
use postgres::types::{ToSql, Type};
use postgres::{Client, Statement};

use super::Cycles;
use crate::queue::bed::Database;
use crate::queue::template::{Cycle, Env, Step};

/// What a transaction came to.
#[derive(PartialEq, Eq)]
enum Ran {
    Whole,
    /// A statement found nothing: there was no job.
    Nothing,
}

/// A prepared operation.
struct Operation<'a>(Vec<(&'a Step, Statement)>);

impl<'a> Operation<'a> {
    fn prepare(client: &mut Client, steps: &'a [Step]) -> anyhow::Result<Self> {
        let empty = Env::new(String::new(), String::new());
        let mut prepared = Vec::new();
        for step in steps {
            let types: Vec<Type> = step
                .slots
                .iter()
                .map(|slot| match (slot, slot.value(&empty)) {
                    (_, Value::Int(_)) => Type::INT8,
                    (_, Value::Text(_)) => Type::TEXT,
                    // The statement says what it is.
                    _ => Type::UNKNOWN,
                })
                .collect();
            prepared.push((step, client.prepare_typed(&step.sql, &types)?));
        }
        Ok(Self(prepared))
    }

    fn run(&self, client: &mut Client, env: &mut Env) -> anyhow::Result<Ran> {
        client.batch_execute("BEGIN")?;
        let ran = self.statements(client, env)?;
        client.batch_execute("COMMIT")?;
        Ok(ran)
    }

    fn statements(&self, client: &mut Client, env: &mut Env) -> anyhow::Result<Ran> {
        for (step, statement) in &self.0 {
            let rows = {
                let params: Vec<&(dyn ToSql + Sync)> =
                    step.slots.iter().map(|slot| slot.value(env) as &(dyn ToSql + Sync)).collect();
                client.query(statement, &params)?
            };
            match rows.first() {
                None if !step.learns.is_empty() => return Ok(Ran::Nothing),
                None => {}
                Some(row) => {
                    for (column, symbol) in &step.learns {
                        env.learn(*symbol, row.try_get(*column)?);
                    }
                }
            }
        }
        Ok(Ran::Whole)
    }
}

/// Runs cycles for so long with so many clients at once; returns how many were whole and how long
/// they took.
pub fn cycles(
    database: &Database,
    cycle: &Cycle,
    cycles: &Cycles,
    at_once: usize,
    limit: Duration,
) -> anyhow::Result<(u64, Duration)> {
    let stop = AtomicBool::new(false);
    let ready = std::sync::Barrier::new(at_once + 1);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..at_once)
            .map(|_| scope.spawn(|| one_client(database, cycle, cycles, &ready, &stop)))
            .collect();
        ready.wait();
        let begun = Instant::now();
        while begun.elapsed() < limit
            && !clients.iter().any(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        stop.store(true, Ordering::Relaxed);
        let mut done = 0;
        for client in clients {
            done += client.join().map_err(|_| anyhow!("a client panicked"))??;
        }
        Ok((done, begun.elapsed()))
    })
}

fn one_client(
    database: &Database,
    cycle: &Cycle,
    cycles: &Cycles,
    ready: &std::sync::Barrier,
    stop: &AtomicBool,
) -> anyhow::Result<u64> {
    let prepared = (|| {
        let mut client = database.postgres()?;
        let submit = Operation::prepare(&mut client, &cycle.submit)?;
        let claim = Operation::prepare(&mut client, &cycle.claim)?;
        let complete = Operation::prepare(&mut client, &cycle.complete)?;
        anyhow::Ok((client, submit, claim, complete))
    })();
    ready.wait();
    let (mut client, submit, claim, complete) = prepared?;
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut env = cycles.next();
        submit.run(&mut client, &mut env)?;
        while claim.run(&mut client, &mut env)? == Ran::Nothing {
            std::thread::yield_now();
        }
        complete.run(&mut client, &mut env)?;
        done += 1;
    }
    Ok(done)
}
