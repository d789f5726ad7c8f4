//! Deploys, their locks and their monitors.

use std::time::Duration;

use jiff::Timestamp;
use orch_core::decide::Alert;
use orch_core::deploy::{Action, StepResult, Watch};
use orch_core::event::NewEvent;
use orch_core::ids::{DeployId, RunId, TaskId, WorkerId};

use super::Store;
use crate::error::Result;
use crate::ops::deploys::{self, DeployEnd, LockFence, LockRequest, NewDeploy, NewStep};
use crate::rows::deploy::{Deploy, DeployStep, DeployTarget, Monitor, MonitorState, TargetLock};

impl Store {
    /// Begins a deploy, or gives the task's last one to this run: one that is open, or one whose
    /// end no run has brought to its task yet. Fenced where the run has lost its job.
    pub fn begin_deploy(&self, now: Timestamp, new: &NewDeploy) -> Result<Deploy> {
        let new = new.clone();
        self.write(move |tx| deploys::begin(tx, now, &new))
    }

    /// Takes the lock of a deploy's target, or says who has it; the journal says the same.
    pub fn lock_deploy_target(&self, now: Timestamp, request: &LockRequest) -> Result<StepResult> {
        let request = request.clone();
        self.write(move |tx| deploys::take(tx, now, &request))
    }

    /// The lock that a deploy has with this worker, its lease begun anew; `None` where it has none.
    pub fn deploy_lock_held(
        &self,
        now: Timestamp,
        deploy: DeployId,
        worker: &WorkerId,
        lease: Duration,
    ) -> Result<Option<LockFence>> {
        let worker = worker.clone();
        self.write(move |tx| deploys::held(tx, now, deploy, &worker, lease))
    }

    /// Renews the leases of locks that are driven here.
    pub fn renew_deploy_locks(
        &self,
        now: Timestamp,
        worker: &WorkerId,
        lease: Duration,
        locks: &[LockFence],
    ) -> Result<()> {
        let (worker, locks) = (worker.clone(), locks.to_vec());
        self.write(move |tx| deploys::renew(tx, now, &worker, lease, &locks))
    }

    /// Records the intent of a step; returns its place. A conflict where the lock is no longer the
    /// deploy's own, or another run drives it.
    pub fn intend_deploy_step(&self, now: Timestamp, step: &NewStep) -> Result<u32> {
        let step = step.clone();
        self.write(move |tx| deploys::intend(tx, now, &step))
    }

    /// Confirms an intent with what it came to.
    pub fn confirm_deploy_step(
        &self,
        now: Timestamp,
        deploy: DeployId,
        run: &RunId,
        seq: u32,
        result: &StepResult,
    ) -> Result<()> {
        let (run, result) = (run.clone(), result.clone());
        self.write(move |tx| deploys::confirm(tx, now, deploy, &run, seq, &result))
    }

    /// Records that a deploy which stood is set going again.
    pub fn resume_deploy(
        &self,
        now: Timestamp,
        deploy: DeployId,
        run: &RunId,
        worker: &WorkerId,
    ) -> Result<()> {
        let (run, worker) = (run.clone(), worker.clone());
        self.write(move |tx| {
            let of = (&run, &worker);
            deploys::note(tx, now, deploy, of, &Action::Resume, &StepResult::Resumed).map(drop)
        })
    }

    /// Ends a deploy, or lets a stuck one stand without its lock.
    pub fn end_deploy(&self, now: Timestamp, end: &DeployEnd) -> Result<()> {
        let end = end.clone();
        self.write(move |tx| deploys::end(tx, now, &end))
    }

    /// Ends open deploys of tasks that are over; returns how many.
    pub fn abandon_deploys(&self, now: Timestamp) -> Result<u64> {
        self.write(move |tx| deploys::abandon(tx, now))
    }

    /// A deploy.
    pub fn deploy(&self, id: DeployId) -> Result<Deploy> {
        self.read(move |tx| deploys::deploy(tx, id))
    }

    /// The last deploy of a task; `None` before the first.
    pub fn last_deploy(&self, task: TaskId) -> Result<Option<Deploy>> {
        self.read(move |tx| deploys::latest(tx, task, "deploy"))
    }

    /// The journal of a deploy, in order.
    pub fn deploy_steps(&self, id: DeployId) -> Result<Vec<DeployStep>> {
        self.read(move |tx| deploys::steps_of(tx, id))
    }

    /// A deploy target; `None` where nothing was ever deployed there.
    pub fn deploy_target(&self, target: &str) -> Result<Option<DeployTarget>> {
        let target = target.to_owned();
        self.read(move |tx| deploys::target(tx, &target))
    }

    /// Every deploy target with whoever has its lock, by name.
    pub fn deploy_targets(&self) -> Result<Vec<TargetLock>> {
        self.read(|tx| deploys::targets(tx))
    }

    /// Monitors that watch, and the last that did, newest first.
    pub fn monitors(&self) -> Result<Vec<Monitor>> {
        self.read(|tx| deploys::monitors(tx))
    }

    /// The monitor of a task's last deploy; `None` where none watched it.
    pub fn monitor_of(&self, task: TaskId) -> Result<Option<Monitor>> {
        self.read(move |tx| deploys::monitor_of(tx, task))
    }

    /// Gives the monitors that are due to a worker for a while.
    pub fn claim_monitors(
        &self,
        now: Timestamp,
        worker: &WorkerId,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<Monitor>> {
        let worker = worker.clone();
        self.write(move |tx| deploys::claim_due(tx, now, &worker, lease, limit))
    }

    /// Renews the leases of monitors that a worker is at.
    pub fn renew_monitors(
        &self,
        now: Timestamp,
        worker: &WorkerId,
        lease: Duration,
        ids: &[DeployId],
    ) -> Result<()> {
        let (worker, ids) = (worker.clone(), ids.to_vec());
        self.write(move |tx| deploys::renew_monitors(tx, now, &worker, lease, &ids))
    }

    /// Notes a monitor's look and when the next is due; false where the watch is over or another
    /// worker's.
    pub fn note_monitor_look(
        &self,
        now: Timestamp,
        (id, worker): (DeployId, &WorkerId),
        watch: &Watch,
        next: Timestamp,
        reason: Option<&str>,
        told: Option<(NewEvent, Alert)>,
    ) -> Result<bool> {
        let (worker, watch, reason) = (worker.clone(), watch.clone(), reason.map(str::to_owned));
        self.write(move |tx| {
            let told = told.as_ref().map(|(event, alert)| (event, alert));
            deploys::note_look(tx, now, (id, &worker), &watch, next, reason.as_deref(), told)
        })
    }

    /// Notes that a watched revision is being taken back; false where that was noted before.
    pub fn take_back(
        &self,
        now: Timestamp,
        id: DeployId,
        watch: &Watch,
        reason: &str,
        told: (NewEvent, Alert),
    ) -> Result<bool> {
        let (watch, reason) = (watch.clone(), reason.to_owned());
        self.write(move |tx| deploys::take_back(tx, now, id, &watch, &reason, (&told.0, &told.1)))
    }

    /// Ends a watch; false where it was over.
    pub fn settle_monitor(
        &self,
        now: Timestamp,
        id: DeployId,
        state: MonitorState,
        reason: Option<&str>,
        told: (Vec<NewEvent>, Vec<Alert>),
    ) -> Result<bool> {
        let reason = reason.map(str::to_owned);
        self.write(move |tx| {
            deploys::settle(tx, now, id, state, reason.as_deref(), (&told.0, &told.1))
        })
    }
}
