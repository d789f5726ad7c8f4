//! The engine: what every loop and every run shares.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orch_core::decide::{Decision, Policy, Step};
use orch_core::event::EventKind;
use orch_core::ids::{AgentName, RepoName, Revision, RunId, TaskKey, WorkerId};
use orch_core::job::{Fence, JobState};
use orch_core::outcome::Outcome;
use orch_core::task::Task;
use orch_git::{Git, GitError, Mirror, Worktree};
use orch_process::RunDir;
use orch_process::sandbox::{self, Available};
use orch_store::{Repo, Store, StoreError};

use crate::accounts::Routes;
use crate::active::{Active, BesideRuns, RepoLocks};
use crate::alerts::Resting;
use crate::channels::Channels;
use crate::clock::Clock;
use crate::deploy::{DeployLocks, Monitors};
use crate::error::chain;
use crate::home::Home;
use crate::orderly::Orderly;
use crate::publish::Publishing;
use crate::repo_config::RepoConfig;
use crate::run::{Halt, Owned};
use crate::runners::RunnerKind;
use crate::settings::{EngineSettings, SettingsSources};
use crate::stats::Stats;
use crate::wake::Wake;

/// What every loop and every run shares.
pub struct Engine {
    /// The records.
    pub store: Store,
    /// The state directory.
    pub home: Home,
    /// The service's settings.
    pub settings: EngineSettings,
    /// Where repositories' settings come from.
    pub sources: SettingsSources,
    /// The `orch` binary, for supervisors and scripted agents.
    pub program: PathBuf,
    /// This worker.
    pub worker: WorkerId,
    /// This machine's name.
    pub host: String,
    /// The version of the program.
    pub version: &'static str,
    /// When the service started.
    pub started_at: Timestamp,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// The environment that runs may see.
    pub environment: BTreeMap<String, String>,
    /// The git command line.
    pub git: Git,
    /// What the loops report.
    pub stats: Stats,
    /// The runs driven here.
    pub active: Active,
    /// The runs beside others that are looked after here.
    pub beside: BesideRuns,
    /// What an orderly stop of the last service left.
    pub orderly: Orderly,
    /// One lock per repository.
    pub repo_locks: RepoLocks,
    /// The mirrors that were opened, by repository and remote.
    pub mirrors: Mutex<HashMap<(RepoName, String), Mirror>>,
    /// The ways of agents as they were written down last.
    pub routes: Routes,
    /// What this machine has to confine runs with; asked once, at the first that is to be.
    pub sandboxes: OnceLock<Available>,
    /// Hands runs' logs and artifacts on to the object store.
    pub publishing: Publishing,
    /// The locks of deploy targets that are driven here.
    pub deploy_locks: DeployLocks,
    /// The monitors that this process is at.
    pub monitors: Monitors,
    /// The channels to other machines.
    pub channels: Channels,
    /// Receivers of alerts that are left alone for a while.
    pub resting: Resting,
    /// Wakes and stops the loops.
    pub wake: Arc<Wake>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("home", &self.home)
            .field("worker", &self.worker)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// The repository's mirror, made where it is not there.
    pub fn mirror(&self, repo: &Repo) -> Result<Mirror, GitError> {
        let path = self.home.mirror(&repo.info.name);
        let key = (repo.info.name.clone(), repo.info.remote.clone());
        let known = || self.mirrors.lock().unwrap_or_else(PoisonError::into_inner);
        // Opening one asks git about its settings; a mirror that is still there has kept them.
        if let Some(mirror) = known().get(&key).filter(|_| path.is_dir()) {
            return Ok(mirror.clone());
        }
        let mirror = Mirror::open(&self.git, &path, &repo.info.remote)?;
        known().insert(key, mirror.clone());
        Ok(mirror)
    }

    /// The worktree of a run that was prepared before, made anew where it is gone.
    pub fn worktree(&self, owned: &Owned) -> Result<Worktree, Halt> {
        self.at_worktree(owned, |mirror, path, base| {
            Ok(mirror.ensure_worktree(&owned.task.key, path, base)?)
        })
    }

    /// The worktree with what a run has left in it. One that is gone would be made anew without
    /// that, and there is nothing to judge.
    pub fn worktree_left(&self, owned: &Owned) -> Result<Worktree, Halt> {
        self.at_worktree(owned, |mirror, path, base| {
            let found = mirror.existing_worktree(&owned.task.key, path, base)?;
            found.ok_or_else(|| Halt::moment("the worktree was gone when the run had ended"))
        })
    }

    fn at_worktree(
        &self,
        owned: &Owned,
        look: impl FnOnce(&Mirror, &Path, &Revision) -> Result<Worktree, Halt>,
    ) -> Result<Worktree, Halt> {
        let key = &owned.task.key;
        self.repo_locks.hold(&owned.task.repo, || {
            let mirror = self.mirror(&owned.repo)?;
            let base = mirror
                .branch_head(key)?
                .ok_or_else(|| Halt::moment(format!("the branch {} is gone", key.branch())))?;
            look(&mirror, &self.home.worktree(key), &base)
        })
    }

    /// Pushes the task's branch, so that what a run did outlives this machine's disk.
    pub fn push(&self, owned: &Owned, worktree: &Worktree, head: &Revision) -> Result<(), Halt> {
        // Whoever has lost the job must not move the branch under the one who has it.
        if !self.owns(&owned.fence())? {
            return Err(Halt::Lost);
        }
        let mirror = worktree.mirror();
        let known = mirror.remote_head(&owned.task.key.branch())?;
        mirror.push_branch(&owned.task.key, head, known.as_ref())?;
        Ok(())
    }

    /// The limits that decisions about a repository's tasks keep; the defaults where its settings
    /// can't be read.
    pub fn policy(&self, repo: &Repo, agent: &AgentName) -> Policy {
        RepoConfig::load(self, repo).map(|config| config.settings.policy(agent)).unwrap_or_default()
    }

    /// Whether the run still owns its job.
    pub fn owns(&self, fence: &Fence) -> Result<bool, StoreError> {
        let job = match self.store.job(fence.job_id) {
            Ok(job) => job,
            Err(StoreError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(matches!(&job.state, JobState::Running(owner)
            if owner.run_id == fence.run_id && owner.run_epoch == fence.run_epoch))
    }

    /// The environment of a run: what is allowed of the service's own, and the further names.
    pub fn allowed_env(&self, further: &[String]) -> BTreeMap<String, String> {
        orch_agents::allowed_env(&self.environment, further)
    }

    /// What this machine has to confine runs with.
    pub fn sandboxes(&self) -> Available {
        self.sandboxes.get_or_init(sandbox::available).clone()
    }

    /// How long the worker may sleep: until the next deferred job is due, at most `limit`.
    pub fn next_look(&self, limit: Duration) -> Duration {
        let Ok(Some(due)) = self.store.next_wakeup(self.clock.now()) else { return limit };
        let wait: SignedDuration = due.duration_since(self.clock.now());
        Duration::try_from(wait)
            .unwrap_or(Duration::from_millis(1))
            .clamp(Duration::from_millis(1), limit)
    }

    /// Ends a run's processes, whatever is left of them; one that never began is kept from it.
    pub fn end_run(&self, run: &RunId) {
        self.end_in(&RunDir::new(self.home.run(run)), run);
    }

    /// The same for a run, or a part of one, that has its directory elsewhere.
    pub fn end_in(&self, dir: &RunDir, run: &RunId) {
        if let Err(error) = orch_process::end(dir, run) {
            tracing::warn!(run.id = %run, %error, "a run could not be asked to stop");
        }
    }

    /// Deletes the landed branch of a task on the remote, where the repository wants that.
    pub fn retire_branch(&self, owned: &Owned) {
        let Ok(config) = RepoConfig::load(self, &owned.repo) else { return };
        if !config.settings.merge_gate.delete_branch {
            return;
        }
        let deleted = self.repo_locks.hold(&owned.task.repo, || {
            self.mirror(&owned.repo)?.delete_remote_branch(&owned.task.key)
        });
        if let Err(error) = deleted {
            tracing::warn!(task.key = %owned.task.key, error = chain(&error), "the landed branch could not be deleted");
        }
    }

    /// Removes what agents kept of a task that is over.
    pub fn forget_sessions(&self, key: &TaskKey) {
        if let Err(error) = orch_git::remove_all(&self.home.task_sessions(key)) {
            tracing::warn!(task.key = %key, error = chain(&error), "the sessions of a task could not be removed; the reconciler tries again");
        }
    }

    /// Removes a task's worktree; true where it is gone now.
    pub fn remove_worktree(&self, task: &Task) -> bool {
        let path = self.home.worktree(&task.key);
        let Ok(repo) = self.store.repo(&task.repo) else { return false };
        let removed = self.repo_locks.hold(&task.repo, || {
            let mirror = self.mirror(&repo)?;
            orch_git::remove_all(&self.home.lent(&task.key))?;
            mirror.remove_worktree(&path)
        });
        if let Err(error) = &removed {
            tracing::warn!(task.key = %task.key, error = chain(error), "a worktree could not be removed; the reconciler tries again");
        }
        removed.is_ok()
    }

    /// Counts what a run came to, for `GET /queue`.
    pub fn count(&self, owned: &Owned, outcome: Option<&Outcome>, decision: &Decision) {
        if let Some(outcome) = outcome {
            match RunnerKind::by_name(&owned.job.agent) {
                Some(RunnerKind::Test) => self.stats.testing.count(outcome),
                Some(RunnerKind::Staging) => self.stats.staging.count(outcome),
                Some(RunnerKind::Deploy) | None => {}
            }
        }
        for event in &decision.events {
            let counter = match event.kind {
                EventKind::TaskMerged => &self.stats.landed,
                EventKind::TaskRetested => &self.stats.retested,
                EventKind::TaskBounced
                    if owned.job.agent.as_str() == orch_core::stage::MERGE_GATE =>
                {
                    &self.stats.rejected
                }
                _ => continue,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if let Step::Hold(hold) = &decision.step {
            tracing::warn!(task.key = %owned.task.key, hold.reason = hold.reason, "task held");
        }
    }
}
