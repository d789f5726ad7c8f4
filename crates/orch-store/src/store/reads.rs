//! The operations that read. Each sees one moment: the last commit before it began.

use jiff::Timestamp;
use orch_core::breaker::{Cause, Paused};
use orch_core::channel::Route;
use orch_core::event::Event;
use orch_core::ids::{EventId, JobId, RepoName, RunId, TaskId, TaskKey, WorkerId};
use orch_core::job::{HoldKind, Job};
use orch_core::money::{Raise, SessionTotals, Spent};
use orch_core::task::Task;

use super::Store;
use crate::error::Result;
use crate::ops::breakers::PausedChannel;
use crate::ops::channels::Channel;
use crate::ops::events::EventFilter;
use crate::ops::gate_view::RepoGate;
use crate::ops::llm_calls::{LlmCall, LlmFilter, LlmSums};
use crate::ops::outbox::OutboxCounts;
use crate::ops::questions::Question;
use crate::ops::queue_snapshot::QueueSnapshot;
use crate::ops::shadows::ShadowSum;
use crate::ops::snapshot::StateSnapshot;
use crate::ops::status_counts::StatusCounts;
use crate::ops::tasks::{Page, TaskFilter, TaskPage};
use crate::ops::{
    breakers, channels, events, gate_results, gate_view, held, jobs, llm_calls, lost_tasks,
    next_wakeup, outbox, questions, queue_snapshot, repos, running, runs, shadows, snapshot,
    status_counts, tasks, workers,
};
use crate::rows::gate_result::GateResult;
use crate::rows::outbox::OutboxItem;
use crate::rows::repo::Repo;
use crate::rows::run::Run;
use crate::rows::worker::Worker;

impl Store {
    /// Says that the database answers.
    pub fn ping(&self) -> Result<()> {
        self.read(|tx| tx.query("SELECT 1", &[]).map(drop))
    }

    /// The repository of that name.
    pub fn repo(&self, name: &RepoName) -> Result<Repo> {
        let name = name.clone();
        self.read(move |tx| repos::repo(tx, &name))
    }

    /// Every repository, by name.
    pub fn repos(&self) -> Result<Vec<Repo>> {
        self.read(|tx| repos::repos(tx))
    }

    /// The task with that key.
    pub fn task(&self, key: &TaskKey) -> Result<Task> {
        let key = key.clone();
        self.read(move |tx| tasks::task(tx, &key))
    }

    /// A task and its active job; the job is `None` for a finished task.
    pub fn standing(&self, key: &TaskKey) -> Result<(Task, Option<Job>)> {
        let key = key.clone();
        self.read(move |tx| tasks::standing(tx, &key))
    }

    /// Open tasks that have no active job; no operation leaves one.
    pub fn tasks_without_a_job(&self) -> Result<Vec<Task>> {
        self.read(|tx| lost_tasks::without_a_job(tx))
    }

    /// A page of tasks with their active jobs, newest first.
    pub fn tasks(&self, filter: &TaskFilter, page: Page) -> Result<TaskPage> {
        let filter = filter.clone();
        self.read(move |tx| tasks::tasks(tx, &filter, page))
    }

    /// A job.
    pub fn job(&self, id: JobId) -> Result<Job> {
        self.read(move |tx| jobs::job(tx, id))
    }

    /// A job and its task, as one moment shows them.
    pub fn job_with_task(&self, id: JobId) -> Result<(Job, Task)> {
        self.read(move |tx| jobs::with_task(tx, id))
    }

    /// The active job of a task; `None` for a finished one.
    pub fn active_job(&self, task: TaskId) -> Result<Option<Job>> {
        self.read(move |tx| jobs::active(tx, task))
    }

    /// Every job of a task, oldest first.
    pub fn jobs(&self, task: TaskId) -> Result<Vec<Job>> {
        self.read(move |tx| jobs::of_task(tx, task))
    }

    /// Running jobs with their tasks, oldest first; of one worker or of all.
    pub fn running(&self, worker: Option<&WorkerId>) -> Result<Vec<(Job, Task)>> {
        let worker = worker.cloned();
        self.read(move |tx| running::running(tx, worker.as_ref()))
    }

    /// Held jobs of a kind with their tasks, the oldest hold first.
    pub fn held(&self, kind: HoldKind, limit: u32) -> Result<Vec<(Job, Task)>> {
        self.read(move |tx| held::held(tx, kind, limit))
    }

    /// A run.
    pub fn run(&self, id: &RunId) -> Result<Run> {
        let id = id.clone();
        self.read(move |tx| runs::run(tx, &id))
    }

    /// Every run of a task, oldest first.
    pub fn runs(&self, task: TaskId) -> Result<Vec<Run>> {
        self.read(move |tx| runs::of_task(tx, task))
    }

    /// Every channel, by sort and name.
    pub fn channels(&self, now: Timestamp) -> Result<Vec<Channel>> {
        self.read(move |tx| channels::channels(tx, now))
    }

    /// The channels that a task's job could take, the best first; empty where none is known.
    pub fn channels_of(&self, now: Timestamp, task: TaskId) -> Result<Vec<Channel>> {
        self.read(move |tx| channels::of_task(tx, now, task))
    }

    /// What agents asked for a task, oldest first.
    pub fn questions(&self, task: TaskId) -> Result<Vec<Question>> {
        self.read(move |tx| questions::of_task(tx, task))
    }

    /// The way that a run took, as its call says; `None` where no language model was started.
    pub fn route_of(&self, run: &RunId) -> Result<Option<Route>> {
        let run = run.clone();
        self.read(move |tx| llm_calls::route_of(tx, &run))
    }

    /// Every start of a language model for a task, oldest first.
    pub fn llm_calls(&self, task: TaskId) -> Result<Vec<LlmCall>> {
        self.read(move |tx| llm_calls::of_task(tx, task))
    }

    /// What starts of language models came to, by call site, repository and day.
    pub fn llm_sums(&self, filter: &LlmFilter) -> Result<LlmSums> {
        let filter = filter.clone();
        self.read(move |tx| llm_calls::report(tx, &filter))
    }

    /// How producers that worked beside each other compare, by call site.
    pub fn shadow_sums(&self, filter: &LlmFilter) -> Result<Vec<ShadowSum>> {
        let filter = filter.clone();
        self.read(move |tx| shadows::sums(tx, &filter))
    }

    /// What a task, its repository today and everybody today have spent, and what the task was
    /// allowed above its limit.
    pub fn spent(&self, now: Timestamp, task: TaskId) -> Result<(Spent, Raise)> {
        self.read(move |tx| llm_calls::spent(tx, now, task))
    }

    /// What a session had consumed by the end of its last call.
    pub fn session_totals(&self, session: &str) -> Result<SessionTotals> {
        let session = session.to_owned();
        self.read(move |tx| llm_calls::session_totals(tx, &session))
    }

    /// What gates said of a task, oldest first.
    pub fn gate_results(&self, task: TaskId) -> Result<Vec<GateResult>> {
        self.read(move |tx| gate_results::of_task(tx, task))
    }

    /// Events after a number, oldest first, at most [`MAX_EVENTS`](crate::MAX_EVENTS).
    pub fn events(&self, after: EventId, filter: &EventFilter, limit: u32) -> Result<Vec<Event>> {
        let (filter, settled) = (filter.clone(), self.settled_events()?);
        self.read(move |tx| events::after(tx, after, settled, &filter, limit))
    }

    /// The last events of a task, oldest first.
    pub fn last_events(&self, task: &TaskKey, limit: u32) -> Result<Vec<Event>> {
        let task = task.clone();
        self.read(move |tx| events::last(tx, &task, limit))
    }

    /// The number of the last event that can be read; 0 before the first.
    pub fn last_event_id(&self) -> Result<EventId> {
        let settled = self.settled_events()?;
        self.read(move |tx| Ok(events::last_id(tx)?.min(settled)))
    }

    /// The queue at this moment.
    pub fn queue_snapshot(&self, now: Timestamp) -> Result<QueueSnapshot> {
        self.read(move |tx| queue_snapshot::queue_snapshot(tx, now))
    }

    /// How many tasks there are, per stage and state.
    pub fn status_counts(&self) -> Result<StatusCounts> {
        self.read(|tx| status_counts::status_counts(tx))
    }

    /// The serial gate of a repository, with everybody who waits.
    pub fn gate_view(&self, repo: &RepoName) -> Result<RepoGate> {
        let repo = repo.clone();
        self.read(move |tx| gate_view::gate_view(tx, &repo))
    }

    /// The earliest moment after now at which a job becomes due; `None` where only an event can
    /// bring work.
    pub fn next_wakeup(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.read(move |tx| next_wakeup::next_wakeup(tx, now))
    }

    /// Every worker that was ever heard of, by id.
    pub fn workers(&self) -> Result<Vec<Worker>> {
        self.read(|tx| workers::workers(tx))
    }

    /// Alerts that are due, oldest first.
    pub fn outbox_pending(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxItem>> {
        self.read(move |tx| outbox::pending(tx, now, limit))
    }

    /// How many alerts are to be delivered, and how that goes.
    pub fn outbox_counts(&self) -> Result<OutboxCounts> {
        self.read(|tx| outbox::counts(tx))
    }

    /// The pause of the channel that a run goes through; `None` where it is not paused.
    pub fn paused_for(&self, run: &RunId) -> Result<Option<Paused>> {
        let run = run.clone();
        self.read(move |tx| breakers::of_run(tx, &run))
    }

    /// Every paused channel and who waits for it, longest first.
    pub fn paused_channels(&self) -> Result<Vec<PausedChannel>> {
        self.read(|tx| breakers::paused(tx))
    }

    /// The faults that hold tasks, and which.
    pub fn causes(&self) -> Result<Vec<Cause>> {
        self.read(|tx| breakers::causes(tx))
    }

    /// The whole state, for the independent judge.
    pub fn snapshot(&self) -> Result<StateSnapshot> {
        self.read(|tx| snapshot::snapshot(tx))
    }
}
