//! The operator: submits tasks so that there is always some work, and sets going again what is
//! held because of infrastructure, as a person would.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orch_api::NewTask;
use orch_api::{Client, ClientError, TaskQuery};

use super::load;

/// From one round to the next.
const ROUND: Duration = Duration::from_millis(250);
/// Open tasks per repository: one inside its serial gate and some that wait.
const OPEN_PER_REPOSITORY: usize = 3;

/// What the operator did and saw; shared with whoever reports it.
#[derive(Debug, Default)]
pub struct Operator {
    state: Mutex<State>,
    /// Set when no more faults come: then no task beyond the number asked for is submitted.
    pub faults_are_over: AtomicBool,
    /// Set when the operator is to go home.
    pub stop: AtomicBool,
}

/// Its notes.
#[derive(Debug, Default, Clone)]
pub struct State {
    /// Keys of the tasks whose submission was answered.
    pub acknowledged: Vec<String>,
    /// Tasks that were done at the last look.
    pub done: usize,
    /// Tasks set going again, by the reason they were held for.
    pub retried: BTreeMap<String, u32>,
    /// Tasks held for a reason that is not infrastructure.
    pub wrongly_held: BTreeMap<String, String>,
    /// Submissions repeated under the same idempotency key because the answer was cut off.
    pub submitted_again: u32,
}

impl Operator {
    /// The notes.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether enough was submitted and all of it is done.
    pub fn is_content(&self, tasks: usize) -> bool {
        let state = self.state();
        state.acknowledged.len() >= tasks && state.done == state.acknowledged.len()
    }

    /// Works until told to stop.
    pub fn work(&self, client: &Client, tasks: usize, repositories: usize) {
        while !self.stop.load(Ordering::Acquire) {
            // A service that is being killed answers nothing; the next round asks again.
            let _ = self.round(client, tasks, repositories);
            std::thread::sleep(ROUND);
        }
    }

    fn round(&self, client: &Client, tasks: usize, repositories: usize) -> Result<(), ClientError> {
        let all: Vec<_> = client
            .every_task(&TaskQuery { limit: Some(500), ..TaskQuery::default() })
            .collect::<Result<_, _>>()?;
        let done = all.iter().filter(|task| task.status == "done").count();
        self.state().done = done;
        for task in all.iter().filter(|task| task.state == "held") {
            self.look_at_held(client, &task.key)?;
        }
        let enough = tasks.max(repositories);
        let mut open = all.len() - done;
        loop {
            let submitted = self.state().acknowledged.len();
            let more = submitted < enough || !self.faults_are_over.load(Ordering::Acquire);
            if !more || open >= repositories * OPEN_PER_REPOSITORY {
                return Ok(());
            }
            self.submit(client, submitted, repositories)?;
            open += 1;
        }
    }

    /// Submits the next task under a key of its own: cut off and asked again it is still one task.
    fn submit(
        &self,
        client: &Client,
        number: usize,
        repositories: usize,
    ) -> Result<(), ClientError> {
        let task = NewTask {
            title: format!("Line {number}"),
            repo: Some(load::name(number % repositories + 1)),
            ..NewTask::default()
        };
        let submitted = client.submit(&task, Some(&format!("torture-{number}")))?;
        let mut state = self.state();
        state.submitted_again += u32::from(!submitted.created);
        state.acknowledged.push(submitted.task.key);
        Ok(())
    }

    fn look_at_held(&self, client: &Client, key: &str) -> Result<(), ClientError> {
        let task = client.task(key)?;
        let Some(job) = task.jobs.last().filter(|job| job.status == "held") else { return Ok(()) };
        let kind = job.hold_kind.clone().unwrap_or_default();
        let reason = job.reason.clone().unwrap_or_default();
        if kind != "infra" {
            self.state().wrongly_held.insert(key.to_owned(), format!("{kind}: {reason}"));
            return Ok(());
        }
        client.retry(key)?;
        *self.state().retried.entry(format!("{}: {reason}", job.stage)).or_default() += 1;
        Ok(())
    }
}
