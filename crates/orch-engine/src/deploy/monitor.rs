//! `post-deploy-monitor` (S9): watches deployed revisions after their tasks are done. Its work is
//! rows of their own, not jobs: it survives restarts, takes no worker's slot and holds up no
//! serial gate. A fault of the code takes the revision back through the same machine as a deploy;
//! a probe's fault is told and does no more.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orch_core::decide::Alert;
use orch_core::deploy::{End, Patience, Purpose, Seen, WatchStep, watched};
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::DeployId;
use orch_core::stage::POST_DEPLOY_MONITOR;
use orch_store::{Monitor, MonitorState, NewDeploy, StoreError};

use super::driver::Driver;
use crate::engine::Engine;
use crate::error::chain;
use crate::repo_config::RepoConfig;
use crate::run::Halt;

/// From one look for due monitors to the next.
const TICK: Duration = Duration::from_millis(250);
/// Monitors that one tick takes; each has a thread while it looks.
const AT_ONCE: u32 = 8;
/// The wait before what could not be looked at, or taken back, is tried again.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);
/// The wait where somebody has to mend something first.
const LONG: SignedDuration = SignedDuration::from_mins(5);

/// The monitors that this process is at; the heartbeat prolongs their leases.
#[derive(Debug, Default)]
pub struct Monitors(Mutex<Vec<DeployId>>);

impl Monitors {
    /// Those at work.
    pub fn at_work(&self) -> Vec<DeployId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn enter(&self, id: DeployId) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = !all.contains(&id);
        if free {
            all.push(id);
        }
        free
    }

    fn leave(&self, id: DeployId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|at_work| *at_work != id);
    }
}

/// Looks for due monitors until the service stops.
pub fn run(engine: &Arc<Engine>) {
    while !engine.wake.stopping() {
        if let Err(error) = tick(engine) {
            tracing::error!(error = chain(&error), "the monitors of deploys could not be read");
        }
        engine.wake.sleep_through(TICK);
    }
}

/// One round; each monitor that is due gets a thread of its own.
pub fn tick(engine: &Arc<Engine>) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let lease = engine.settings.lease;
    for monitor in engine.store.claim_monitors(now, &engine.worker, lease, AT_ONCE)? {
        let id = monitor.deploy.id;
        if !engine.monitors.enter(id) {
            continue;
        }
        let at_hand = Arc::clone(engine);
        let work = move || {
            let calm = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                attend(&at_hand, &monitor);
            }));
            at_hand.monitors.leave(id);
            if calm.is_err() {
                tracing::error!(deploy.id = %id, "a monitor panicked and is tried again");
            }
        };
        if let Err(error) = thread::Builder::new().name("monitor".to_owned()).spawn(work) {
            engine.monitors.leave(id);
            tracing::error!(deploy.id = %id, %error, "no thread for a monitor; the next round tries again");
        }
    }
    Ok(())
}

/// One look, or the next try to take the revision back.
fn attend(engine: &Engine, monitor: &Monitor) {
    let done = match monitor.state {
        MonitorState::TakingBack => take_back(engine, monitor),
        _ => look(engine, monitor),
    };
    match done {
        Ok(()) | Err(Halt::Stopping | Halt::Lost) => {}
        Err(Halt::Infra(outcome)) => {
            let said = format!("it can't look: {outcome:?}");
            // What is being taken back is taken back for what was seen, whatever fails now.
            let evidence = monitor.reason.clone();
            let reason = match monitor.state {
                MonitorState::TakingBack => evidence.unwrap_or(said),
                _ => said,
            };
            later(engine, monitor, PATIENCE, Some(&reason));
        }
    }
}

fn later(engine: &Engine, monitor: &Monitor, wait: SignedDuration, reason: Option<&str>) {
    let now = engine.clock.now();
    let of = (monitor.deploy.id, &engine.worker);
    let noted = engine.store.note_monitor_look(now, of, &monitor.watch, now + wait, reason, None);
    if let Err(error) = noted {
        tracing::error!(deploy.id = %monitor.deploy.id, error = chain(&error), "a monitor's look could not be noted");
    }
}

fn config(engine: &Engine, monitor: &Monitor) -> Result<RepoConfig, Halt> {
    let repo = engine.store.repo(&monitor.deploy.repo)?;
    RepoConfig::load(engine, &repo).map_err(Halt::environment)
}

/// The watched revision's files, for its commands.
fn files(engine: &Engine, monitor: &Monitor) -> Result<PathBuf, Halt> {
    let folder = engine.home.deploy(monitor.deploy.id);
    let (tree, ready) = (folder.join("tree"), folder.join("tree-is-whole"));
    if ready.exists() && tree.is_dir() {
        return Ok(tree);
    }
    let repo = engine.store.repo(&monitor.deploy.repo)?;
    engine.repo_locks.hold(&monitor.deploy.repo, || {
        let mirror = engine.mirror(&repo)?;
        if !mirror.has_commit(&monitor.deploy.revision)? {
            mirror.fetch()?;
        }
        Ok::<_, Halt>(mirror.checkout_at(&monitor.deploy.revision, &tree)?)
    })?;
    std::fs::write(&ready, "")
        .map_err(|error| Halt::moment(format!("{}: {error}", ready.display())))?;
    Ok(tree)
}

fn tidy(engine: &Engine, monitor: &Monitor) {
    let folder = engine.home.deploy(monitor.deploy.id);
    let tree = folder.join("tree");
    if tree.is_dir()
        && let Ok(repo) = engine.store.repo(&monitor.deploy.repo)
    {
        let removed = engine
            .repo_locks
            .hold(&monitor.deploy.repo, || engine.mirror(&repo)?.remove_worktree(&tree));
        if let Err(error) = removed {
            tracing::warn!(deploy.id = %monitor.deploy.id, error = chain(&error), "the files of a watched revision could not be removed");
        }
    }
    let _ = std::fs::remove_dir_all(folder);
}

fn facts(monitor: &Monitor) -> Vec<(&'static str, String)> {
    vec![
        ("ORCH_TASK", monitor.deploy.task.to_string()),
        ("ORCH_STAGE", "deploy".to_owned()),
        ("ORCH_AGENT", POST_DEPLOY_MONITOR.to_owned()),
        ("ORCH_RUN_ID", monitor.deploy.run_id.to_string()),
    ]
}

fn look(engine: &Engine, monitor: &Monitor) -> Result<(), Halt> {
    let config = config(engine, monitor)?;
    let settings = &config.settings.deploy;
    let driver = Driver {
        engine,
        settings,
        redact: &config.settings.redact,
        deploy: monitor.deploy.clone(),
        cwd: files(engine, monitor)?,
        facts: facts(monitor),
        lock: None,
        lost: &|| false,
        overruled: &|| None,
    };
    let mut known = driver.known(&[]);
    known.extend(monitor.back_to.clone());
    let look = driver.look_once(&known)?;
    let seen = Seen { health: look.health, running: look.running, looks: 1 };
    let now = engine.clock.now();
    let (watch, step) = watched(
        settings.monitor_rules,
        &monitor.watch,
        &monitor.good,
        &seen,
        &monitor.deploy.revision,
        now,
        monitor.until,
    );
    let monitor = &Monitor { watch, ..monitor.clone() };
    match step {
        WatchStep::GoOn => {
            let reason = (monitor.watch.blind_row > 0).then_some(monitor.watch.last.as_str());
            note(engine, monitor, now, settings.monitor_interval, reason, None)
        }
        WatchStep::Blind { reason } => {
            let message = format!(
                "post-deploy-monitor of {}: {reason}; nothing is rolled back on that",
                monitor.deploy.target
            );
            let told = told(monitor, EventKind::MonitorAlerted, &message, "blind");
            note(engine, monitor, now, settings.monitor_interval, Some(&reason), Some(told))
        }
        WatchStep::Passed => {
            let message = format!(
                "post-deploy-monitor of {}: {} held for its window ({} looks, {} faults)",
                monitor.deploy.target,
                monitor.deploy.revision.short(),
                monitor.watch.looks,
                monitor.watch.faults
            );
            settle(engine, monitor, MonitorState::Passed, None, Some(message))
        }
        WatchStep::TakeBack { evidence } => gone_bad(engine, monitor, settings, &evidence),
    }
}

fn note(
    engine: &Engine,
    monitor: &Monitor,
    now: Timestamp,
    interval: Duration,
    reason: Option<&str>,
    told: Option<(NewEvent, Alert)>,
) -> Result<(), Halt> {
    let wait = SignedDuration::try_from(interval).unwrap_or(PATIENCE);
    let of = (monitor.deploy.id, &engine.worker);
    engine.store.note_monitor_look(now, of, &monitor.watch, now + wait, reason, told)?;
    Ok(())
}

/// Enough faults were seen: back, where there is a proven way.
fn gone_bad(
    engine: &Engine,
    monitor: &Monitor,
    settings: &orch_core::settings::Deploy,
    evidence: &str,
) -> Result<(), Halt> {
    let (target, revision) = (&monitor.deploy.target, monitor.deploy.revision.short());
    let bad = format!("post-deploy-monitor of {target}: {revision} went bad: {evidence}");
    let Some(to) = monitor.back_to.as_ref().filter(|_| settings.rollback_command.is_some()) else {
        let reason = format!("{bad}; not rolled back: there is no proven way back");
        let (event, alert) = told(monitor, EventKind::MonitorEnded, &reason, "broken");
        let told = (vec![event], vec![alert]);
        return end(engine, monitor, MonitorState::Failed, Some(&reason), told);
    };
    let message = format!("{bad}; it is taken back to {}", to.short());
    let told = told(monitor, EventKind::MonitorAlerted, &message, "taken-back");
    let now = engine.clock.now();
    if engine.store.take_back(now, monitor.deploy.id, &monitor.watch, evidence, told)? {
        let reason = Some(evidence.to_owned());
        take_back(engine, &Monitor { reason, ..monitor.clone() })?;
    }
    Ok(())
}

/// Takes the revision back, or goes on with that from where it stands.
fn take_back(engine: &Engine, monitor: &Monitor) -> Result<(), Halt> {
    let config = config(engine, monitor)?;
    let Some(to) = monitor.back_to.clone() else {
        return Err(Halt::environment("nobody knows where to take it back to"));
    };
    let evidence = monitor.reason.clone().unwrap_or_else(|| monitor.watch.last.clone());
    let new = NewDeploy {
        task_id: monitor.deploy.task_id,
        target: monitor.deploy.target.clone(),
        purpose: Purpose::Restore { to, evidence },
        revision: monitor.deploy.revision.clone(),
        run_id: engine.clock.run_id(),
        fence: None,
    };
    let deploy = engine.store.begin_deploy(engine.clock.now(), &new)?;
    let mut driver = Driver {
        engine,
        settings: &config.settings.deploy,
        redact: &config.settings.redact,
        deploy,
        cwd: files(engine, monitor)?,
        facts: facts(monitor),
        lock: None,
        lost: &|| false,
        overruled: &|| None,
    };
    match driver.drive()? {
        End::RolledBack { to, evidence, verified } => {
            let reason = format!("{evidence}; taken back to {}: {verified}", to.short());
            settle(engine, monitor, MonitorState::RolledBack, Some(&reason), Some(reason.clone()))
        }
        End::Superseded { by } => {
            let reason = format!("{} was deployed there meanwhile", by.short());
            settle(engine, monitor, MonitorState::Superseded, Some(&reason), None)
        }
        End::Failed { reason, .. } => {
            settle(engine, monitor, MonitorState::Failed, Some(&reason), Some(reason.clone()))
        }
        End::Done { .. } => settle(engine, monitor, MonitorState::Passed, None, None),
        End::Stuck(stuck) => {
            let wait = match stuck.patience {
                Patience::Lock(_) | Patience::Moment => PATIENCE,
                Patience::Somebody => LONG,
            };
            let told = (stuck.patience == Patience::Somebody).then(|| {
                let message =
                    format!("{} can't be taken back: {}", monitor.deploy.target, stuck.reason);
                told(monitor, EventKind::MonitorAlerted, &message, "stuck")
            });
            let now = engine.clock.now();
            let of = (monitor.deploy.id, &engine.worker);
            // The evidence stays its reason: it is what the next try goes by.
            let reason = monitor.reason.as_deref();
            engine.store.note_monitor_look(now, of, &monitor.watch, now + wait, reason, told)?;
            Ok(())
        }
    }
}

fn settle(
    engine: &Engine,
    monitor: &Monitor,
    state: MonitorState,
    reason: Option<&str>,
    message: Option<String>,
) -> Result<(), Halt> {
    // Whoever has to be told of a rollback was told when it was begun and when it ended.
    let event = message.map(|message| told(monitor, EventKind::MonitorEnded, &message, "ended").0);
    end(engine, monitor, state, reason, (event.into_iter().collect(), vec![]))
}

fn end(
    engine: &Engine,
    monitor: &Monitor,
    state: MonitorState,
    reason: Option<&str>,
    told: (Vec<NewEvent>, Vec<Alert>),
) -> Result<(), Halt> {
    let now = engine.clock.now();
    engine.store.settle_monitor(now, monitor.deploy.id, state, reason, told)?;
    tidy(engine, monitor);
    Ok(())
}

fn told(monitor: &Monitor, kind: EventKind, message: &str, what: &str) -> (NewEvent, Alert) {
    let deploy = &monitor.deploy;
    let event = NewEvent {
        kind,
        task: Some(deploy.task.clone()),
        repo: Some(deploy.repo.clone()),
        run_id: None,
        message: message.to_owned(),
        data: serde_json::json!({
            "deploy": deploy.id, "target": deploy.target, "revision": deploy.revision,
        }),
    };
    let alert = Alert {
        dedup_key: format!("monitor-{what}:{}:{}", deploy.target, deploy.id),
        message: format!("{}: {message}", deploy.task),
    };
    (event, alert)
}
