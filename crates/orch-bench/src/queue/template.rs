//! The store's own statements as templates, recorded from the store itself, so that what stands
//! beside it as the raw limit can't drift from it.
//!
//! One cycle is recorded on a database where every id is a number that occurs nowhere else; wherever
//! one appears among parameters or results, it is an id and not a value.

use anyhow::{Context, bail};
use orch_store::{Statement, Value};

use super::bed::{Bed, Engine};
use super::work::Work;

/// What differs from cycle to cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    Repo,
    RepoId,
    Prefix,
    Number,
    Key,
    Task,
    Job,
    Run,
}

const SYMBOLS: usize = 8;

/// The values of one cycle.
#[derive(Debug, Clone)]
pub struct Env([Value; SYMBOLS]);

impl Env {
    /// For a cycle on this repository, with a run id never used before.
    pub fn new(repo: String, run: String) -> Self {
        let mut env = Self([const { Value::Null }; SYMBOLS]);
        env.0[Symbol::Repo as usize] = Value::Text(repo);
        env.0[Symbol::Run as usize] = Value::Text(run);
        env
    }

    /// A value; null where it is not known yet.
    pub fn get(&self, symbol: Symbol) -> &Value {
        &self.0[symbol as usize]
    }

    /// Learns a value from a result. A task's key is made of two of them, as the store makes it.
    pub fn learn(&mut self, symbol: Symbol, value: Value) {
        self.0[symbol as usize] = value;
        if let (Symbol::Number, Value::Text(prefix), Value::Int(number)) =
            (symbol, self.get(Symbol::Prefix), self.get(Symbol::Number))
        {
            self.0[Symbol::Key as usize] = Value::Text(format!("{prefix}-{number}"));
        }
    }
}

/// A parameter.
#[derive(Debug)]
pub enum Slot {
    /// The same in every cycle.
    Const(Value),
    /// The cycle's own.
    Symbol(Symbol),
}

impl Slot {
    /// Its value in a cycle.
    pub fn value<'a>(&'a self, env: &'a Env) -> &'a Value {
        match self {
            Self::Const(value) => value,
            Self::Symbol(symbol) => env.get(*symbol),
        }
    }
}

/// A statement of an operation.
#[derive(Debug)]
pub struct Step {
    /// Its text, parameters `$1`, `$2`, ….
    pub sql: String,
    /// Its parameters.
    pub slots: Vec<Slot>,
    /// What its first row says of the cycle, by column. Where it says something and there is no
    /// row, the operation found nothing to do and ends.
    pub learns: Vec<(usize, Symbol)>,
}

/// The statements of one cycle.
#[derive(Debug)]
pub struct Cycle {
    pub submit: Vec<Step>,
    pub claim: Vec<Step>,
    pub complete: Vec<Step>,
}

const REPO_ID: i64 = 910_000_001;
const NUMBER: i64 = 920_000_001;
const TASK: i64 = 930_000_001;
const JOB: i64 = 940_000_001;

impl Cycle {
    /// Records a cycle of the store on a database of its own.
    pub fn record(bed: &Bed, engine: Engine) -> anyhow::Result<Self> {
        let database = bed.database(engine)?;
        let ids = match engine {
            Engine::Sqlite => format!(
                "INSERT INTO sqlite_sequence (name, seq) VALUES ('tasks', {}), ('jobs', {})",
                TASK - 1,
                JOB - 1
            ),
            Engine::Postgres => format!(
                "ALTER TABLE tasks ALTER COLUMN id RESTART WITH {TASK}; \
                 ALTER TABLE jobs ALTER COLUMN id RESTART WITH {JOB}"
            ),
        };
        database.fill(&format!(
            "INSERT INTO repos (id, name, key_prefix, next_number, remote, default_branch, \
             created_at) VALUES ({REPO_ID}, 'recorded', 'RECORDED', {NUMBER}, 'nowhere', 'main', 0); \
             {ids}"
        ))?;
        let store = database.store()?;
        let recording = store.record();
        let work = Work::new()?;
        work.submit(&store, "recorded")?;
        let claim = work.claimed(&store)?;
        work.complete(&store, &claim)?;
        let run = super::work::fence(&claim)?.run_id.to_string();
        let operations: [Vec<Statement>; 3] = recording
            .take()
            .try_into()
            .map_err(|found: Vec<_>| anyhow::anyhow!("{} operations were recorded", found.len()))?;
        let [submit, claim, complete] = operations.map(|statements| template(statements, &run));
        let cycle = Self { submit, claim, complete };
        cycle.check().context("the store's statements can't be repeated")?;
        Ok(cycle)
    }

    /// Nothing is repeated that was not understood.
    fn check(&self) -> anyhow::Result<()> {
        let learnt = |steps: &[Step], wanted: Symbol| {
            steps.iter().any(|step| step.learns.iter().any(|(_, symbol)| *symbol == wanted))
        };
        for (steps, wanted) in [
            (&self.submit, &[Symbol::RepoId, Symbol::Number, Symbol::Task][..]),
            (&self.claim, &[Symbol::Job, Symbol::Task, Symbol::Key]),
            (&self.complete, &[Symbol::Task, Symbol::RepoId]),
        ] {
            if let Some(missing) = wanted.iter().find(|symbol| !learnt(steps, **symbol)) {
                bail!("no statement returns {missing:?}");
            }
        }
        Ok(())
    }
}

fn template(statements: Vec<Statement>, run: &str) -> Vec<Step> {
    let step = |statement: Statement| {
        let row = statement.rows.into_iter().next().unwrap_or_default();
        let found = row.iter().enumerate().filter_map(|(column, value)| {
            let symbol = symbol(value, run)?;
            // The run's id is the claimer's own.
            (symbol != Symbol::Run).then_some((column, symbol))
        });
        let learns = found.collect();
        let slot = |value| symbol(&value, run).map_or(Slot::Const(value), Slot::Symbol);
        Step { sql: statement.sql, slots: statement.params.into_iter().map(slot).collect(), learns }
    };
    statements.into_iter().map(step).collect()
}

fn symbol(value: &Value, run: &str) -> Option<Symbol> {
    Some(match value {
        Value::Int(REPO_ID) => Symbol::RepoId,
        Value::Int(NUMBER) => Symbol::Number,
        Value::Int(TASK) => Symbol::Task,
        Value::Int(JOB) => Symbol::Job,
        Value::Text(text) if text == "recorded" => Symbol::Repo,
        Value::Text(text) if text == "RECORDED" => Symbol::Prefix,
        Value::Text(text) if *text == format!("RECORDED-{NUMBER}") => Symbol::Key,
        Value::Text(text) if text == run => Symbol::Run,
        _ => return None,
    })
}
