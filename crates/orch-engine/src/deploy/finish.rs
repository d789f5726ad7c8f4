//! The end of a deploy: what is recorded, who is told, and what is watched from now on.

use jiff::SignedDuration;
use orch_core::decide::Alert;
use orch_core::deploy::{Action, End, Patience, Seen, StepResult, Way};
use orch_core::event::{EventKind, NewEvent};
use orch_store::{DeployEnd, DeployStep, NewMonitor};

use super::driver::Driver;
use crate::run::Halt;

impl Driver<'_> {
    /// Records the end and gives the lock back, in one transaction.
    pub(super) fn finish(
        &mut self,
        end: &End,
        steps: &[DeployStep],
        way: &Way,
    ) -> Result<(), Halt> {
        let engine = self.engine;
        let (kind, message) = self.told(end);
        let ending = DeployEnd {
            deploy_id: self.deploy.id,
            run_id: self.deploy.run_id.clone(),
            end: end.clone(),
            monitor: matches!(end, End::Done { .. }).then(|| self.monitor(steps, way)).flatten(),
            events: kind.map(|kind| self.event(kind, message.clone())).into_iter().collect(),
            alerts: self.alert(end, &message).into_iter().collect(),
        };
        engine.store.end_deploy(engine.clock.now(), &ending)?;
        self.lock = None;
        if !matches!(end, End::Stuck(_)) {
            // The journal keeps what the commands said; what can't be removed is in nobody's way.
            let _ = std::fs::remove_dir_all(engine.home.deploy(self.deploy.id));
        }
        Ok(())
    }

    fn told(&self, end: &End) -> (Option<EventKind>, String) {
        let (revision, target) = (self.deploy.revision.short(), &self.deploy.target);
        match end {
            End::Done { evidence } => (
                Some(EventKind::DeployEnded),
                format!("deployed {revision} to {target}: {evidence}"),
            ),
            End::Superseded { by } => (
                Some(EventKind::DeployEnded),
                format!("{target} has {} already, which holds {revision}", by.short()),
            ),
            End::Failed { reason, .. } => (
                Some(EventKind::DeployEnded),
                format!("the deploy of {revision} to {target} failed: {reason}"),
            ),
            End::RolledBack { to, evidence, verified } => (
                Some(EventKind::DeployEnded),
                format!("{target} was rolled back to {} ({verified}): {evidence}", to.short()),
            ),
            // Waiting for a lock is said by the job's own event.
            End::Stuck(stuck) if matches!(stuck.patience, Patience::Lock(_)) => {
                (None, stuck.reason.clone())
            }
            End::Stuck(stuck) => (
                Some(EventKind::DeployStuck),
                format!("the deploy of {revision} to {target} stands: {}", stuck.reason),
            ),
        }
    }

    fn alert(&self, end: &End, message: &str) -> Option<Alert> {
        let target = &self.deploy.target;
        let dedup_key = match end {
            End::Failed { loud: true, .. } => format!("deploy-broken:{target}"),
            End::RolledBack { .. } => format!("deploy-rolled-back:{target}:{}", self.deploy.id),
            _ => return None,
        };
        Some(Alert { dedup_key, message: format!("{}: {message}", self.deploy.task) })
    }

    /// The watch that begins: only what was seen to be good can be seen to go bad.
    fn monitor(&self, steps: &[DeployStep], way: &Way) -> Option<NewMonitor> {
        let window = SignedDuration::try_from(self.settings.monitor).ok()?;
        let good = steps.iter().rev().find_map(|step| match &step.entry {
            entry if entry.action != Action::Verify => None,
            entry => match &entry.result {
                Some(StepResult::Seen { seen }) => Some(seen.clone()),
                _ => None,
            },
        });
        let good: Seen = good.filter(|_| !window.is_zero())?;
        let now = self.engine.clock.now();
        let interval = SignedDuration::try_from(self.settings.monitor_interval).ok()?;
        Some(NewMonitor {
            good,
            back_to: match way {
                Way::Proven { to } => Some(to.clone()),
                Way::Unproven { .. } | Way::Ask { .. } => None,
            },
            first_look: now.checked_add(interval).ok()?,
            until: now.checked_add(window).ok()?,
        })
    }

    /// An event about the deploy.
    pub(super) fn event(&self, kind: EventKind, message: String) -> NewEvent {
        NewEvent {
            kind,
            task: Some(self.deploy.task.clone()),
            repo: Some(self.deploy.repo.clone()),
            run_id: Some(self.deploy.run_id.clone()),
            message,
            data: serde_json::json!({
                "deploy": self.deploy.id, "target": self.deploy.target,
                "revision": self.deploy.revision, "purpose": self.deploy.purpose,
            }),
        }
    }

    /// Records an event of its own.
    pub(super) fn record(&self, kind: EventKind, message: String) -> Result<(), Halt> {
        let event = self.event(kind, message);
        Ok(self.engine.store.record_events(self.engine.clock.now(), &[event])?)
    }
}
