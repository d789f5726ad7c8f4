//! One run from its claim to its decision: prepare, launch, wait, collect, judge, decide, apply.
//! Every step may be cut off by a crash and is done again from what stands on disk, in git and in
//! the store.

pub(crate) mod beside;
mod collect;
pub(crate) mod judge;
pub(crate) mod launch;
pub(crate) mod prepare;
mod question;
mod rooms;
mod sandbox;
mod session;
pub(crate) mod told;
mod wait;
pub(crate) mod work;

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use orch_core::breaker::fault_of;
use orch_core::channel::Route;
use orch_core::decide::{self, Decision, MergeResult, Policy, RunReport, Situation, Step};
use orch_core::ids::{AgentName, Revision};
use orch_core::job::{Fence, Job, JobState, Ownership};
use orch_core::outcome::{Fault, Outcome};
use orch_core::pipeline::{Producer, StageSpec};
use orch_core::stage::{Gate, MERGE_GATE};
use orch_core::task::Task;
use orch_core::verdict::Verdict;
use orch_git::GitError;
use orch_store::{CallSpend, Guard, Repo, RunRecord, StoreError, Usage};

use crate::accounts;
use crate::active::Driven;
use crate::breakers;
use crate::deploy;
use crate::disk;
use crate::engine::Engine;
use crate::merge_gate;
use crate::money;
use crate::repo_config::RepoConfig;
use crate::runners::RunnerKind;

/// A claimed job with everything a run of it needs to know.
#[derive(Debug, Clone)]
pub struct Owned {
    /// The job, running.
    pub job: Job,
    /// Its task, as it was at the claim.
    pub task: Task,
    /// The task's repository.
    pub repo: Repo,
    /// Which attempt at the stage this is; counts returns, not defers.
    pub attempt: u32,
    /// The way that the run takes; `None` where none is known for its agent.
    pub route: Option<Route>,
    /// The claim.
    pub owner: Ownership,
    /// What the run began on; `None` until it was prepared.
    pub base: Option<Revision>,
}

impl Owned {
    /// What every write by the run shows.
    pub fn fence(&self) -> Fence {
        Fence {
            job_id: self.job.id,
            run_id: self.owner.run_id.clone(),
            run_epoch: self.owner.run_epoch,
        }
    }

    /// The table `[agents.NAME]` that the run is started with.
    pub fn settings(&self) -> &AgentName {
        self.route.as_ref().map_or(&self.job.agent, |route| &route.settings)
    }

    /// The stage's place in the task's own pipeline.
    fn stage(&self) -> Result<&StageSpec, Halt> {
        let missing = || {
            Halt::environment(format!("the pipeline of this task has no stage {}", self.job.stage))
        };
        self.task.pipeline.stage(&self.job.stage).ok_or_else(missing)
    }
}

/// Where a run is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// From the beginning: it was claimed a moment ago.
    Claim,
    /// From the wait for its end: its supervisor was found alive or finished after a restart.
    Launched,
}

/// Why a run is left before its end.
#[derive(Debug)]
pub enum Halt {
    /// The service stops; the supervisor goes on and the next service takes the run up again.
    Stopping,
    /// The run has lost its job; whatever it did is discarded.
    Lost,
    /// Infrastructure failed under it.
    Infra(Outcome),
}

impl Halt {
    /// Something that waiting may mend.
    pub fn moment(reason: impl std::fmt::Display) -> Self {
        Self::Infra(Outcome::TransientInfra { reason: reason.to_string() })
    }

    /// Something that somebody has to mend.
    pub fn environment(reason: impl std::fmt::Display) -> Self {
        Self::Infra(Outcome::PermanentEnv { reason: reason.to_string() })
    }
}

impl std::convert::From<GitError> for Halt {
    fn from(error: GitError) -> Self {
        let reason = format!("git: {}", crate::error::chain(&error));
        if error.is_transient() { Self::moment(reason) } else { Self::environment(reason) }
    }
}

impl std::convert::From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fenced { .. } => Self::Lost,
            other => Self::moment(format!("database: {}", crate::error::chain(&other))),
        }
    }
}

/// A gate, what it said, and of which revision.
type Judged = (Gate, Verdict, Option<Revision>);

/// How a run came to its end: what the decision is made from.
enum Ended {
    /// A producer worked and its gate has spoken.
    Worked {
        report: RunReport,
        gate: Option<Gate>,
        judged: Option<Revision>,
        /// What ended an agent that says why.
        fault: Option<Fault>,
    },
    /// The merge gate worked.
    Merged(MergeResult),
    /// It waits, at least until then: a deploy for its target, any run for room on the disk.
    Waits { until: Timestamp, reason: String },
}

/// Drives a run to its end, or until the service stops.
pub fn drive(engine: &Arc<Engine>, owned: &Owned, driven: &Driven, from: From) {
    let begun = Instant::now();
    engine.publishing.note(&owned.owner.run_id);
    let ended = match work(engine, owned, driven, from) {
        Ok(ended) => ended,
        Err(Halt::Stopping) => return,
        Err(Halt::Lost) => return discard(engine, owned),
        Err(Halt::Infra(outcome)) => {
            // What was started before the fault must not go on beside the next try.
            engine.end_run(&owned.owner.run_id);
            not_judged(owned, outcome)
        }
    };
    if driven.is_lost() {
        return discard(engine, owned);
    }
    tracing::debug!(
        task.key = %owned.task.key, run.id = %owned.owner.run_id, stage = %owned.job.stage,
        run.ms = begun.elapsed().as_millis() as u64, "run collected",
    );
    rooms::clear(engine, &owned.owner.run_id);
    settle(engine, owned, &ended);
}

fn work(engine: &Arc<Engine>, owned: &Owned, driven: &Driven, from: From) -> Result<Ended, Halt> {
    let config = RepoConfig::load(engine, &owned.repo).map_err(Halt::environment)?;
    if from == From::Claim
        && let Some(reason) = disk::lacks_room(engine)
    {
        let until = engine.clock.now() + disk::LOOK;
        return Ok(Ended::Waits { until, reason });
    }
    if owned.job.agent.as_str() == MERGE_GATE {
        return merge_gate::land(engine, owned, driven, &config).map(Ended::Merged);
    }
    let stage = owned.stage()?;
    let deploys = RunnerKind::by_name(&owned.job.agent) == Some(RunnerKind::Deploy);
    let base = match (from, &owned.base) {
        (From::Launched, Some(base)) => base.clone(),
        (From::Launched, None) if !deploys => {
            return Err(Halt::moment("the run was launched without a recorded base"));
        }
        (From::Claim | From::Launched, _) => {
            if matches!(stage.producer, Producer::Agent(_)) {
                accounts::sync(engine, &owned.repo, &config)?;
                money::refuse_over_budget(engine, &owned.task, &config)?;
            }
            let workplace = prepare::prepare(engine, owned, stage)?;
            if !deploys {
                launch::launch_job(engine, owned, stage, &config, &workplace)?;
                beside::shadow(engine, owned, stage, &config, &workplace.base);
            }
            workplace.base
        }
    };
    if deploys {
        return match deploy::run(engine, owned, driven, &config)? {
            deploy::Deployed::Waits { until, reason } => Ok(Ended::Waits { until, reason }),
            deploy::Deployed::Ended(log) => {
                collect::deployed(engine, owned, stage, &config, &base, &log)
            }
        };
    }
    let exit = wait::wait(engine, owned, driven)?;
    collect::collect(engine, owned, stage, &config, &base, &exit)
}

/// The end of a run that infrastructure cut short.
fn not_judged(owned: &Owned, outcome: Outcome) -> Ended {
    if owned.job.agent.as_str() == MERGE_GATE {
        return Ended::Merged(MergeResult::Infra(outcome));
    }
    let verdict = Verdict::refused("the work did not run to its end");
    let report = RunReport { outcome, verdict, head: None, tested: None };
    Ended::Worked { report, gate: None, judged: None, fault: None }
}

/// Decides and applies; a run that lost its job meanwhile is discarded.
fn settle(engine: &Engine, owned: &Owned, ended: &Ended) {
    let now = engine.clock.now();
    let spend = spend(engine, owned);
    let usage = spend.as_ref().map(money::usage).unwrap_or_default();
    let shuts = accounts::shutter(engine, owned, ended_outcome(ended), ended_fault(ended))
        .and_then(|shutter| accounts::after(engine, owned, shutter));
    let reroute = shuts.as_ref().map(|(account, pause)| {
        format!("the account {account} is paused until {}: {}", pause.until, pause.reason)
    });
    let (decision, record) = decide(engine, owned, ended, usage, reroute, now);
    engine.count(owned, ended_outcome(ended), &decision);
    let guard = Guard::Run(owned.fence());
    // A database that is busy or full for a moment must not cost a finished run its result.
    loop {
        let settled = spend
            .as_ref()
            .map_or(Ok(()), |spend| engine.store.settle_llm_call(&owned.owner.run_id, spend));
        let shut = || match &shuts {
            Some((account, pause)) => accounts::shut(engine, account, pause),
            None => Ok(()),
        };
        let asked = || match ended_outcome(ended) {
            Some(Outcome::NeedsInput { question }) => {
                engine.store.ask(engine.clock.now(), &owned.fence(), question)
            }
            _ => Ok(()),
        };
        let applied = settled.and_then(|()| shut()).and_then(|()| asked()).and_then(|()| {
            engine.store.apply(engine.clock.now(), &guard, &decision, Some(&record))
        });
        match applied {
            Ok(_) => break,
            Err(StoreError::Fenced { .. }) => return discard(engine, owned),
            Err(error) => {
                tracing::error!(task.key = %owned.task.key, error = crate::error::chain(&error), "a decision could not be stored; trying again");
                if engine.wake.sleep_through(std::time::Duration::from_millis(500)) {
                    return;
                }
            }
        }
    }
    if ended_outcome(ended).and_then(fault_of).is_some() {
        breakers::met(engine, &owned.owner.run_id);
    }
    if matches!(decision.step, Step::End(_)) {
        engine.remove_worktree(&owned.task);
        engine.forget_sessions(&owned.task.key);
        engine.retire_branch(owned);
    }
    engine.wake.notify();
}

fn ended_outcome(ended: &Ended) -> Option<&Outcome> {
    match ended {
        Ended::Worked { report, .. } => Some(&report.outcome),
        Ended::Merged(MergeResult::Infra(outcome)) => Some(outcome),
        Ended::Merged(_) | Ended::Waits { .. } => None,
    }
}

fn ended_fault(ended: &Ended) -> Option<Fault> {
    match ended {
        Ended::Worked { fault, .. } => *fault,
        Ended::Merged(_) | Ended::Waits { .. } => None,
    }
}

/// What the run's language model consumed; `None` where none was started.
fn spend(engine: &Engine, owned: &Owned) -> Option<CallSpend> {
    let agent = matches!(owned.stage().ok()?.producer, Producer::Agent(_));
    (agent && owned.job.agent.as_str() != MERGE_GATE)
        .then(|| money::spend(engine, &owned.repo, &owned.owner.run_id, Some(owned.settings())))
}

fn decide(
    engine: &Engine,
    owned: &Owned,
    ended: &Ended,
    usage: Usage,
    reroute: Option<String>,
    now: Timestamp,
) -> (Decision, RunRecord) {
    let running = Job { state: JobState::Running(owned.owner.clone()), ..owned.job.clone() };
    let at = Situation { task: &owned.task, job: &running, now };
    let random = engine.clock.random();
    let policy = Policy { reroute, ..engine.policy(&owned.repo, &owned.job.agent) };
    let run_id = owned.owner.run_id.clone();
    let fault = ended_outcome(ended).and_then(fault_of);
    let paused = fault.and_then(|_| breakers::paused(engine, &run_id));
    match ended {
        Ended::Worked { report, gate, judged, .. } => {
            let record = RunRecord {
                run_id,
                outcome: report.outcome.clone(),
                gate: gate.map(|gate| (gate, report.verdict.clone(), judged.clone())),
                end_commit: report.head.clone(),
                usage,
            };
            let decision = match paused {
                Some(paused) => {
                    decide::channel_paused(at, report.head.clone(), &report.outcome, &paused)
                }
                None => decide::run_ended(at, report.clone(), &policy, random),
            };
            (decision, record)
        }
        Ended::Waits { until, reason } => {
            // No fault: it was asked for patience.
            let outcome = Outcome::RateLimited { until: *until };
            let (gate, end_commit, usage) = (None, None, Usage::default());
            let record = RunRecord { run_id, outcome, gate, end_commit, usage };
            (decide::deploy_waits(at, *until, reason), record)
        }
        Ended::Merged(result) => {
            let (outcome, gate, end_commit) = merge_record(result);
            let record = RunRecord { run_id, outcome, gate, end_commit, usage: Usage::default() };
            let decision = match (paused, result) {
                (Some(paused), MergeResult::Infra(outcome)) => {
                    decide::channel_paused(at, None, outcome, &paused)
                }
                _ => decide::merge_ended(at, result.clone(), &policy, random),
            };
            (decision, record)
        }
    }
}

/// How the merge gate's result stands in the run's record.
fn merge_record(result: &MergeResult) -> (Outcome, Option<Judged>, Option<Revision>) {
    let ran = Outcome::SuiteRan { exit_code: 0 };
    match result {
        MergeResult::Landed { commit } => {
            let verdict = Verdict::Pass { reasons: vec![format!("landed as {}", commit.short())] };
            (ran, Some((Gate::Merged, verdict, Some(commit.clone()))), Some(commit.clone()))
        }
        MergeResult::Rejected { findings, head } => {
            let verdict = Verdict::Fail { findings: findings.clone() };
            (ran, Some((Gate::Merged, verdict, Some(head.clone()))), Some(head.clone()))
        }
        MergeResult::NotTested { head } => {
            let verdict = Verdict::refused("the rebased tree is not the tested tree");
            (ran, Some((Gate::Merged, verdict, Some(head.clone()))), Some(head.clone()))
        }
        MergeResult::Moved => (ran, None, None),
        MergeResult::Infra(outcome) => (outcome.clone(), None, None),
    }
}

/// The run lost its job: its processes are ended and nothing of it is kept.
fn discard(engine: &Engine, owned: &Owned) {
    tracing::info!(task.key = %owned.task.key, run.id = %owned.owner.run_id, "run discarded: its job belongs to somebody else or is over");
    engine.end_run(&owned.owner.run_id);
    if spend(engine, owned).is_some() {
        money::note_lost(engine, &owned.repo, &owned.owner.run_id);
    }
    rooms::clear(engine, &owned.owner.run_id);
    if let Ok(task) = engine.store.task(&owned.task.key)
        && !task.state.is_open()
    {
        engine.remove_worktree(&owned.task);
    }
}
