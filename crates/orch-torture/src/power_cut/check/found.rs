//! Everything that the database holds, read once per image.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::event::{Event, EventKind};
use orch_core::ids::{EventId, JobId, RepoName, RunId, TaskKey, WorkerId};
use orch_core::job::Job;
use orch_core::task::Task;
use orch_store::{EventFilter, MAX_EVENTS, Repo, Run, StateSnapshot, Store};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub repos: BTreeMap<RepoName, Repo>,
    pub tasks: BTreeMap<TaskKey, Task>,
    pub jobs: BTreeMap<JobId, Job>,
    pub runs: BTreeMap<RunId, Run>,
    /// Runs that a gate judged.
    pub judged: BTreeSet<RunId>,
    /// In their order.
    pub events: Vec<Event>,
    /// When each worker was last heard of, in Unix milliseconds.
    pub heard: BTreeMap<WorkerId, i64>,
    /// How often each kind of event names each task and repository.
    counts: BTreeMap<(&'static str, Option<TaskKey>, Option<RepoName>), usize>,
    /// The messages of events.
    messages: BTreeSet<String>,
}

impl Found {
    pub(super) fn read(store: &Store, snapshot: StateSnapshot) -> orch_store::Result<Self> {
        let mut found = Self::default();
        for task in &snapshot.tasks {
            for run in store.runs(task.id)? {
                found.runs.insert(run.run_id.clone(), run);
            }
            found.judged.extend(store.gate_results(task.id)?.into_iter().map(|one| one.run_id));
        }
        let heard = store.workers()?.into_iter();
        found.heard = heard.map(|one| (one.info.id, one.last_seen.as_millisecond())).collect();
        loop {
            let last = found.events.last().map_or(EventId(0), |event| event.id);
            let more = store.events(last, &EventFilter::default(), MAX_EVENTS)?;
            if more.is_empty() {
                break;
            }
            for event in more {
                found.event(event);
            }
        }
        found.repos = snapshot.repos.into_iter().map(|r| (r.info.name.clone(), r)).collect();
        found.tasks = snapshot.tasks.into_iter().map(|t| (t.key.clone(), t)).collect();
        found.jobs = snapshot.jobs.into_iter().map(|j| (j.id, j)).collect();
        Ok(found)
    }

    /// Takes an event in.
    pub(super) fn event(&mut self, event: Event) {
        let what = &event.what;
        let key = (what.kind.name(), what.task.clone(), what.repo.clone());
        *self.counts.entry(key).or_default() += 1;
        self.messages.insert(what.message.clone());
        self.events.push(event);
    }

    /// How often that happened to a task, or to a repository as a whole.
    pub(super) fn happened(
        &self,
        kind: EventKind,
        task: Option<&TaskKey>,
        repo: Option<&RepoName>,
    ) -> usize {
        let matching = |known: &(&str, Option<TaskKey>, Option<RepoName>)| {
            known.0 == kind.name()
                && known.1.as_ref() == task
                && (repo.is_none() || known.2.as_ref() == repo)
        };
        self.counts.iter().filter(|(known, _)| matching(known)).map(|(_, count)| count).sum()
    }

    /// Whether an event says so.
    pub(super) fn said(&self, message: &str) -> bool {
        self.messages.contains(message)
    }
}
