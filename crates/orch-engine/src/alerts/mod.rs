//! Alerts on their way out (S13): the decisions that hold, bounce or pause put them into the outbox
//! in their own transaction; this loop delivers them, at least once, each by the one worker that
//! claimed it. It waits for receivers and nobody waits for it.

mod letter;
mod send;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use orch_core::settings::{Alerts, Receiver};
use orch_store::{OutboxItem, StoreError};

pub use send::Undelivered;

use crate::engine::Engine;
use crate::error::chain;
use letter::News;

/// How long a claim on an alert holds: longer than all receivers together may take.
const CLAIM: Duration = Duration::from_mins(1);
/// The longest rest without a look at the outbox.
const LOOK: Duration = Duration::from_secs(5);
/// The shortest rest: an event wakes the loop, and events come in swarms.
const BREATH: Duration = Duration::from_millis(100);
/// After this an alert that nobody could be told is news no more.
const EXPIRES: Duration = Duration::from_hours(24);
/// The first and the longest wait after a delivery that failed.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// What the loop knows of receivers between its looks.
#[derive(Debug, Default)]
pub struct Resting(Mutex<BTreeMap<&'static str, (Timestamp, String)>>);

impl Resting {
    /// Until when a receiver is left alone because it failed, and what it said.
    fn until(&self, receiver: &'static str, now: Timestamp) -> Option<(Timestamp, String)> {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, (until, _)| *until > now);
        resting.get(receiver).cloned()
    }

    fn rest(&self, receiver: &'static str, until: Timestamp, error: &str) {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.insert(receiver, (until, error.to_owned()));
    }
}

/// Delivers until the service stops.
pub fn run(engine: &Arc<Engine>) {
    while !engine.wake.stopping() {
        let seen = engine.wake.generation();
        match deliver_due(engine) {
            Ok(()) => {}
            Err(error) => tracing::error!(error = chain(&error), "the outbox could not be read"),
        }
        engine.wake.sleep(seen, LOOK.min(engine.settings.alerts.gather.max(BREATH)));
        engine.wake.sleep_through(BREATH);
    }
}

/// Delivers every alert that is due.
fn deliver_due(engine: &Engine) -> Result<(), StoreError> {
    let settings = &engine.settings.alerts;
    if engine.store.outbox_counts()?.pending == 0 {
        return Ok(());
    }
    let now = engine.clock.now();
    if let Ok(before) = now.checked_sub(EXPIRES) {
        let expired = engine.store.outbox_expire(before)?;
        if expired > 0 {
            tracing::warn!(
                alerts.expired = expired,
                "alerts that nobody could be told were let go"
            );
        }
    }
    if !settings.enabled || settings.receivers.is_empty() {
        return Ok(());
    }
    while !engine.wake.stopping() {
        let now = engine.clock.now();
        let settled = now.checked_sub(settings.gather).unwrap_or(Timestamp::MIN);
        let until = now.checked_add(CLAIM).unwrap_or(Timestamp::MAX);
        let Some(alert) = engine.store.outbox_claim(now, settled, &engine.worker, until)? else {
            return Ok(());
        };
        deliver(engine, settings, alert)?;
    }
    Ok(())
}

/// Tells each receiver that has not been told; the alert is over when all of them have it.
fn deliver(engine: &Engine, settings: &Alerts, mut alert: OutboxItem) -> Result<(), StoreError> {
    let news = News {
        id: alert.id.to_string(),
        key: alert.dedup_key.clone(),
        message: alert.message.clone(),
        times: alert.times,
        at: alert.created_at,
        host: engine.host.clone(),
    };
    let mut failed: Option<(Timestamp, String)> = None;
    for receiver in &settings.receivers {
        let name = receiver.name();
        if alert.sent_to.iter().any(|has| has == name) {
            continue;
        }
        let now = engine.clock.now();
        let outcome = match engine.resting.until(name, now) {
            Some(rests) => Err(rests),
            None => tell(engine, receiver, &news, alert.attempts, now),
        };
        match outcome {
            Ok(()) => {
                alert.sent_to.push(name.to_owned());
                engine.store.outbox_sent_to(alert.id, &alert.sent_to)?;
            }
            Err((next, error)) => {
                let sooner = failed.as_ref().is_none_or(|(at, _)| next < *at);
                failed = if sooner { Some((next, error)) } else { failed };
            }
        }
    }
    match failed {
        None => engine.store.outbox_delivered(engine.clock.now(), alert.id),
        Some((next, error)) => engine.store.outbox_failed(alert.id, next, &error),
    }
}

/// Tells one receiver; the error says when to try again, and why.
fn tell(
    engine: &Engine,
    receiver: &Receiver,
    news: &News,
    attempts: u32,
    now: Timestamp,
) -> Result<(), (Timestamp, String)> {
    let Err(error) = send::send(receiver, news) else { return Ok(()) };
    let wait = error.retry_after.unwrap_or_else(|| delay(attempts, engine.clock.random()));
    let next = now.checked_add(wait.min(RETRY.1)).unwrap_or(Timestamp::MAX);
    let said = format!("{}: {error}", receiver.name());
    tracing::warn!(alert.receiver = receiver.name(), %error, "an alert could not be delivered; it is tried again");
    engine.resting.rest(receiver.name(), next, &said);
    Err((next, said))
}

/// Doubles with every attempt up to the longest; between half and the whole of it.
fn delay(attempts: u32, random: u64) -> Duration {
    let full = RETRY.0.saturating_mul(2_u32.saturating_pow(attempts.min(10))).min(RETRY.1);
    let half_ms = u64::try_from(full.as_millis()).unwrap_or(u64::MAX) / 2;
    Duration::from_millis(half_ms + random % half_ms.max(1))
}

/// Sends a trial to every receiver; gives each one's name with what came of it.
pub fn try_out(settings: &Alerts, host: &str) -> Vec<(&'static str, Result<(), Undelivered>)> {
    let news = News {
        id: "test".to_owned(),
        key: "test".to_owned(),
        message: format!("Orchestrator on {host} can tell you things here."),
        times: 1,
        at: Timestamp::now(),
        host: host.to_owned(),
    };
    settings.receivers.iter().map(|to| (to.name(), send::send(to, &news))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        for (attempts, low, high) in [(0, 2, 5), (1, 5, 10), (3, 20, 40), (30, 150, 300)] {
            for random in [0, 1, 77_777, u64::MAX] {
                let wait = delay(attempts, random).as_secs_f64();
                assert!((f64::from(low)..=f64::from(high)).contains(&wait), "{attempts}: {wait}");
            }
        }
    }

    #[test]
    fn a_receiver_that_failed_is_left_alone_for_a_while() {
        let (resting, now) = (Resting::default(), Timestamp::UNIX_EPOCH);
        let later = now + Duration::from_secs(9);
        resting.rest("slack", later, "status 500");
        assert_eq!(resting.until("slack", now), Some((later, "status 500".to_owned())));
        assert_eq!(resting.until("webhook", now), None);
        assert_eq!(resting.until("slack", later), None);
    }
}
