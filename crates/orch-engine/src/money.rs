//! What language models cost: read off runs' logs, kept with each call, and held against budgets
//! before a run begins. What a run consumes is known when it has ended: a budget ends no run that
//! is going on.

use orch_core::decide::{Situation, retried};
use orch_core::ids::{AgentName, RunId};
use orch_core::job::HoldKind;
use orch_core::money::admit;
use orch_core::outcome::Outcome;
use orch_core::session::is_id;
use orch_core::task::Task;
use orch_process::RunDir;
use orch_store::{CallSpend, Guard, Repo, StoreError, Usage};

use crate::engine::Engine;
use crate::error::chain;
use crate::repo_config::RepoConfig;
use crate::run::{Halt, told};

/// Held tasks that one look sets going; the next look takes the rest.
const MAX_RELEASED: u32 = 100;

/// Refuses a run for which a budget has nothing left.
pub fn refuse_over_budget(engine: &Engine, task: &Task, config: &RepoConfig) -> Result<(), Halt> {
    match over_budget(engine, task, config)? {
        Some(reason) => Err(Halt::Infra(Outcome::OverBudget { reason })),
        None => Ok(()),
    }
}

/// Why no run of the task may begin; `None` where one may.
fn over_budget(
    engine: &Engine,
    task: &Task,
    config: &RepoConfig,
) -> Result<Option<String>, StoreError> {
    let limits = &config.settings.budgets.spend;
    if limits.is_empty() {
        return Ok(None);
    }
    let (spent, raise) = engine.store.spent(engine.clock.now(), task.id)?;
    Ok(admit(limits, raise, &spent).err().map(|over| over.reason(&task.key)))
}

/// What a call consumed, as its log tells, and what that cost.
/// `settings` names the table that it was started by, where that is not its role's.
pub fn spend(
    engine: &Engine,
    repo: &Repo,
    call: &RunId,
    settings: Option<&AgentName>,
) -> CallSpend {
    let run = engine.store.run(call).ok();
    let config = RepoConfig::load(engine, repo).ok();
    let role = settings.or(run.as_ref().map(|run| &run.agent));
    let agent = role.and_then(|role| config.as_ref()?.agent(role).ok());
    let Some(agent) = agent else { return CallSpend::default() };
    let tally = told::tally(&RunDir::new(engine.home.run(call)), agent.adapter.descriptor);
    let recorded = run.and_then(|run| run.session).map(|session| session.id);
    let session = tally.session.clone().filter(|id| is_id(id)).or(recorded);
    let before = session.as_deref().and_then(|id| engine.store.session_totals(id).ok());
    let mut consumed = tally.consumed(before.unwrap_or_default());
    // Not every program names its model.
    consumed.model = consumed.model.or(agent.adapter.model);
    let price = || config?.settings.prices.price(consumed.model.as_ref()?, consumed.tokens);
    let priced = if consumed.cost_micros.is_none() { price() } else { None };
    CallSpend { consumed, priced, session }
}

/// The same as it stands in the run's record.
pub fn usage(spend: &CallSpend) -> Usage {
    let tokens = spend.consumed.tokens;
    Usage {
        input_tokens: tokens.input,
        output_tokens: tokens.output,
        cost_micros: spend.cost_micros(),
    }
}

/// Keeps what a run consumed that lost its job: it was paid for all the same.
pub fn note_lost(engine: &Engine, repo: &Repo, run: &RunId) {
    let spend = spend(engine, repo, run, None);
    if spend == CallSpend::default() {
        return;
    }
    if let Err(error) = engine.store.settle_llm_call(run, &spend) {
        tracing::warn!(run.id = %run, error = chain(&error), "what a lost run consumed could not be kept");
    }
}

/// Sets going what is held for money that is there again: on a new day, or after a higher budget.
pub fn release(engine: &Engine) {
    let held = match engine.store.held(HoldKind::Spend, MAX_RELEASED) {
        Ok(held) => held,
        Err(error) => {
            return tracing::error!(
                error = chain(&error),
                "tasks held for money could not be read"
            );
        }
    };
    for (job, task) in held {
        let now = engine.clock.now();
        let Ok(repo) = engine.store.repo(&task.repo) else { continue };
        let Ok(config) = RepoConfig::load(engine, &repo) else { continue };
        if !matches!(over_budget(engine, &task, &config), Ok(None)) {
            continue;
        }
        let Ok(mut decision) = retried(Situation { task: &task, job: &job, now }) else { continue };
        for event in &mut decision.events {
            "there is money again in every budget".clone_into(&mut event.message);
        }
        let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
        match engine.store.apply(now, &guard, &decision, None) {
            Ok(_) => engine.wake.notify(),
            Err(StoreError::Fenced { .. }) => {}
            Err(error) => {
                tracing::error!(task.key = %task.key, error = chain(&error), "a task held for money could not be set going");
            }
        }
    }
}
