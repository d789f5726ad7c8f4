//! The commands of a deploy on another machine (`[deploy] ssh_target`): each has an id of its own
//! there, so that one that was lost sight of is found again and nothing is run twice.

use std::path::PathBuf;
use std::time::Duration;

use orch_core::ids::RunId;
use orch_core::remote::SshTarget;
use orch_core::settings::CommandLine;
use orch_process::RunDir;
use orch_store::DeployStep;

use super::driver::Driver;
use crate::remote::{self, RemoteCommand};
use crate::run::Halt;

impl Driver<'_> {
    /// Starts a step's command there; the inner error says why nothing of it was started.
    pub(super) fn launch_there(
        &self,
        target: &SshTarget,
        dir: &RunDir,
        command: &CommandLine,
        step: &DeployStep,
        steps: &[DeployStep],
    ) -> Result<Result<(), String>, Halt> {
        let engine = self.engine;
        let repo = engine.store.repo(&self.deploy.repo)?;
        let (mirror, revision) = (engine.mirror(&repo)?, &self.deploy.revision);
        if self.settings.ssh_send_tree && !mirror.has_commit(revision)? {
            engine.repo_locks.hold(&self.deploy.repo, || mirror.fetch())?;
        }
        let work = remote::order(
            engine,
            dir,
            &far_id(step)?,
            &RemoteCommand {
                target,
                command,
                env: self.deploy_env(steps),
                revision: Some(revision),
                files: self.settings.ssh_send_tree.then_some(&mirror),
                timeout: self.limit(&step.entry.action),
                earlier: &self.earlier(step, steps)?,
                task: &self.deploy.task,
            },
        )?;
        Ok(self.supervise(dir, work))
    }

    /// Starts a short command there, which looks and changes nothing.
    pub(super) fn look_there(
        &self,
        target: &SshTarget,
        dir: &RunDir,
        command: &CommandLine,
        patience: Duration,
    ) -> Result<Result<(), String>, Halt> {
        let work = remote::order(
            self.engine,
            dir,
            &self.engine.clock.run_id(),
            &RemoteCommand {
                target,
                command,
                env: self.deploy_env(&[]),
                revision: Some(&self.deploy.revision),
                files: None,
                timeout: patience,
                earlier: &[],
                task: &self.deploy.task,
            },
        )?;
        Ok(self.supervise(dir, work))
    }

    /// Earlier tries of the same step that this machine began, newest first: one whose end was not
    /// seen may be at work there still.
    fn earlier(
        &self,
        step: &DeployStep,
        steps: &[DeployStep],
    ) -> Result<Vec<(RunId, RunDir)>, Halt> {
        let own = |earlier: &&DeployStep| {
            earlier.seq < step.seq
                && earlier.entry.action == step.entry.action
                && earlier.worker_id == self.engine.worker
        };
        let placed = |earlier: &DeployStep| {
            let place: PathBuf = self.engine.home.path().join(earlier.dir.as_ref()?);
            Some(far_id(earlier).map(|id| (id, RunDir::new(place))))
        };
        steps.iter().rev().filter(own).filter_map(placed).collect()
    }
}

/// What a step's command is called there.
fn far_id(step: &DeployStep) -> Result<RunId, Halt> {
    let id = format!("{}-{}", step.run_id, step.seq);
    RunId::new(id).map_err(|error| Halt::environment(error.to_string()))
}
