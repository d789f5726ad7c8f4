//! Drives one deploy: reads its journal, does the next action, confirms it, reads again.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use orch_core::deploy::{
    Action, End, Entry, Look, Next, Purpose, Running, Seen, StepResult, Way, Window, WindowRules,
    next, way_back,
};
use orch_core::event::EventKind;
use orch_core::ids::{Revision, RunId};
use orch_core::outcome::Outcome;
use orch_core::settings;
use orch_store::{Deploy, DeployStep, LockFence, LockRequest, NewStep};

use super::{Kept, plan, probe};
use crate::engine::Engine;
use crate::run::Halt;

/// Looks before a deploy, of which the first good one counts.
const LOOKS_BEFORE: u32 = 3;
/// What a command's supervisor needs beyond the command's own limit.
const GRACE: Duration = Duration::from_mins(1);

/// Whoever drives a deploy, with all it needs.
pub(super) struct Driver<'a> {
    pub engine: &'a Engine,
    pub settings: &'a settings::Deploy,
    pub redact: &'a settings::Redact,
    pub deploy: Deploy,
    /// Where commands are run: the deployed revision's files.
    pub cwd: PathBuf,
    /// What commands are told beside the facts of the deploy.
    pub facts: Vec<(&'static str, String)>,
    /// The lock, with its place in the heartbeat.
    pub lock: Option<(LockFence, Kept<'a>)>,
    /// Whether the claim under which it is driven is lost.
    pub lost: &'a dyn Fn() -> bool,
    /// What the end of a command means that was ended from outside.
    pub overruled: &'a dyn Fn() -> Option<Outcome>,
}

impl Driver<'_> {
    /// Goes on to the deploy's end, or to where it can't go on. What ended before stays as it is.
    pub fn drive(&mut self) -> Result<End, Halt> {
        if let Some((end, _)) = &self.deploy.ended {
            return Ok(end.clone());
        }
        let engine = self.engine;
        let lease = engine.settings.lease;
        let own = engine.store.deploy_lock_held(
            engine.clock.now(),
            self.deploy.id,
            &engine.worker,
            lease,
        )?;
        self.keep(own);
        let mut begun = false;
        loop {
            self.go_on()?;
            let steps = engine.store.deploy_steps(self.deploy.id)?;
            let journal: Vec<Entry> = steps.iter().map(|step| step.entry.clone()).collect();
            let plan = plan(self.settings, &self.deploy.purpose, &self.deploy.revision);
            match next(&plan, &journal) {
                // It stood when this run came to it: that run was set going to try again.
                Next::End(End::Stuck(_)) if !begun => self.resume()?,
                Next::End(end) => {
                    let way = way_back(&plan, &journal);
                    self.finish(&end, &steps, &way)?;
                    return Ok(end);
                }
                Next::Repair(action) => {
                    let Some(open) = steps.last() else { continue };
                    let result = self.act(&action, open, &steps, true)?;
                    self.confirm(open.seq, &result)?;
                }
                Next::Act(Action::Lock) => self.take_lock(&steps)?,
                Next::Act(_) if self.lock.is_none() => self.resume()?,
                Next::Act(action) => {
                    let step = self.intend(action, &steps)?;
                    let result = self.act(&step.entry.action, &step, &steps, false)?;
                    self.confirm(step.seq, &result)?;
                }
            }
            begun = true;
        }
    }

    /// Refuses to go on where the claim is lost or the service stops.
    pub fn go_on(&self) -> Result<(), Halt> {
        if (self.lost)() {
            return Err(Halt::Lost);
        }
        if self.engine.wake.stopping() {
            return Err(Halt::Stopping);
        }
        Ok(())
    }

    fn keep(&mut self, lock: Option<LockFence>) {
        let engine = self.engine;
        self.lock = lock.map(|lock| {
            let kept = engine.deploy_locks.enter(&lock);
            (lock, kept)
        });
    }

    fn run_id(&self) -> &RunId {
        &self.deploy.run_id
    }

    fn resume(&mut self) -> Result<(), Halt> {
        self.lock = None;
        let engine = self.engine;
        let (id, run) = (self.deploy.id, self.run_id());
        Ok(engine.store.resume_deploy(engine.clock.now(), id, run, &engine.worker)?)
    }

    fn take_lock(&mut self, steps: &[DeployStep]) -> Result<(), Halt> {
        let engine = self.engine;
        let request = LockRequest {
            deploy_id: self.deploy.id,
            run_id: self.run_id().clone(),
            worker_id: engine.worker.clone(),
            lease: engine.settings.lease,
            newer: self.newer()?,
        };
        let now = engine.clock.now();
        let StepResult::Locked { epoch, taken_over, .. } =
            engine.store.lock_deploy_target(now, &request)?
        else {
            return Ok(());
        };
        let target = self.deploy.target.clone();
        if steps.is_empty() {
            let what = match &self.deploy.purpose {
                Purpose::Deploy => {
                    format!("deploy of {} to {target}", self.deploy.revision.short())
                }
                Purpose::Restore { to, .. } => {
                    format!(
                        "{} is taken back to {} on {target}",
                        self.deploy.revision.short(),
                        to.short()
                    )
                }
            };
            self.record(EventKind::DeployBegan, what)?;
        }
        if let Some(evidence) = taken_over {
            self.record(
                EventKind::DeployLockTakenOver,
                format!("the lock of {target} was taken over from {evidence}"),
            )?;
        }
        self.keep(Some(LockFence { target, epoch }));
        Ok(())
    }

    /// The target's last good revision where it is a later one that holds this deploy's; of a
    /// restore, where it is any other than the one that went bad.
    fn newer(&self) -> Result<Option<Revision>, Halt> {
        let engine = self.engine;
        let target = engine.store.deploy_target(&self.deploy.target)?;
        let Some((repo, good)) = target.and_then(|target| target.good) else { return Ok(None) };
        if good == self.deploy.revision {
            return Ok(None);
        }
        if self.deploy.purpose != Purpose::Deploy {
            return Ok(Some(good));
        }
        if repo != self.deploy.repo {
            return Ok(None);
        }
        let holds = engine.repo_locks.hold(&repo, || {
            let mirror = engine.mirror(&engine.store.repo(&repo)?)?;
            if !mirror.has_commit(&good)? {
                mirror.fetch()?;
            }
            let known = mirror.has_commit(&good)?;
            Ok::<_, Halt>(known && mirror.is_ancestor(&self.deploy.revision, &good)?)
        })?;
        Ok(holds.then_some(good))
    }

    fn intend(&self, action: Action, steps: &[DeployStep]) -> Result<DeployStep, Halt> {
        let engine = self.engine;
        let Some((lock, _)) = &self.lock else {
            return Err(Halt::moment("the deploy target's lock is not held"));
        };
        let seq = steps.last().map_or(1, |step| step.seq + 1);
        let dir = action.is_command().then(|| self.place(&action, seq));
        let new = NewStep {
            deploy_id: self.deploy.id,
            lock: lock.clone(),
            lease: engine.settings.lease,
            run_id: self.run_id().clone(),
            worker_id: engine.worker.clone(),
            busy: action.changes_target().then(|| self.limit(&action) + GRACE),
            action: action.clone(),
            dir: dir.clone(),
        };
        let now = engine.clock.now();
        let seq = engine.store.intend_deploy_step(now, &new)?;
        Ok(DeployStep {
            seq,
            entry: Entry { action, result: None },
            run_id: new.run_id,
            worker_id: new.worker_id,
            dir,
            intended_at: now,
            done_at: None,
        })
    }

    fn confirm(&self, seq: u32, result: &StepResult) -> Result<(), Halt> {
        let engine = self.engine;
        let (now, id) = (engine.clock.now(), self.deploy.id);
        Ok(engine.store.confirm_deploy_step(now, id, self.run_id(), seq, result)?)
    }

    fn act(
        &self,
        action: &Action,
        step: &DeployStep,
        steps: &[DeployStep],
        repair: bool,
    ) -> Result<StepResult, Halt> {
        let rules = self.settings.window;
        let seen = match action {
            Action::LookBefore => {
                let within = rules.interval * (LOOKS_BEFORE - 1);
                self.look(WindowRules { within, passes: 1, ..rules }, None, steps)?
            }
            Action::Verify => self.look(rules, Some(&self.deploy.revision), steps)?,
            Action::LookAfter => self.look(rules, None, steps)?,
            Action::VerifyRollback { to } => self.look(rules, Some(to), steps)?,
            command => return self.command(command, step, steps, repair),
        };
        Ok(StepResult::Seen { seen })
    }

    /// Looks through the probes until the window is settled.
    fn look(
        &self,
        rules: WindowRules,
        wanted: Option<&Revision>,
        steps: &[DeployStep],
    ) -> Result<Seen, Halt> {
        let known = self.known(steps);
        let mut window = Window::new(rules, wanted.cloned());
        let opened = Instant::now();
        loop {
            let look = self.look_once(&known)?;
            if let Some(seen) = window.look(opened.elapsed(), look) {
                return Ok(seen);
            }
            self.engine.wake.sleep_through(rules.interval);
            self.go_on()?;
        }
    }

    /// One look through all configured probes.
    pub fn look_once(&self, known: &[Revision]) -> Result<Look, Halt> {
        let settings = self.settings;
        let patience = settings.look_timeout;
        let url = settings.health_url.as_ref();
        let health = url.map(|url| probe::health(url, &settings.health_expect, patience));
        let field = settings.revision_field.as_deref();
        let running = match &settings.freshness {
            None => None,
            Some(settings::Freshness::Url(url)) => {
                Some(probe::revision(url, patience, field, known))
            }
            Some(settings::Freshness::Command(command)) => {
                Some(match self.ask(command, patience)? {
                    Ok(text) => probe::named(&text, field, known),
                    Err(what) => Running::Unreachable { what: format!("revision_command: {what}") },
                })
            }
        };
        Ok(Look { health, running })
    }

    /// Revisions that an answer may name by a prefix.
    pub fn known(&self, steps: &[DeployStep]) -> Vec<Revision> {
        let mut known = vec![self.deploy.revision.clone()];
        if let Purpose::Restore { to, .. } = &self.deploy.purpose {
            known.push(to.clone());
        }
        for step in steps {
            match (&step.entry.action, &step.entry.result) {
                (_, Some(StepResult::Locked { last_good: Some(good), .. })) => {
                    known.push(good.clone());
                }
                (Action::ProveRollback { to } | Action::Rollback { to }, _) => {
                    known.push(to.clone());
                }
                _ => {}
            }
        }
        known.dedup();
        known
    }

    /// The revision that the way back leads to, as far as the journal has come.
    pub fn previous(&self, steps: &[DeployStep]) -> Option<Revision> {
        if let Purpose::Restore { to, .. } = &self.deploy.purpose {
            return Some(to.clone());
        }
        let journal: Vec<Entry> = steps.iter().map(|step| step.entry.clone()).collect();
        // Asked as if a rollback command were set: it is a fact for all commands.
        let mut plan = plan(self.settings, &self.deploy.purpose, &self.deploy.revision);
        (plan.rollback, plan.rollback_check) = (true, false);
        match way_back(&plan, &journal) {
            Way::Proven { to } | Way::Ask { to } => Some(to),
            Way::Unproven { .. } => None,
        }
    }
}
