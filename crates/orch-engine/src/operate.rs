//! What people and programs do to tasks and repositories from outside: one method per wish, used
//! by the HTTP floor and the command line alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use orch_core::breaker::CauseId;
use orch_core::channel::Pause;
use orch_core::decide::{self, Decision, NotAllowed, Situation, Submission};
use orch_core::ids::{RepoName, TaskKey};
use orch_core::job::{Job, JobState};
use orch_core::money::Raise;
use orch_core::task::Task;
use orch_core::why::{GateView, Standing, Why, WorkersView, why};
use orch_store::{Guard, IdempotencyKey, Repo, Store, StoreError};

use crate::accounts;
use crate::engine::Engine;
use crate::error::chain;
use crate::register::{self, RegisterRequest};
use crate::repo_config::RepoConfig;

/// Acts on tasks and repositories.
#[derive(Debug, Clone)]
pub struct Operator {
    engine: Arc<Engine>,
}

/// A request for a task.
#[derive(Debug, Clone)]
pub struct NewTaskRequest {
    /// The repository; `None` is the only one there is.
    pub repo: Option<RepoName>,
    /// One line.
    pub title: String,
    /// The request in full.
    pub body: String,
    /// Higher goes first.
    pub priority: i32,
}

/// A submitted task.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The task.
    pub task: Task,
    /// False where the same request had been submitted before.
    pub created: bool,
}

/// Why a wish was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// There is no such thing.
    #[error("{what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The state of the thing does not allow it.
    #[error("{reason}")]
    NotAllowed {
        /// Why not, and what would be allowed.
        reason: String,
    },
    /// The wish itself is malformed.
    #[error("{reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// The repository's settings can't be used.
    #[error("the repository's orch.toml can't be used: {}", .problems.join("; "))]
    Config {
        /// Each problem with its line.
        problems: Vec<String>,
    },
    /// The same idempotency key came with another request.
    #[error("this Idempotency-Key was used before with another request")]
    IdempotencyMismatch,
    /// The database or the disk does not answer at the moment.
    #[error("{reason}")]
    Unavailable {
        /// What failed.
        reason: String,
    },
}

impl From<StoreError> for OperateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Invalid { .. } => Self::Invalid { reason: error.to_string() },
            StoreError::NotFound { .. } => Self::NotFound { what: error.to_string() },
            StoreError::Conflict { .. } => Self::NotAllowed { reason: error.to_string() },
            StoreError::IdempotencyMismatch { .. } => Self::IdempotencyMismatch,
            other => Self::Unavailable { reason: chain(&other) },
        }
    }
}

impl From<NotAllowed> for OperateError {
    fn from(error: NotAllowed) -> Self {
        Self::NotAllowed { reason: error.to_string() }
    }
}

pub(crate) type Result<T> = std::result::Result<T, OperateError>;

/// Whose job a wish may change.
#[derive(Debug, Clone, Copy)]
enum Whoever {
    /// Whoever owns it, or nobody: the wish ends it.
    OwnsIt,
    /// Nobody's: the wish sets it going.
    Nobody,
}

/// Tries before a task that changes under every look is given up on.
const TRIES: u32 = 20;

impl Operator {
    /// Acts through this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// The records, for reading.
    pub fn store(&self) -> &Store {
        &self.engine.store
    }

    /// The engine, for reports.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    /// Submits a task.
    pub fn submit(
        &self,
        request: NewTaskRequest,
        idempotency_key: Option<&str>,
    ) -> Result<Submitted> {
        let repo = self.repository(request.repo.as_ref())?;
        let config = RepoConfig::load(&self.engine, &repo)
            .map_err(|error| OperateError::Config { problems: vec![error] })?;
        let submission = Submission {
            repo: repo.info.name.clone(),
            title: request.title.trim().to_owned(),
            body: request.body,
            priority: request.priority,
            pipeline: config
                .pipeline(&repo.info.name)
                .map_err(|problems| OperateError::Config { problems })?,
        };
        submission.check().map_err(|reason| OperateError::Invalid { reason })?;
        let idempotency = idempotency_key.map(|key| idempotency(key, &submission));
        accounts::sync(&self.engine, &repo, &config)?;
        let done = self.engine.store.submit(self.now(), &submission, idempotency.as_ref())?;
        self.engine.wake.notify();
        Ok(Submitted { task: done.task, created: done.fresh })
    }

    fn repository(&self, name: Option<&RepoName>) -> Result<Repo> {
        if let Some(name) = name {
            return Ok(self.engine.store.repo(name)?);
        }
        let mut repos = self.engine.store.repos()?;
        match (repos.pop(), repos.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(OperateError::Invalid {
                reason: "no repository is registered; `orch init` in one registers it".to_owned(),
            }),
            (Some(_), false) => Err(OperateError::Invalid {
                reason: "several repositories are registered; name one".to_owned(),
            }),
        }
    }

    /// Registers a repository by its checkout; done again it changes nothing.
    pub fn register(&self, request: &RegisterRequest) -> Result<(Repo, bool)> {
        let engine = &self.engine;
        register::register(&engine.store, &engine.git, &engine.sources, self.now(), request)
    }

    /// Cancels a task; a running run is ended within a moment.
    pub fn cancel(&self, key: &TaskKey, reason: &str) -> Result<()> {
        self.act(key, Whoever::OwnsIt, |at| decide::cancelled(at, reason))
    }

    /// Sets a held or deferred task going again, and allows it more than its budget where asked.
    /// Where it then waits for a paused channel, that is probed at once.
    pub fn retry(&self, key: &TaskKey, raise: Raise) -> Result<()> {
        let (task, job) = self.active(key)?;
        if raise != Raise::default() {
            // A wish that is refused must not leave a higher budget behind.
            let _ = decide::retried(Situation { task: &task, job: &job, now: self.now() })?;
            self.engine.store.raise_budget(task.id, raise)?;
        }
        self.act(key, Whoever::Nobody, decide::retried)?;
        if let (_, Some(job)) = self.engine.store.standing(key)?
            && self.engine.store.probe_now(self.now(), job.id)?
        {
            self.engine.wake.notify();
        }
        Ok(())
    }

    /// Sets every task going that a fault holds, and ends the pause of its channel; gives those
    /// that go on.
    pub fn retry_cause(&self, id: &CauseId) -> Result<Vec<TaskKey>> {
        let store = &self.engine.store;
        let paused = store.paused_channels()?.into_iter().map(|channel| channel.paused);
        let paused = paused.map(|paused| paused.signature).find(|found| &found.cause() == id);
        let held = store.causes()?.into_iter().find(|cause| &cause.signature.cause() == id);
        if paused.is_none() && held.is_none() {
            let what = format!("no task is held by a cause {id}, and no channel is paused for it");
            return Err(OperateError::NotFound { what });
        }
        if let Some(signature) = paused {
            store.resume_channel(self.now(), &signature.channel, "an operator says so")?;
            self.engine.wake.notify();
        }
        let mut going = Vec::new();
        for task in held.map(|cause| cause.held).unwrap_or_default() {
            match self.act(&task.key, Whoever::Nobody, decide::mended) {
                Ok(()) => going.push(task.key),
                // Somebody else was quicker.
                Err(OperateError::NotAllowed { .. } | OperateError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(going)
    }

    /// Sets a task going whose fault is mended.
    pub(crate) fn mended(&self, key: &TaskKey) -> Result<()> {
        self.act(key, Whoever::Nobody, decide::mended)
    }

    /// Approves the human stage that a task waits at.
    pub fn approve(&self, key: &TaskKey, by: &str) -> Result<()> {
        self.act(key, Whoever::Nobody, |at| decide::approved(at, by))
    }

    /// Gives a held task advice for its next brief and sets it going.
    pub fn answer(&self, key: &TaskKey, text: &str) -> Result<()> {
        if text.trim().is_empty() {
            return Err(OperateError::Invalid { reason: "the answer is empty".to_owned() });
        }
        self.act(key, Whoever::Nobody, |at| decide::answered(at, text))?;
        let task = self.engine.store.task(key)?.id;
        Ok(self.engine.store.answer(self.now(), task, text)?)
    }

    /// Steps a task aside.
    pub fn pause(&self, key: &TaskKey, reason: Option<&str>) -> Result<()> {
        self.engine.store.pause(self.now(), key, reason)?;
        self.engine.wake.notify();
        Ok(())
    }

    /// Puts a paused task back in its place.
    pub fn resume(&self, key: &TaskKey) -> Result<()> {
        self.engine.store.resume(self.now(), key)?;
        self.engine.wake.notify();
        Ok(())
    }

    /// Lets no further task of a repository in.
    pub fn freeze(&self, repo: &RepoName, reason: Option<&str>) -> Result<()> {
        self.engine.store.freeze(self.now(), repo, reason)?;
        Ok(())
    }

    /// Lets tasks of a repository in again.
    pub fn unfreeze(&self, repo: &RepoName) -> Result<()> {
        self.engine.store.unfreeze(self.now(), repo)?;
        self.engine.wake.notify();
        Ok(())
    }

    /// Reads the task and its job, decides, applies; looks again where a run was quicker.
    fn act(
        &self,
        key: &TaskKey,
        owner: Whoever,
        decide: impl Fn(Situation<'_>) -> std::result::Result<Decision, NotAllowed>,
    ) -> Result<()> {
        for _ in 0..TRIES {
            let (task, job) = self.active(key)?;
            let now = self.now();
            let decision = decide(Situation { task: &task, job: &job, now })?;
            let (job_id, run_epoch) = (job.id, job.run_epoch);
            let guard = match owner {
                Whoever::OwnsIt => Guard::Any { job_id, run_epoch },
                Whoever::Nobody => Guard::Idle { job_id, run_epoch },
            };
            match self.engine.store.apply(now, &guard, &decision, None) {
                Ok(_) => {
                    self.engine.wake.notify();
                    return Ok(());
                }
                Err(StoreError::Fenced { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(OperateError::Unavailable { reason: format!("{key} changes too quickly; try again") })
    }

    fn active(&self, key: &TaskKey) -> Result<(Task, Job)> {
        match self.engine.store.standing(key)? {
            (task, Some(job)) => Ok((task, job)),
            (task, None) => Err(OperateError::NotAllowed {
                reason: format!("{key} is over ({})", task.state.status()),
            }),
        }
    }

    /// One task.
    pub fn task(&self, key: &TaskKey) -> Result<Task> {
        Ok(self.engine.store.task(key)?)
    }

    /// Why a task stands where it stands.
    pub fn why(&self, key: &TaskKey) -> Result<Why> {
        let (task, job) = self.engine.store.standing(key)?;
        let gate = self.gate_of(&task)?;
        let now = self.now();
        let workers = self.workers(&task, now)?;
        let last = self.engine.store.gate_results(task.id)?.pop();
        let last_verdict = last.map(|found| {
            let lines = found.verdict.lines();
            let first = lines.first().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{} said {}{first}", found.gate.name(), found.verdict.word())
        });
        let channels = self.engine.store.paused_channels()?;
        let paused = channels.iter().find(|channel| channel.waiting.contains(key));
        let held = matches!(job.as_ref().map(|job| &job.state), Some(JobState::Held { .. }));
        let causes = if held { self.engine.store.causes()? } else { Vec::new() };
        let cause = causes.iter().find(|cause| cause.held.iter().any(|held| &held.key == key));
        let mut answer = why(&Standing {
            task: &task,
            job: job.as_ref(),
            gate: &gate,
            workers: &workers,
            paused: paused.map(|channel| &channel.paused),
            cause,
            last_verdict: last_verdict.as_deref(),
            now,
        });
        answer.reasons.extend(crate::deploy::standing(&self.engine.store, task.id)?);
        Ok(answer)
    }

    /// The serial gate of its repository, as this task sees it.
    fn gate_of(&self, task: &Task) -> Result<GateView> {
        let policy = self.engine.store.gate_policy();
        let gate = self.engine.store.gate_view(&task.repo)?;
        let mut ahead = gate.waiting;
        if let Some(place) = ahead.iter().position(|key| key == &task.key) {
            ahead.truncate(place);
        }
        Ok(GateView {
            enabled: policy.enabled,
            width: policy.width,
            frozen: gate.frozen.map(|freeze| (freeze.at, freeze.reason)),
            holders: gate.holders,
            ahead,
        })
    }

    fn workers(&self, task: &Task, now: Timestamp) -> Result<WorkersView> {
        let stale = now - self.engine.settings.lease;
        let alive: Vec<_> =
            self.engine.store.workers()?.into_iter().filter(|w| w.last_seen >= stale).collect();
        let wanted = task
            .pipeline
            .stage(&task.progress.stage)
            .map(|stage| stage.labels.clone())
            .unwrap_or_default();
        let served = alive.iter().any(|worker| {
            wanted.iter().all(|label| worker.info.labels.iter().any(|has| has == label.as_str()))
        });
        Ok(WorkersView {
            lacking: if served { BTreeSet::new() } else { wanted },
            shut: self.shut(task, now)?,
            alive: alive.len() as u32,
            capacity: alive.iter().map(|worker| worker.info.capacity).sum(),
            running: self.engine.store.running(None)?.len() as u32,
        })
    }

    /// What the task's job could go through, where all of it is shut.
    fn shut(&self, task: &Task, now: Timestamp) -> Result<Vec<(String, Pause)>> {
        let channels = self.engine.store.channels_of(now, task.id)?;
        let all = channels.len();
        let shut: Vec<(String, Pause)> = channels
            .into_iter()
            .filter_map(|channel| {
                Some((format!("{} {}", channel.kind, channel.name), channel.pause?))
            })
            .collect();
        Ok(if shut.len() == all { shut } else { Vec::new() })
    }

    /// The artifacts on a task's branch, by name. A branch that another machine pushed is fetched.
    pub fn artifacts(&self, key: &TaskKey) -> Result<Vec<String>> {
        let task = self.task(key)?;
        let Some(head) = &task.progress.head else { return Ok(Vec::new()) };
        let repo = self.engine.store.repo(&task.repo)?;
        let listed = || self.engine.mirror(&repo)?.files_under(head, &key.artifact_dir());
        let found = listed().or_else(|_| {
            self.engine.repo_locks.hold(&task.repo, || self.engine.mirror(&repo)?.fetch())?;
            listed()
        });
        match found {
            Ok(entries) => Ok(entries.into_iter().map(|entry| entry.path).collect()),
            Err(error) => Err(OperateError::Unavailable { reason: chain(&error) }),
        }
    }

    /// What the loops report.
    pub fn report(&self) -> crate::report::EngineReport {
        crate::report::report(&self.engine)
    }
}

/// Ties an idempotency key to the request it came with.
fn idempotency(key: &str, submission: &Submission) -> IdempotencyKey {
    let Submission { repo, title, body, priority, .. } = submission;
    let request = format!("{repo}\0{title}\0{body}\0{priority}");
    // FNV-1a: it has to stay the same across versions, and only tells mistakes apart.
    let hash = request.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let body_hash = format!("{hash:016x}");
    IdempotencyKey { scope: "api".to_owned(), key: key.to_owned(), body_hash }
}
