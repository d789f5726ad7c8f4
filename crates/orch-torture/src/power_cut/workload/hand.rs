//! One thread of the load: a worker with a repository of its own, working whatever is queued.

use std::collections::BTreeMap;

use fastrand::Rng;
use orch_core::decide::{Situation, cancelled, retried};
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{KeyPrefix, RepoName, TaskKey, WorkerId};
use orch_core::job::{Job, JobState};
use orch_core::task::Task;
use orch_store::{Guard, NewRepo, Store, StoreError, WorkerRow};

use super::Clock;
use super::journal::Journal;
use super::run::Work;
use crate::power_cut::ack::Ack;
use crate::request::{idempotency, submission};

/// The longest request: over a page, so that rows overflow.
const LONGEST_BODY: usize = 6_000;

/// A thread of the load.
#[derive(Debug)]
pub(super) struct Hand {
    name: String,
    rng: Rng,
    /// What it alone does, by what it is and to whom, and how often it was done.
    counts: BTreeMap<String, usize>,
    /// The tasks it submitted.
    own: Vec<TaskKey>,
    made: u64,
}

/// The world that a step happens in.
pub(super) struct At<'a> {
    pub store: &'a Store,
    pub journal: &'a Journal,
    pub clock: &'a Clock,
}

impl Hand {
    pub(super) fn new(number: usize, seed: u64) -> Self {
        let rng = Rng::with_seed(seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (counts, own) = (BTreeMap::new(), Vec::new());
        Self { name: format!("h{number}"), rng, counts, own, made: 0 }
    }

    /// Does one thing, or a few that belong together.
    pub(super) fn step(
        &mut self,
        store: &Store,
        journal: &Journal,
        clock: &Clock,
    ) -> anyhow::Result<()> {
        let at = At { store, journal, clock };
        if self.made == 0 {
            self.made = 1;
            self.register(&at)?;
        }
        match self.rng.u32(..100) {
            0..20 => self.submit(&at),
            20..72 => Work { at: &at, worker: &self.worker()?, rng: &mut self.rng }.work(),
            72..78 => self.switch(&at, EventKind::TaskPaused),
            78..84 => self.switch(&at, EventKind::TaskResumed),
            84..86 => self.cancel(&at),
            86..90 => self.retry(&at),
            90..92 => self.switch_repo(&at, EventKind::RepoFrozen),
            92..95 => self.switch_repo(&at, EventKind::RepoUnfrozen),
            95..97 => self.hear(&at),
            _ => self.note(&at),
        }
    }

    fn repo(&self) -> anyhow::Result<RepoName> {
        Ok(RepoName::new(self.name.clone())?)
    }

    fn worker(&self) -> anyhow::Result<WorkerId> {
        Ok(WorkerId::new(self.name.clone())?)
    }

    fn register(&self, at: &At<'_>) -> anyhow::Result<()> {
        let repo = NewRepo {
            name: self.repo()?,
            key_prefix: KeyPrefix::new(self.name.to_uppercase())?,
            remote: format!("/srv/{}.git", self.name),
            default_branch: "main".to_owned(),
            checkout: None,
        };
        at.store.register_repo(at.clock.now(), &repo)?;
        at.journal.note(&Ack::Registered { repo: repo.name })
    }

    fn submit(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        self.made += 1;
        let title = format!("{} asks for the {}th time", self.name, self.made);
        let body = "naïve — ".repeat(self.rng.usize(..LONGEST_BODY) / 10);
        let submission = submission(self.repo()?, &title, &body, self.rng.i32(0..3))?;
        let idempotency = idempotency(&title);
        let submitted = at.store.submit(at.clock.now(), &submission, Some(&idempotency))?;
        self.own.push(submitted.task.key.clone());
        let key = submitted.task.key;
        at.journal.note(&Ack::Submitted { key, title, idempotency: idempotency.key })
    }

    /// Pauses or resumes a task of its own.
    fn switch(&mut self, at: &At<'_>, kind: EventKind) -> anyhow::Result<()> {
        let Some(key) = self.rng.choice(self.own.clone()) else { return Ok(()) };
        let now = at.clock.now();
        let changed = match kind {
            EventKind::TaskPaused => at.store.pause(now, &key, Some("for a while")),
            _ => at.store.resume(now, &key),
        };
        match changed {
            Ok(true) => self.happened(at, kind, Some(key), None),
            Ok(false) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn switch_repo(&mut self, at: &At<'_>, kind: EventKind) -> anyhow::Result<()> {
        let (repo, now) = (self.repo()?, at.clock.now());
        let changed = match kind {
            EventKind::RepoFrozen => at.store.freeze(now, &repo, None)?,
            _ => at.store.unfreeze(now, &repo)?,
        };
        if changed { self.happened(at, kind, None, Some(repo)) } else { Ok(()) }
    }

    fn happened(
        &mut self,
        at: &At<'_>,
        kind: EventKind,
        task: Option<TaskKey>,
        repo: Option<RepoName>,
    ) -> anyhow::Result<()> {
        let whom = task.as_ref().map_or_else(|| self.name.clone(), ToString::to_string);
        let nth = self.counts.entry(format!("{} {whom}", kind.name())).or_default();
        *nth += 1;
        at.journal.note(&Ack::Happened { kind, task, repo, nth: *nth })
    }

    fn standing(&mut self, at: &At<'_>) -> anyhow::Result<Option<(Task, Job)>> {
        let Some(key) = self.rng.choice(self.own.clone()) else { return Ok(None) };
        let (task, job) = at.store.standing(&key)?;
        Ok(job.map(|job| (task, job)))
    }

    fn cancel(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        let Some((task, job)) = self.standing(at)? else { return Ok(()) };
        let now = at.clock.now();
        let situation = Situation { task: &task, job: &job, now };
        let Ok(decision) = cancelled(situation, "not needed") else { return Ok(()) };
        let guard = Guard::Any { job_id: job.id, run_epoch: job.run_epoch };
        match at.store.apply(now, &guard, &decision, None) {
            Ok(_) => at.journal.note(&Ack::Cancelled { key: task.key }),
            Err(StoreError::Fenced { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn retry(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        let Some((task, job)) = self.standing(at)? else { return Ok(()) };
        let now = at.clock.now();
        let Ok(decision) = retried(Situation { task: &task, job: &job, now }) else {
            return Ok(());
        };
        if !matches!(job.state, JobState::Queued { .. } | JobState::Held { .. }) {
            return Ok(());
        }
        let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
        match at.store.apply(now, &guard, &decision, None) {
            Ok(_) => self.happened(at, EventKind::TaskRetried, Some(task.key), None),
            Err(StoreError::Fenced { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn hear(&self, at: &At<'_>) -> anyhow::Result<()> {
        let now = at.clock.now();
        let row = WorkerRow {
            id: self.worker()?,
            host: "here".to_owned(),
            pid: 7,
            version: "1".to_owned(),
            capacity: 1_000,
            labels: vec![],
        };
        at.store.worker_beat(now, &row)?;
        at.journal.note(&Ack::Heard { worker: row.id, at: now.as_millisecond() })
    }

    fn note(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        let token = format!("{:032x}", self.rng.u128(..));
        let event = NewEvent {
            kind: EventKind::RunAdopted,
            task: None,
            repo: None,
            run_id: None,
            message: token.clone(),
            data: serde_json::json!({}),
        };
        at.store.record_events(at.clock.now(), &[event])?;
        at.journal.note(&Ack::Noted { token })
    }
}
