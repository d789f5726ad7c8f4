//! The commands of a deploy, each under a supervisor of its own in a place that its intent names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use orch_core::deploy::{Action, Ran, StepResult};
use orch_core::ids::Revision;
use orch_core::outcome::{Worked, classify};
use orch_core::process::RunExit;
use orch_core::settings::CommandLine;
use orch_core::verdict::tail;
use orch_launcher::{Prefix, Switch, SwitchResult};
use orch_process::{Observation, Revocation, RunDir};
use orch_store::DeployStep;

use super::driver::Driver;
use crate::error::chain;
use crate::remote;
use crate::run::Halt;
use crate::run::work::Work;

/// Output kept of one command; a runaway must not fill the disk.
const LOG_LIMIT: u64 = 64 * 1024 * 1024;
/// Output kept in the journal; the whole of it is in the command's log.
const SAID: usize = 2 * 1024;

impl Driver<'_> {
    /// Where a command works: the deploy command where the run's log is looked for, the others
    /// beside it.
    pub(super) fn place(&self, action: &Action, seq: u32) -> String {
        let run = &self.deploy.run_id;
        let main = RunDir::new(self.engine.home.run(run));
        let free = matches!(orch_process::observe(&main), Observation::NotStarted);
        if *action == Action::Deploy && free {
            return format!("runs/{run}");
        }
        format!("deploys/{}/{seq}", self.deploy.id)
    }

    /// How long a command may take.
    pub(super) fn limit(&self, action: &Action) -> Duration {
        match action {
            Action::Drain => self.settings.drain_timeout,
            _ => self.settings.timeout,
        }
    }

    fn command_of(&self, action: &Action) -> Option<&CommandLine> {
        let settings = self.settings;
        match action {
            Action::ProveRollback { .. } => settings.rollback_check.as_ref(),
            Action::Drain => settings.drain.as_ref(),
            Action::Deploy => settings.command.as_ref(),
            Action::Rollback { .. } => settings.rollback_command.as_ref(),
            _ => None,
        }
    }

    /// Runs a configured command to its end, or takes up the one that an earlier process started.
    pub(super) fn command(
        &self,
        action: &Action,
        step: &DeployStep,
        steps: &[DeployStep],
        repair: bool,
    ) -> Result<StepResult, Halt> {
        let vanished = |reason: &str| {
            let ran = Ran::Vanished { reason: reason.to_owned() };
            Ok(StepResult::Ran { ran, said: String::new() })
        };
        if step.worker_id != self.engine.worker {
            return vanished("it was begun on another machine");
        }
        let Some(place) = &step.dir else { return vanished("nobody knows where it was begun") };
        let dir = RunDir::new(self.engine.home.path().join(place));
        if matches!(orch_process::observe(&dir), Observation::NotStarted) {
            if repair && self.lock.is_none() {
                return match orch_process::revoke(&dir) {
                    Ok(Revocation::AlreadyStarted) => self.ended(action, &dir),
                    Ok(Revocation::Revoked) | Err(_) => {
                        vanished("it was never started, and the lock is gone")
                    }
                };
            }
            let Some(command) = self.command_of(action) else {
                let reason =
                    format!("the command for {} is not set any more in [deploy]", action.word());
                return Err(Halt::environment(reason));
            };
            let started = match &self.settings.ssh_target {
                Some(target) => self.launch_there(target, &dir, command, step, steps)?,
                None => self.launch(&dir, command, self.limit(action), steps),
            };
            if let Err(reason) = started {
                let ran = Ran::Infra { reason, passing: true };
                return Ok(StepResult::Ran { ran, said: String::new() });
            }
        }
        self.ended(action, &dir)
    }

    /// Waits for the end of a command; where it was to deploy this very service, the launcher says
    /// whether it went back.
    fn ended(&self, action: &Action, dir: &RunDir) -> Result<StepResult, Halt> {
        let result = self.wait(dir)?;
        let StepResult::Ran { ran: Ran::Failed { .. }, said } = &result else { return Ok(result) };
        if !self.settings.itself || *action != Action::Deploy {
            return Ok(result);
        }
        let switch = Prefix::open(&self.prefix())
            .and_then(|prefix| orch_launcher::outcome(&prefix, self.deploy.run_id.as_str()))
            .ok()
            .flatten();
        Ok(match switch {
            Some(Switch { from, result: SwitchResult::Returned { reason, trouble }, .. }) => {
                let trouble = trouble.map(|trouble| format!("; the one before too: {trouble}"));
                let reason = format!("{reason}{}", trouble.unwrap_or_default());
                let to = Revision::new(from.as_str()).ok();
                StepResult::Ran { ran: Ran::Returned { to, reason }, said: said.clone() }
            }
            _ => result,
        })
    }

    /// Where the versions of this service are.
    fn prefix(&self) -> PathBuf {
        let engine = self.engine;
        let told = engine.environment.get("ORCH_LAUNCHER_PREFIX").filter(|path| !path.is_empty());
        told.map_or_else(|| engine.home.path().join("install"), PathBuf::from)
    }

    /// A command line; of this very service, where that is what is deployed.
    fn argv(&self, command: &CommandLine) -> Vec<String> {
        let mut argv = command.argv();
        if self.settings.itself
            && let Some(program) = argv.first_mut().filter(|program| *program == "orch")
        {
            *program = self.engine.program.display().to_string();
        }
        argv
    }

    fn launch(
        &self,
        dir: &RunDir,
        command: &CommandLine,
        timeout: Duration,
        steps: &[DeployStep],
    ) -> Result<(), String> {
        let mut env = self.engine.allowed_env(&[]);
        env.extend(self.own_env());
        env.extend(self.deploy_env(steps));
        self.supervise(dir, Work::command(self.argv(command), env, timeout))
    }

    /// Has a supervisor of its own do the work; the error says why it could not be started.
    pub(super) fn supervise(&self, dir: &RunDir, work: Work) -> Result<(), String> {
        let spec = work.spec(self.deploy.run_id.clone(), self.cwd.clone(), None, LOG_LIMIT);
        let masks = self.engine.masks(self.redact);
        let Err(error) = orch_process::launch(&self.engine.program, dir, &spec, &masks) else {
            return Ok(());
        };
        match orch_process::revoke(dir) {
            Ok(Revocation::AlreadyStarted) => Ok(()),
            Ok(Revocation::Revoked) | Err(_) => {
                Err(format!("its supervisor could not be started: {}", chain(&error)))
            }
        }
    }

    /// What a command of this very service finds of the service's own settings.
    fn own_env(&self) -> BTreeMap<String, String> {
        if !self.settings.itself {
            return BTreeMap::new();
        }
        let own = self.engine.environment.iter().filter(|(name, _)| name.starts_with("ORCH_"));
        let mut env: BTreeMap<String, String> =
            own.map(|(name, value)| (name.clone(), value.clone())).collect();
        env.insert("ORCH_HOME".to_owned(), self.engine.home.path().display().to_string());
        env.insert("ORCH_LAUNCHER_PREFIX".to_owned(), self.prefix().display().to_string());
        env
    }

    /// What every command of the deploy is told, wherever it runs.
    pub(super) fn deploy_env(&self, steps: &[DeployStep]) -> BTreeMap<String, String> {
        let deploy = &self.deploy;
        let mut env = BTreeMap::new();
        let mut tell = |name: &str, value: String| {
            env.insert(name.to_owned(), value);
        };
        for (name, value) in &self.facts {
            tell(name, value.clone());
        }
        tell("ORCH_REVISION", deploy.revision.to_string());
        tell("ORCH_DEPLOY_ID", deploy.id.to_string());
        tell("ORCH_DEPLOY_TARGET", deploy.target.clone());
        if let Some(previous) = self.previous(steps) {
            tell("ORCH_PREVIOUS_REVISION", previous.to_string());
        }
        env
    }

    fn wait(&self, dir: &RunDir) -> Result<StepResult, Halt> {
        let seen = orch_process::wait_exit(dir, &|| self.go_on().is_err());
        let ran = |ran: Ran, said: String| Ok(StepResult::Ran { ran, said });
        if let (Observation::Exited(_) | Observation::Lost { .. }, Some(outcome)) =
            (&seen, (self.overruled)())
        {
            return ran(outcome.into(), String::new());
        }
        match seen {
            Observation::Exited(exit) => match remote::resolve(self.engine, dir, exit.clone()) {
                Ok(exit) => ran(classify(Worked::Deploy, &exit).into(), said(&exit)),
                Err(outcome) => ran(outcome.into(), said(&exit)),
            },
            Observation::Lost { reason } => {
                // Its supervisor is gone and its processes may not be: no other try beside them.
                self.engine.end_in(dir, &self.deploy.run_id);
                ran(Ran::Vanished { reason }, String::new())
            }
            Observation::Revoked => {
                let reason = "it was kept from starting".to_owned();
                ran(Ran::Vanished { reason }, String::new())
            }
            Observation::NotStarted | Observation::Starting | Observation::Running(_) => {
                let halt = self.go_on().err();
                if matches!(halt, Some(Halt::Lost)) {
                    self.engine.end_in(dir, &self.deploy.run_id);
                }
                Err(halt.unwrap_or(Halt::Stopping))
            }
        }
    }

    /// What a short command prints, as the probe of what runs; the inner error is the probe's own.
    pub(super) fn ask(
        &self,
        command: &CommandLine,
        patience: Duration,
    ) -> Result<Result<String, String>, Halt> {
        let engine = self.engine;
        let name = format!("look-{:016x}", engine.clock.random());
        let path = engine.home.deploy(self.deploy.id).join(name);
        let dir = RunDir::new(&path);
        let started = match &self.settings.ssh_target {
            Some(target) => self.look_there(target, &dir, command, patience)?,
            None => self.launch(&dir, command, patience, &[]),
        };
        if let Err(reason) = started {
            return Ok(Err(reason));
        }
        let seen = orch_process::wait_exit(&dir, &|| self.go_on().is_err());
        self.go_on()?;
        let answer = match seen {
            Observation::Exited(exit) => match remote::resolve(engine, &dir, exit.clone()) {
                Ok(exit) => match Ran::from(classify(Worked::Deploy, &exit)) {
                    Ran::Well => Ok(exit.stdout_tail),
                    ran => Err(format!("{ran} {}", said(&exit)).trim_end().to_owned()),
                },
                Err(outcome) => Err(Ran::from(outcome).to_string()),
            },
            _ => Err("it vanished".to_owned()),
        };
        // What is left of it goes with the deploy's folder.
        let _ = std::fs::remove_dir_all(&path);
        Ok(answer)
    }
}

/// The end of what a command printed: standard error first, that is where errors stand.
fn said(exit: &RunExit) -> String {
    let text =
        if exit.stderr_tail.trim().is_empty() { &exit.stdout_tail } else { &exit.stderr_tail };
    tail(text.trim_end(), SAID).to_owned()
}
