//! The channels to other machines: which work, and since when. Looked at when the service starts,
//! again and again while one does not work, and now and then to keep it open; nothing waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orch_core::ids::RepoName;
use orch_core::remote::{Fault, SshTarget};

use crate::engine::Engine;
use crate::error::chain;
use crate::remote;
use crate::repo_config::RepoConfig;

/// What is known of every channel.
#[derive(Debug, Default)]
pub struct Channels {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    channels: BTreeMap<SshTarget, Preflight>,
    generation: u64,
}

/// Whether a channel works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// Nobody has looked yet.
    Unlooked,
    /// It works.
    Green,
    /// It does not.
    Red,
}

/// What looks at one channel came to.
#[derive(Debug, Clone)]
pub struct Preflight {
    /// Whether it works.
    pub light: Light,
    /// When that was looked at; `None` before the first look.
    pub checked_at: Option<Timestamp>,
    /// What was seen, for people; of a fault with its remedy.
    pub detail: String,
    /// What is wrong; `None` where nothing is.
    pub fault: Option<Fault>,
    /// When it last turned from red to green; `None` where it has not since the service started.
    pub turned_green_at: Option<Timestamp>,
    /// The repositories whose suites or deploys go through it.
    pub repos: BTreeSet<RepoName>,
    /// A run met a fault of it since the last look.
    suspected: bool,
}

/// From one look at a channel that does not work to the next, at most: a paused channel is probed
/// as often as `[breaker]` says.
const WHILE_RED: SignedDuration = SignedDuration::from_secs(60);
/// The same of one that works: often enough to keep the shared connection open.
const WHILE_GREEN: SignedDuration = SignedDuration::from_mins(5);
/// From one look at the clock to the next.
const TICK: Duration = Duration::from_secs(1);
/// Ticks after which the repositories are asked again which channels they use.
const GATHER: u64 = 30;

impl Channels {
    /// What is known of a channel; `None` where no repository uses it.
    pub fn state(&self, target: &SshTarget) -> Option<Preflight> {
        self.lock().channels.get(target).cloned()
    }

    /// Every channel.
    pub fn all(&self) -> Vec<(SshTarget, Preflight)> {
        let state = self.lock();
        state.channels.iter().map(|(target, channel)| (target.clone(), channel.clone())).collect()
    }

    /// Rises whenever a light changes.
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// A run met a fault: where it may be one of the channel, the channel is looked at soon.
    pub fn suspect(&self, target: &SshTarget, fault: &Fault) {
        if let Some(channel) = self.lock().channels.get_mut(target) {
            channel.suspected |= fault.kind.is_of_the_channel();
        }
    }

    /// Takes note of which repositories use which channels; others are forgotten.
    fn gathered(&self, used: BTreeMap<SshTarget, BTreeSet<RepoName>>) {
        let mut state = self.lock();
        state.channels.retain(|target, _| used.contains_key(target));
        for (target, repos) in used {
            state.channels.entry(target).or_insert_with(Preflight::unlooked).repos = repos;
        }
    }

    fn due(&self, now: Timestamp, while_red: SignedDuration) -> Vec<SshTarget> {
        let state = self.lock();
        let due = state.channels.iter().filter(|(_, channel)| channel.is_due(now, while_red));
        due.map(|(target, _)| target.clone()).collect()
    }

    /// Takes note of a look; true where the light changed.
    fn looked(&self, target: &SshTarget, now: Timestamp, seen: Result<String, Fault>) -> bool {
        let mut state = self.lock();
        let Some(channel) = state.channels.get_mut(target) else { return false };
        let changed = channel.take(target, now, seen);
        state.generation += u64::from(changed);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Preflight {
    fn unlooked() -> Self {
        Self {
            light: Light::Unlooked,
            checked_at: None,
            detail: "not looked at yet".to_owned(),
            fault: None,
            turned_green_at: None,
            repos: BTreeSet::new(),
            suspected: false,
        }
    }

    fn is_due(&self, now: Timestamp, while_red: SignedDuration) -> bool {
        let Some(checked_at) = self.checked_at else { return true };
        let pause = if self.light == Light::Green { WHILE_GREEN } else { while_red };
        self.suspected && self.light == Light::Green || now.duration_since(checked_at) >= pause
    }

    fn take(&mut self, target: &SshTarget, now: Timestamp, seen: Result<String, Fault>) -> bool {
        let before = self.light;
        self.checked_at = Some(now);
        self.suspected = false;
        match seen {
            Ok(folder) => {
                self.light = Light::Green;
                if before == Light::Red {
                    self.turned_green_at = Some(now);
                }
                self.detail = format!("{target} answers; runs are kept in {folder}");
                self.fault = None;
            }
            Err(fault) => {
                self.light = Light::Red;
                let remedy = fault.kind.remedy(target).map(|remedy| format!("; {remedy}"));
                self.detail = fault.describe(target) + &remedy.unwrap_or_default();
                self.fault = Some(fault);
            }
        }
        before != self.light
    }
}

/// Looks at the channels until the service stops.
pub fn run(engine: &Engine) {
    let mut ticks = 0;
    loop {
        if ticks % GATHER == 0 {
            match used(engine) {
                Ok(used) => engine.channels.gathered(used),
                Err(error) => tracing::warn!(
                    error = chain(&error),
                    "the repositories could not be asked for their channels"
                ),
            }
        }
        tick(engine);
        ticks += 1;
        if engine.wake.sleep_through(TICK) {
            return;
        }
    }
}

/// Looks at every channel that is due, at all of them at once: one that hangs delays no other.
pub fn tick(engine: &Engine) {
    let probed = SignedDuration::try_from(engine.settings.breaker.probe_every);
    let while_red = probed.unwrap_or(WHILE_RED).min(WHILE_RED);
    let due = engine.channels.due(engine.clock.now(), while_red);
    thread::scope(|scope| {
        for target in &due {
            scope.spawn(move || {
                let seen = remote::look(engine, target);
                let fault = seen.as_ref().err().map(|fault| fault.describe(target));
                if engine.channels.looked(target, engine.clock.now(), seen) {
                    if let Some(fault) = fault {
                        tracing::warn!(fault, "a channel does not work");
                    } else {
                        tracing::info!(%target, "a channel works");
                    }
                    engine.wake.notify();
                }
            });
        }
    });
}

/// The channels that the repositories' settings name.
fn used(
    engine: &Engine,
) -> Result<BTreeMap<SshTarget, BTreeSet<RepoName>>, orch_store::StoreError> {
    let mut used: BTreeMap<SshTarget, BTreeSet<RepoName>> = BTreeMap::new();
    for repo in engine.store.repos()? {
        // Settings that can't be read are told of where a task of the repository is worked.
        let Ok(config) = RepoConfig::load(engine, &repo) else { continue };
        for target in config.channels(&repo.info.name) {
            used.entry(target).or_default().insert(repo.info.name.clone());
        }
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use orch_core::remote::FaultKind;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn a_channel_is_looked_at_often_while_it_is_red_and_at_once_when_a_run_meets_a_fault() {
        let target = SshTarget::new("staging").unwrap();
        let channels = Channels::default();
        let repos = BTreeSet::from([RepoName::new("hello").unwrap()]);
        channels.gathered(BTreeMap::from([(target.clone(), repos)]));
        assert_eq!(channels.due(at(0), WHILE_RED).len(), 1);
        let refused = || Fault::new(FaultKind::Refused, "");
        assert!(channels.looked(&target, at(0), Err(refused())));
        assert!(
            channels.due(at(59), WHILE_RED).is_empty()
                && channels.due(at(60), WHILE_RED).len() == 1
        );
        assert!(!channels.looked(&target, at(60), Err(refused())));
        assert_eq!(channels.generation(), 1);
        assert!(channels.looked(&target, at(120), Ok("/x".into())));
        let state = channels.state(&target).unwrap();
        let turned = (state.light, state.turned_green_at, state.fault);
        assert_eq!(turned, (Light::Green, Some(at(120)), None));
        assert!(channels.due(at(180), WHILE_RED).is_empty());
        channels.suspect(&target, &Fault::new(FaultKind::Killed, ""));
        assert!(channels.due(at(180), WHILE_RED).is_empty());
        channels.suspect(&target, &refused());
        assert_eq!(channels.due(at(180), WHILE_RED).len(), 1);
        channels.gathered(BTreeMap::new());
        assert!(channels.state(&target).is_none());
    }
}
