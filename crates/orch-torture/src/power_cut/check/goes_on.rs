//! Does the database go on? A task is submitted, claimed and paused as if nothing had been.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use orch_core::ids::{KeyPrefix, RepoName, RunId, WorkerId};
use orch_store::{ClaimRequest, NewRepo, Store};

use super::found::Found;
use crate::power_cut::ack::Ack;
use crate::request::{idempotency, submission};

/// Works on; `acks` come last first. What was submitted last is submitted once more: it has to be
/// known.
pub(super) fn try_it<'a>(
    store: &Store,
    found: &Found,
    mut acks: impl Iterator<Item = &'a Ack>,
) -> anyhow::Result<()> {
    let now = Timestamp::from_second(1_900_000_000)?;
    let last = acks.find_map(|ack| match ack {
        Ack::Submitted { key, title, .. } => found.tasks.get(key).map(|task| (task, title)),
        _ => None,
    });
    if let Some((task, title)) = last {
        let again = submission(task.repo.clone(), title, "", 0)?;
        let again = store.submit(now, &again, Some(&idempotency(title)))?;
        ensure!(!again.fresh && again.task.key == task.key, "{} was made anew", task.key);
    }
    let name = RepoName::new("after")?;
    let repo = NewRepo {
        name: name.clone(),
        key_prefix: KeyPrefix::new("AFTER")?,
        remote: "/srv/after.git".to_owned(),
        default_branch: "main".to_owned(),
        checkout: None,
    };
    store.register_repo(now, &repo).context("registering")?;
    store.sanitize(now).context("sanitizing")?;
    // Before everybody else, so that it is the next one.
    let task = submission(name, "goes on", "after the cut", 1_000)?;
    let task = store.submit(now, &task, None).context("submitting")?.task;
    let request = ClaimRequest {
        worker_id: WorkerId::new("after")?,
        run_id: RunId::from_parts(now.as_millisecond(), 1),
        lease: Duration::from_secs(45),
        labels: std::collections::BTreeSet::new(),
        max_running: 1,
        max_per_repo: None,
        max_per_agent: None,
    };
    let claim = store.claim(now, &request).context("claiming")?;
    let claim = claim.with_context(|| format!("{} can't be claimed", task.key))?;
    ensure!(claim.task.key == task.key, "{} was claimed before {}", claim.task.key, task.key);
    ensure!(store.pause(now, &task.key, None).context("pausing")?, "{} is paused", task.key);
    Ok(())
}
