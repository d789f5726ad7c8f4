//! What a run left becomes commits, a verdict, a decision, and one transaction.

use orch_core::breaker::{Paused, fault_of};
use orch_core::decide::{
    Decision, MergeResult, RunReport, Situation, Step, channel_paused, merge_ended, run_ended,
};
use orch_core::ids::{Revision, RunId, TaskKey};
use orch_core::job::{Job, JobState};
use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::process::RunExit;
use orch_core::stage::{DEPLOY_FINALIZER, Gate, MERGE_GATE, STAGING_RUNNER, TEST_RUNNER};
use orch_core::task::Tested;
use orch_core::verdict::{Finding, Verdict};
use orch_store::{Guard, RunRecord, StoreError, Usage};

use super::drive::{Halt, writes_code};
use super::git::{mix, revision, tree_id};
use super::node::{Driver, Phase};
use super::truth::Fact;
use super::{Broken, World};
use crate::directive::{End, Place, Worker};

/// How a run came to its end.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What the decision is made from.
    pub report: Report,
    /// What really happened.
    pub fact: Fact,
}

/// What the decision is made from.
#[derive(Debug, Clone)]
pub enum Report {
    /// A producer worked.
    Worked(RunReport, Option<Gate>),
    /// The merge gate worked.
    Merged(MergeResult),
}

impl Report {
    /// How the run ended; `None` where a merge came to an end of its own.
    fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Worked(report, _) => Some(&report.outcome),
            Self::Merged(MergeResult::Infra(outcome)) => Some(outcome),
            Self::Merged(_) => None,
        }
    }
}

impl Ended {
    /// The end of a run that infrastructure cut short.
    pub fn halted(driver: &Driver, outcome: Outcome, fact: Fact) -> Self {
        let report = if driver.job.agent.as_str() == MERGE_GATE {
            Report::Merged(MergeResult::Infra(outcome))
        } else {
            let verdict = Verdict::refused("the work did not run to its end");
            Report::Worked(RunReport { outcome, verdict, head: None, tested: None }, None)
        };
        Self { report, fact }
    }
}

impl World {
    /// Commits and pushes what the work left, and asks the gate.
    pub fn collect(
        &mut self,
        worker: Worker,
        driver: &Driver,
        exit: &RunExit,
    ) -> Result<Ended, Halt> {
        let Some(base) = driver.base else {
            return Err(Halt::moment("the run was launched without a recorded base"));
        };
        let Some(stage) = driver.task.pipeline.stage(&driver.job.stage).cloned() else {
            return Err(Halt::moment("the pipeline has no such stage"));
        };
        let dir = self.node(worker).and_then(|node| node.machine.runs.get(driver.run()));
        let (end, patience) = dir.map_or((None, None), |dir| (dir.end, dir.patience));
        let agent = driver.job.agent.as_str();
        let suite = [TEST_RUNNER, STAGING_RUNNER, DEPLOY_FINALIZER].contains(&agent);
        let said = orch_core::suite::read(&exit.stdout_tail, &exit.stderr_tail, &[]);
        let worked = if suite { Worked::Suite(&said) } else { Worked::Agent };
        let outcome = match (classify(worked, exit), patience.filter(|_| !suite)) {
            (Outcome::SuiteRan { exit_code }, _) => Outcome::SuiteRan { exit_code },
            (_, Some(until)) => Outcome::RateLimited { until },
            (outcome, None) => outcome,
        };
        let ran = matches!(outcome, Outcome::SuiteRan { .. });
        let fact = fact(end, suite, ran);
        if suite && !ran {
            let verdict = Verdict::refused("the suite did not run");
            let report = RunReport { outcome, verdict, head: None, tested: None };
            return Ok(Ended { report: Report::Worked(report, None), fact });
        }
        let (head, tree) = self.commit_and_push(worker, driver)?;
        let tested = (stage.gate == Gate::TestsPassed)
            .then(|| Tested { commit: revision(base), code_tree: tree_id(tree) });
        let verdict = if ran { verdict(end, suite) } else { Verdict::refused("it did not end") };
        let report = RunReport { outcome, verdict, head: Some(revision(head)), tested };
        Ok(Ended { report: Report::Worked(report, ran.then_some(stage.gate)), fact })
    }

    /// Done again after a crash it comes to the same commit.
    fn commit_and_push(&mut self, worker: Worker, driver: &Driver) -> Result<(u64, u64), Halt> {
        let mark = driver.run().as_str().bytes().fold(7, |sum, byte| mix(sum, byte.into()));
        let (key, repo, code) =
            (driver.key().clone(), driver.task.repo.clone(), writes_code(driver));
        Ok(self.git(worker, |world| {
            let gone = || Broken::Other(format!("git: the branch of {key} is gone"));
            let node = world.node_mut(worker).ok_or_else(gone)?;
            node.machine.worktrees.insert(key.clone());
            let branch = node.machine.branches.get_mut(&key).ok_or_else(gone)?;
            if !branch.commits.contains(&mark) {
                branch.commits.push(mark);
                if code {
                    branch.patches.push(mark);
                }
            }
            let branch = branch.clone();
            let seen = node.machine.seen.get(&key).copied().flatten();
            let remote = world.remotes.get_mut(&repo).ok_or_else(gone)?;
            if !remote.push_branch(&key, &branch, seen) {
                return Err(Broken::Other(format!("git: the branch of {key} has moved")));
            }
            if let Some(node) = world.node_mut(worker) {
                node.machine.seen.insert(key.clone(), Some(branch.head()));
            }
            Ok((branch.head(), branch.tree()))
        })?)
    }

    /// Decides and applies; true where the run goes on: to try again, or to clean up.
    pub fn settle(
        &mut self,
        worker: Worker,
        driver: &mut Driver,
        ended: Box<Ended>,
    ) -> Result<bool, Halt> {
        if driver.lost {
            return Err(Halt::Lost);
        }
        let now = self.clock(Place::At(worker));
        let random = self.random();
        let policy = self.setup.policy();
        let job = Job { state: JobState::Running(driver.owner.clone()), ..driver.job.clone() };
        let at = Situation { task: &driver.task, job: &job, now };
        let run_id = driver.run().clone();
        let usage = Usage::default();
        let fault = ended.report.outcome().and_then(fault_of).is_some();
        let paused = self.paused(worker, &run_id);
        let stops = paused.clone().filter(|_| fault);
        let (decision, record) = match &ended.report {
            Report::Worked(report, gate) => {
                let judged = |gate| (gate, report.verdict.clone(), report.head.clone());
                let record = RunRecord {
                    run_id,
                    outcome: report.outcome.clone(),
                    gate: gate.map(judged),
                    end_commit: report.head.clone(),
                    usage,
                };
                let decision = match &stops {
                    Some(paused) => {
                        channel_paused(at, report.head.clone(), &report.outcome, paused)
                    }
                    None => run_ended(at, report.clone(), &policy, random),
                };
                (decision, record)
            }
            Report::Merged(result) => {
                let (outcome, gate, end_commit) = merge_record(result);
                let record = RunRecord { run_id, outcome, gate, end_commit, usage };
                let decision = match (&stops, result) {
                    (Some(paused), MergeResult::Infra(outcome)) => {
                        channel_paused(at, None, outcome, paused)
                    }
                    _ => merge_ended(at, result.clone(), &policy, random),
                };
                (decision, record)
            }
        };
        let ends = matches!(decision.step, Step::End(_));
        // What waits for a paused channel burns no budget.
        let fact = match ended.fact {
            Fact::Waits if stops.is_some() => Fact::Infra,
            fact => fact,
        };
        let applied = self.apply_run(worker, driver, decision, Some(&record), fact);
        if applied.is_ok() {
            self.after(worker, driver, fault, paused.as_ref());
        }
        match applied {
            Ok(()) if ends => {
                driver.phase = Phase::RemoveWorktree;
                Ok(true)
            }
            Ok(()) => Ok(false),
            Err(Broken::Crashed) => Err(Halt::Crashed),
            Err(Broken::Store(StoreError::Fenced { .. })) => Err(Halt::Lost),
            Err(broken) => {
                self.say(format!("  could not be stored, trying again: {}", broken.words()));
                driver.phase = Phase::Settle(ended);
                Ok(true)
            }
        }
    }

    /// The pause of the channel that a run went through, as far as that can be read.
    fn paused(&self, worker: Worker, run: &RunId) -> Option<Paused> {
        if !self.setup.rule().enabled {
            return None;
        }
        self.read(Place::At(worker), |store| store.paused_for(run)).ok().flatten()
    }

    /// A fault is looked at after its run was recorded; a run that was let through and came to its
    /// own end has opened its channel for all.
    fn after(&mut self, worker: Worker, driver: &Driver, fault: bool, paused: Option<&Paused>) {
        let (rule, run) = (self.setup.rule(), driver.run().clone());
        if fault && rule.enabled {
            let tripped = self.write(Place::At(worker), |store, now| store.trip(now, &rule, &run));
            self.counts.pauses += u64::from(tripped.is_ok_and(|tripped| tripped));
        }
        let probe = paused.filter(|paused| paused.probing.as_ref() == Some(driver.key()));
        if let Some(probe) = probe.filter(|_| !fault) {
            self.counts.released += 1;
            let channel = &probe.signature.channel;
            let open = self.store.paused_channels().unwrap_or_default();
            if open.iter().any(|still| {
                still.paused.signature.channel == *channel && still.paused.since == probe.since
            }) {
                self.truth.unreleased.push(channel.to_string());
            }
        }
    }

    /// Applies a decision about a run's own job, or about one that its reaper takes back.
    pub fn apply_run(
        &mut self,
        worker: Worker,
        driver: &Driver,
        decision: Decision,
        record: Option<&RunRecord>,
        fact: Fact,
    ) -> Result<(), Broken> {
        let fence = driver.fence();
        let decision = self.spoil_decision(decision, fact);
        let before = self.truth.accepted.len();
        let guard = Guard::Run(fence.clone());
        let mut answer = self.fenced(worker, &fence, |store, now| {
            store.apply(now, &guard, &decision, record).map(drop)
        });
        if let Err(Broken::Store(StoreError::Fenced { .. })) = &answer
            && self.apply_unfenced(&fence, &decision)
        {
            self.truth.accepted.push(fence.clone());
            answer = Ok(());
        }
        if self.truth.accepted.len() > before {
            self.truth.became(driver.key(), driver.job.id, fact);
            if record.is_some() {
                self.truth.settled.push((worker, driver.run().clone()));
            }
            self.spoil_rows(&fence, &driver.owner, &decision);
        }
        answer
    }

    /// The host runs what has landed.
    pub fn deploy(&mut self, key: &TaskKey) {
        let Ok(task) = self.store.task(key) else { return };
        let merged = task.progress.merged.as_ref().and_then(|m| super::git::number(m.as_str()));
        if let (Some(remote), Some(merged)) = (self.remotes.get_mut(&task.repo), merged) {
            remote.deployed.push(merged);
        }
    }
}

/// What really happened, from how the work ended.
fn fact(end: Option<End>, suite: bool, ran: bool) -> Fact {
    match end {
        Some(End::RateLimit) if suite => Fact::Waits,
        Some(end) => Fact::of(end),
        // Stopped from outside: no end of its own.
        None if ran => Fact::Wanting,
        None => Fact::Infra,
    }
}

fn verdict(end: Option<End>, suite: bool) -> Verdict {
    match end {
        Some(End::Pass) => Verdict::Pass { reasons: vec!["as it should be".to_owned()] },
        Some(End::Refused) if !suite => Verdict::refused("the artifact is absent"),
        _ => Verdict::Fail { findings: vec![Finding::new("it is wrong")] },
    }
}

type Judged = (Gate, Verdict, Option<Revision>);

/// How the merge gate's result stands in the run's record.
fn merge_record(result: &MergeResult) -> (Outcome, Option<Judged>, Option<Revision>) {
    let ran = Outcome::SuiteRan { exit_code: 0 };
    let judged = |verdict, head: &Revision| Some((Gate::Merged, verdict, Some(head.clone())));
    match result {
        MergeResult::Landed { commit } => {
            let pass = Verdict::Pass { reasons: vec!["landed".to_owned()] };
            (ran, judged(pass, commit), Some(commit.clone()))
        }
        MergeResult::Rejected { findings, head } => {
            let fail = Verdict::Fail { findings: findings.clone() };
            (ran, judged(fail, head), Some(head.clone()))
        }
        MergeResult::NotTested { head } => {
            let refused = Verdict::refused("the rebased tree is not the tested tree");
            (ran, judged(refused, head), Some(head.clone()))
        }
        MergeResult::Moved => (ran, None, None),
        MergeResult::Infra(outcome) => (outcome.clone(), None, None),
    }
}
