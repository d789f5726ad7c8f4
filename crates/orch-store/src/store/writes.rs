//! The operations that write. Each returns when its work is on the disk; an error means that
//! nothing of it is there.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use orch_core::breaker::{Channel, Rule};
use orch_core::channel::Pause;
use orch_core::decide::{Decision, NextJob, Submission};
use orch_core::event::NewEvent;
use orch_core::ids::{
    JobId, RepoId, RepoName, Revision, RunId, StageName, TaskId, TaskKey, WorkerId,
};
use orch_core::job::Fence;
use orch_core::money::Raise;
use orch_core::outcome::Outcome;
use orch_core::process::ProcessIdentity;
use orch_core::session::RunSession;

use super::Store;
use crate::error::{Result, StoreError};
use crate::ops::apply::RunRecord;
use crate::ops::channels::NewRoute;
use crate::ops::claim::{Claim, ClaimRequest};
use crate::ops::guard::Guard;
use crate::ops::llm_calls::{CallSpend, NewLlmCall};
use crate::ops::shadows::Shadow;
use crate::ops::submit::{IdempotencyKey, Submitted};
use crate::ops::{
    apply, breakers, channels, claim, events, freeze, gate_stages, heartbeat, llm_calls,
    lost_tasks, outbox, pause, questions, readmit, register_repo, resume, sanitize, shadows, stamp,
    submit, unfreeze, workers,
};
use crate::rows::outbox::OutboxItem;
use crate::rows::repo::NewRepo;
use crate::rows::worker::WorkerRow;

impl Store {
    /// Registers a repository, or changes its registration; says whether anything changed. A key
    /// prefix that another repository has is a conflict.
    pub fn register_repo(&self, now: Timestamp, repo: &NewRepo) -> Result<bool> {
        let repo = repo.clone();
        self.write(move |tx| register_repo::register_repo(tx, now, &repo))
    }

    /// Submits a task; a request with a known idempotency key gets the first one's task again.
    pub fn submit(
        &self,
        now: Timestamp,
        submission: &Submission,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Submitted> {
        let (gate, submission, key) =
            (self.gate_policy(), submission.clone(), idempotency.cloned());
        self.write(move |tx| submit::submit(tx, now, gate, &submission, key.as_ref()))
    }

    /// Claims the next job for a worker; `None` where there is none for it.
    pub fn claim(&self, now: Timestamp, request: &ClaimRequest) -> Result<Option<Claim>> {
        let (gate, request) = (self.gate_policy(), request.clone());
        self.write(move |tx| claim::claim(tx, now, gate, &request))
    }

    /// Stamps the process that a run's spawn made. Fenced where the run has lost its job.
    pub fn stamp_process(&self, fence: &Fence, process: &ProcessIdentity) -> Result<()> {
        let (fence, process) = (fence.clone(), process.clone());
        self.write(move |tx| stamp::process(tx, &fence, &process))
    }

    /// Replaces the ways that the jobs of a repository's agents can take.
    pub fn set_routes(&self, repo: RepoId, routes: &[NewRoute]) -> Result<()> {
        let routes = routes.to_vec();
        self.write(move |tx| channels::set_routes(tx, repo, &routes))
    }

    /// Sets how many runs accounts may have at once; every other account has no limit.
    pub fn limit_accounts(&self, limits: &[(String, u32)]) -> Result<()> {
        let limits = limits.to_vec();
        self.write(move |tx| channels::limit_accounts(tx, &limits))
    }

    /// Shuts a channel for a time; one that is shut for longer stays so. Whoever has no other one
    /// waits until then, and the first claim after that opens it.
    pub fn shut_channel(
        &self,
        now: Timestamp,
        kind: &str,
        name: &str,
        pause: &Pause,
    ) -> Result<()> {
        let (kind, name, pause) = (kind.to_owned(), name.to_owned(), pause.clone());
        self.write(move |tx| channels::shut(tx, now, &kind, &name, &pause))
    }

    /// Keeps a run's question. Fenced where the run has lost its job.
    pub fn ask(&self, now: Timestamp, fence: &Fence, question: &str) -> Result<()> {
        let (fence, question) = (fence.clone(), question.to_owned());
        self.write(move |tx| questions::ask(tx, now, &fence, &question))
    }

    /// Keeps the answer to whatever a task asked and nobody answered.
    pub fn answer(&self, now: Timestamp, task: TaskId, answer: &str) -> Result<()> {
        let answer = answer.to_owned();
        self.write(move |tx| questions::answer(tx, now, task, &answer))
    }

    /// Notes that a language model is about to be started. Fenced where the run has lost its job.
    pub fn begin_llm_call(&self, now: Timestamp, fence: &Fence, call: &NewLlmCall) -> Result<()> {
        let (fence, call) = (fence.clone(), call.clone());
        self.write(move |tx| llm_calls::begin(tx, now, &fence, &call))
    }

    /// Notes what a call consumed; noted again it replaces what was noted.
    pub fn settle_llm_call(&self, call_id: &RunId, spend: &CallSpend) -> Result<()> {
        let (call_id, spend) = (call_id.clone(), spend.clone());
        self.write(move |tx| llm_calls::settle(tx, &call_id, &spend))
    }

    /// Ends a call that was started beside its run. A run's own call ends with the run.
    pub fn end_llm_call(&self, now: Timestamp, call_id: &RunId, outcome: &Outcome) -> Result<()> {
        let (call_id, kind) = (call_id.clone(), outcome.kind());
        self.write(move |tx| llm_calls::end(tx, now, &call_id, kind))
    }

    /// Keeps what a producer beside a run came to.
    pub fn record_shadow(&self, now: Timestamp, shadow: &Shadow) -> Result<()> {
        let shadow = shadow.clone();
        self.write(move |tx| shadows::record(tx, now, &shadow))
    }

    /// Ends the calls that a worker started beside its runs, when it starts anew.
    pub fn abandon_llm_calls_beside(&self, now: Timestamp, worker: &WorkerId) -> Result<()> {
        let worker = worker.clone();
        self.write(move |tx| llm_calls::abandon_beside(tx, now, &worker))
    }

    /// Allows a task more than its budget, above what it was allowed before.
    pub fn raise_budget(&self, task: TaskId, raise: Raise) -> Result<()> {
        self.write(move |tx| llm_calls::raise(tx, task, raise))
    }

    /// Stamps the tip of the branch on which a run began. Fenced where the run has lost its job.
    pub fn stamp_base(&self, fence: &Fence, base: &Revision) -> Result<()> {
        let (fence, base) = (fence.clone(), base.clone());
        self.write(move |tx| stamp::base(tx, &fence, &base))
    }

    /// Stamps where a run's log is, where that is not the usual place. Fenced where the run has
    /// lost its job.
    pub fn stamp_log_dir(&self, fence: &Fence, dir: &str) -> Result<()> {
        let (fence, dir) = (fence.clone(), dir.to_owned());
        self.write(move |tx| stamp::log_dir(tx, &fence, &dir))
    }

    /// Stamps the session in which a run works. Fenced where the run has lost its job.
    pub fn stamp_session(&self, fence: &Fence, session: &RunSession) -> Result<()> {
        let (fence, session) = (fence.clone(), session.clone());
        self.write(move |tx| stamp::session(tx, &fence, &session))
    }

    /// Stamps what a run goes through, where more is known of it than its job says. Fenced where
    /// the run has lost its job.
    pub fn stamp_channel(&self, fence: &Fence, channel: &Channel) -> Result<()> {
        let (fence, channel) = (fence.clone(), channel.clone());
        self.write(move |tx| stamp::channel(tx, &fence, &channel))
    }

    /// Looks at the fault that a run met, after it was recorded: a shared one pauses its channel;
    /// says whether this one did.
    pub fn trip(&self, now: Timestamp, rule: &Rule, run: &RunId) -> Result<bool> {
        let (rule, run) = (*rule, run.clone());
        self.write(move |tx| breakers::trip(tx, now, &rule, &run))
    }

    /// Looks at every fault within the rule's window; returns how many channels were paused.
    pub fn trip_all(&self, now: Timestamp, rule: &Rule) -> Result<u64> {
        let rule = *rule;
        self.write(move |tx| breakers::trip_all(tx, now, &rule))
    }

    /// Ends a channel's pause; says whether it was paused.
    pub fn resume_channel(&self, now: Timestamp, channel: &Channel, how: &str) -> Result<bool> {
        let (channel, how) = (channel.clone(), how.to_owned());
        self.write(move |tx| breakers::close(tx, now, &channel, &how))
    }

    /// Lets no job through to a paused channel before that moment.
    pub fn put_off_probe(&self, channel: &Channel, until: Timestamp) -> Result<()> {
        let channel = channel.to_string();
        self.write(move |tx| breakers::put_off_probe(tx, &channel, until))
    }

    /// Probes the channel that a job waits for at once; says whether it waits for one.
    pub fn probe_now(&self, now: Timestamp, job: JobId) -> Result<bool> {
        self.write(move |tx| breakers::probe_now(tx, now, job))
    }

    /// Renews the leases of a worker's runs; returns those that are lost and have to be killed.
    pub fn heartbeat(
        &self,
        now: Timestamp,
        worker: &WorkerId,
        lease: Duration,
        fences: &[Fence],
    ) -> Result<Vec<Fence>> {
        let (worker, fences) = (worker.clone(), fences.to_vec());
        self.write(move |tx| heartbeat::heartbeat(tx, now, &worker, lease, &fences))
    }

    /// Applies a decision as a whole; returns the job that follows, where one does. Fenced where
    /// the guard holds no longer.
    pub fn apply(
        &self,
        now: Timestamp,
        guard: &Guard,
        decision: &Decision,
        run: Option<&RunRecord>,
    ) -> Result<Option<JobId>> {
        let gate = self.gate_policy();
        let (guard, decision, run) = (guard.clone(), decision.clone(), run.cloned());
        self.write(move |tx| apply::apply(tx, now, gate, &guard, &decision, run.as_ref()))
    }

    /// Gives an open task that has no active job one; any other task is a conflict.
    pub fn enqueue(&self, now: Timestamp, key: &TaskKey, job: &NextJob) -> Result<JobId> {
        let (gate, key, job) = (self.gate_policy(), key.clone(), job.clone());
        self.write(move |tx| lost_tasks::enqueue(tx, now, gate, &key, &job))
    }

    /// Lets a task step aside; says whether that changed anything. A finished task is a conflict.
    pub fn pause(&self, now: Timestamp, key: &TaskKey, reason: Option<&str>) -> Result<bool> {
        let (gate, key, reason) = (self.gate_policy(), key.clone(), reason.map(str::to_owned));
        self.write(move |tx| pause::pause(tx, now, gate, &key, reason.as_deref()))
    }

    /// Gives a paused task its place back; says whether that changed anything.
    pub fn resume(&self, now: Timestamp, key: &TaskKey) -> Result<bool> {
        let (gate, key) = (self.gate_policy(), key.clone());
        self.write(move |tx| resume::resume(tx, now, gate, &key))
    }

    /// Lets no task of a repository enter; says whether that changed anything.
    pub fn freeze(&self, now: Timestamp, repo: &RepoName, reason: Option<&str>) -> Result<bool> {
        let (repo, reason) = (repo.clone(), reason.map(str::to_owned));
        self.write(move |tx| freeze::freeze(tx, now, &repo, reason.as_deref()))
    }

    /// Lets tasks of a repository enter again; says whether that changed anything.
    pub fn unfreeze(&self, now: Timestamp, repo: &RepoName) -> Result<bool> {
        let (gate, repo) = (self.gate_policy(), repo.clone());
        self.write(move |tx| unfreeze::unfreeze(tx, now, gate, &repo))
    }

    /// Guards these stages by the serial gate from now on, in every process of this queue; empty
    /// means all. Says whether that changed anything; [`Store::readmit`] makes it felt.
    pub fn guard_stages(&self, stages: &BTreeSet<StageName>) -> Result<bool> {
        let stages = stages.clone();
        self.write(move |tx| gate_stages::set(tx, &stages))
    }

    /// Lets in whoever could enter at any repository; returns how many slots changed hands.
    pub fn readmit(&self, now: Timestamp) -> Result<u64> {
        let gate = self.gate_policy();
        self.write(move |tx| readmit::readmit(tx, now, gate))
    }

    /// Cleans queued jobs with traces of an owner and sets unreadable ones aside; returns how many
    /// rows that were. A row that can't be mended is logged and left; an error of the database
    /// itself ends the sweep, and the next one finds the rest.
    pub fn sanitize(&self, now: Timestamp) -> Result<u64> {
        let gate = self.gate_policy();
        let mut mended = 0;
        for job_id in self.read(sanitize::suspects)? {
            match self.write(move |tx| sanitize::mend(tx, now, gate, job_id)) {
                Ok(rows) => mended += rows,
                Err(error @ (StoreError::Constraint { .. } | StoreError::Impossible { .. })) => {
                    tracing::error!(%job_id, %error, "an impossible job could not be mended");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(mended)
    }

    /// Notes that a worker lives, and what it says of itself.
    pub fn worker_beat(&self, now: Timestamp, worker: &WorkerRow) -> Result<()> {
        let worker = worker.clone();
        self.write(move |tx| workers::beat(tx, now, &worker))
    }

    /// Records events that belong to no other operation, such as an adoption or a note.
    pub fn record_events(&self, now: Timestamp, new: &[NewEvent]) -> Result<()> {
        let new = new.to_vec();
        self.write(move |tx| events::record(tx, now, &new))
    }

    /// Claims the oldest alert that is due, until a moment; `None` where there is none. Alerts about
    /// a shared fault that arose after `settled` are left to gather.
    pub fn outbox_claim(
        &self,
        now: Timestamp,
        settled: Timestamp,
        who: &WorkerId,
        until: Timestamp,
    ) -> Result<Option<OutboxItem>> {
        let who = who.clone();
        self.write(move |tx| outbox::claim(tx, now, settled, &who, until))
    }

    /// Notes which receivers have an alert.
    pub fn outbox_sent_to(&self, id: i64, receivers: &[String]) -> Result<()> {
        let receivers = receivers.to_vec();
        self.write(move |tx| outbox::sent_to(tx, id, &receivers))
    }

    /// Lets alerts go that arose before a moment and could not be delivered; returns how many.
    pub fn outbox_expire(&self, before: Timestamp) -> Result<u64> {
        self.write(move |tx| outbox::expire(tx, before))
    }

    /// Notes that an alert was delivered.
    pub fn outbox_delivered(&self, now: Timestamp, id: i64) -> Result<()> {
        self.write(move |tx| outbox::delivered(tx, now, id))
    }

    /// Notes that an alert's delivery failed, and when it is to be tried again.
    pub fn outbox_failed(&self, id: i64, next_try: Timestamp, error: &str) -> Result<()> {
        let error = error.to_owned();
        self.write(move |tx| outbox::failed(tx, id, next_try, &error))
    }
}
