//! Breakers (S7): a fault that several tasks share pauses its channel once. The store lets one job
//! through at a time to see whether it works again; here faults are handed on, channels that have
//! a preflight are asked, and tasks that the fault holds go on where their repository wants it.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use orch_core::breaker::{Cause, Channel, Paused};
use orch_core::ids::{RunId, TaskKey};
use orch_core::remote::SshTarget;
use orch_store::{PausedChannel, StoreError};

use crate::channels::Light;
use crate::engine::Engine;
use crate::error::chain;
use crate::operate::Operator;
use crate::repo_config::RepoConfig;

/// From one look at paused channels and what they hold to the next.
const LOOK: Duration = Duration::from_secs(1);
/// A probe that is due before this has passed is put off now: later it may be too late.
const SOON: SignedDuration = SignedDuration::from_secs(2);
/// How far the next probe by a job is put off while a preflight sees that it would be in vain; longer
/// than a look takes.
const NOT_YET: SignedDuration = SignedDuration::from_secs(10);

/// One look after another, until the service stops.
pub fn run(engine: &Arc<Engine>) {
    while !engine.wake.sleep_through(LOOK) {
        if let Err(error) = look(engine) {
            tracing::error!(error = chain(&error), "the paused channels could not be looked at");
        }
    }
}

/// The pause of the channel that a run went through; `None` where it is not paused, or where that
/// can't be told: then the task's own budget stands for it.
pub fn paused(engine: &Engine, run: &RunId) -> Option<Paused> {
    match engine.store.paused_for(run) {
        Ok(paused) => paused.filter(|_| engine.settings.breaker.enabled),
        Err(error) => {
            tracing::error!(run.id = %run, error = chain(&error), "whether its channel is paused can't be read");
            None
        }
    }
}

/// A run met a fault, and its end is recorded: a shared fault pauses its channel.
pub fn met(engine: &Engine, run: &RunId) {
    let rule = engine.settings.breaker;
    if !rule.enabled {
        return;
    }
    match engine.store.trip(engine.clock.now(), &rule, run) {
        Ok(true) => tracing::warn!(run.id = %run, "a shared fault: its channel is paused"),
        Ok(false) => {}
        Err(error) => {
            tracing::error!(run.id = %run, error = chain(&error), "a fault could not be looked at; the reconciler does it");
        }
    }
}

/// Faults whose run was recorded, and whose service died before it looked at them.
pub fn look_again(engine: &Engine) {
    let rule = engine.settings.breaker;
    if rule.enabled
        && let Err(error) = engine.store.trip_all(engine.clock.now(), &rule)
    {
        tracing::error!(error = chain(&error), "recent faults could not be looked at");
    }
}

fn look(engine: &Arc<Engine>) -> Result<(), StoreError> {
    let mut channels = engine.store.paused_channels()?;
    if !engine.settings.breaker.enabled {
        for channel in channels.drain(..) {
            resume(engine, &channel.paused.signature.channel, "the breaker is switched off")?;
        }
    }
    for channel in &channels {
        let name = &channel.paused.signature.channel;
        match preflight(engine, &channel.paused) {
            Some(true) => resume(engine, name, "its preflight went well")?,
            Some(false) if channel.paused.probe_at <= engine.clock.now() + SOON => {
                // A job would meet the same fault and be the poorer for it.
                engine.store.put_off_probe(name, engine.clock.now() + NOT_YET)?;
            }
            Some(false) | None => {}
        }
    }
    for cause in engine.store.causes()? {
        let channel = channels.iter().find(|c| c.paused.signature == cause.signature);
        resume_held(engine, &cause, channel);
    }
    Ok(())
}

fn resume(engine: &Engine, channel: &Channel, how: &str) -> Result<(), StoreError> {
    if engine.store.resume_channel(engine.clock.now(), channel, how)? {
        tracing::info!(%channel, how, "a channel works again");
        engine.wake.notify();
    }
    Ok(())
}

/// Whether a paused channel works again, as far as that can be told without a job; `None` where it
/// can't: then a job is let through.
fn preflight(engine: &Engine, paused: &Paused) -> Option<bool> {
    match &paused.signature.channel {
        Channel::Ssh(target) => {
            let seen = engine.channels.state(&SshTarget::new(target).ok()?)?;
            match seen.light {
                Light::Red => Some(false),
                // Green all along, it does not see the fault that runs meet.
                Light::Green => seen.turned_green_at.filter(|at| *at > paused.since).map(|_| true),
                Light::Unlooked => None,
            }
        }
        Channel::Runner { .. } | Channel::Agent { .. } | Channel::Provider(_) => None,
    }
}

/// Tasks that the fault holds go on where their repository wants it: all of them once it is mended,
/// and one as the probe where nobody waits who could be it.
fn resume_held(engine: &Arc<Engine>, cause: &Cause, paused: Option<&PausedChannel>) {
    let wanted = |key: &TaskKey| {
        let task = engine.store.task(key).ok()?;
        let repo = engine.store.repo(&task.repo).ok()?;
        RepoConfig::load(engine, &repo).ok().map(|config| config.settings.budgets.resume_held)
    };
    let probes = paused.is_some_and(|channel| {
        channel.waiting.is_empty()
            && channel.paused.probing.is_none()
            && channel.paused.probe_at <= engine.clock.now()
    });
    let all = paused.is_none();
    let due = cause.held.iter().filter(|held| if all { held.mended } else { probes });
    for held in due.take(if all { usize::MAX } else { 1 }) {
        if wanted(&held.key) != Some(true) {
            continue;
        }
        match Operator::new(Arc::clone(engine)).mended(&held.key) {
            Ok(()) => {
                tracing::info!(task.key = %held.key, "goes on: the fault that held it is mended");
            }
            Err(error) => tracing::warn!(task.key = %held.key, %error, "could not be set going"),
        }
    }
}
