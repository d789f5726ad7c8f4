//! The boundary of effects: every write to the store, every act of git and every spawn goes
//! through here, and here it fails if a fault was armed.

use std::cell::Cell;
use std::sync::Arc;

use jiff::Timestamp;
use orch_core::job::Fence;
use orch_store::{Store, StoreError};

use super::World;
use crate::directive::{Effect, Fault, Place, SLOW, Worker};

/// Why an effect gave no answer.
#[derive(Debug)]
pub enum Broken {
    /// The service that asked for it is dead.
    Crashed,
    /// The store's error, or one between the store and the worker.
    Store(StoreError),
    /// git's or the system's error, in words.
    Other(String),
}

impl Broken {
    /// Words for the transcript.
    pub fn words(&self) -> String {
        match self {
            Self::Crashed => "the service died".to_owned(),
            Self::Store(StoreError::Engine { source, .. }) => source.to_string(),
            Self::Store(error) => error.to_string(),
            Self::Other(words) => words.clone(),
        }
    }
}

fn broken(words: &str, transient: bool) -> Broken {
    let source = Arc::new(std::io::Error::other(words.to_owned()));
    Broken::Store(StoreError::Engine { doing: "talking to it", transient, source })
}

impl World {
    /// Takes the first armed fault of that kind.
    fn fault(&mut self, who: Place, effect: Effect) -> Option<Fault> {
        let armed = match who {
            Place::Api => &mut self.api_faults,
            Place::At(worker) => &mut self.node_mut(worker)?.faults,
        };
        let place = armed.iter().position(|fault| fault.effect() == effect)?;
        let fault = armed.remove(place)?;
        self.counts.struck(fault.word());
        self.say(format!("  ! {fault}"));
        Some(fault)
    }

    fn reachable(&self, who: Place) -> Result<(), Broken> {
        match who {
            Place::At(worker) if self.node(worker).is_some_and(|node| node.partitioned) => {
                Err(broken("the database does not answer", true))
            }
            _ => Ok(()),
        }
    }

    /// The service of that place dies; the API is nobody's process and only loses its answer.
    fn die<T>(&mut self, who: Place) -> Result<T, Broken> {
        match who {
            Place::At(worker) => {
                self.crash(worker);
                Err(Broken::Crashed)
            }
            Place::Api => Err(broken("the connection was dropped", true)),
        }
    }

    /// Reads from the store.
    pub fn read<T>(
        &self,
        who: Place,
        read: impl FnOnce(&Store) -> Result<T, StoreError>,
    ) -> Result<T, Broken> {
        self.reachable(who)?;
        read(&self.store).map_err(Broken::Store)
    }

    /// Writes to the store, at the time that the writer's clock showed when it began.
    pub fn write<T>(
        &mut self,
        who: Place,
        write: impl Fn(&Store, Timestamp) -> Result<T, StoreError>,
    ) -> Result<T, Broken> {
        self.reachable(who)?;
        let now = self.clock(who);
        let act = |world: &Self| write(&world.store, now).map_err(Broken::Store);
        match self.fault(who, Effect::Write) {
            Some(Fault::LostReply) => {
                act(self)?;
                Err(broken("the answer was lost", true))
            }
            Some(Fault::Twice) => {
                let first = act(self);
                drop(act(self));
                first
            }
            Some(Fault::DiskFull) => Err(broken("the disk is full", false)),
            Some(Fault::Locked) => Err(broken("the database is locked", true)),
            Some(Fault::Slow) => {
                self.advance(SLOW.0);
                act(self)
            }
            Some(Fault::CrashBefore) => self.die(who),
            Some(Fault::CrashAfter) => {
                drop(act(self));
                self.die(who)
            }
            _ => act(self),
        }
    }

    /// A write by a run, which shows its claim; what the store accepts of it is noted.
    pub fn fenced<T>(
        &mut self,
        worker: Worker,
        fence: &Fence,
        write: impl Fn(&Store, Timestamp) -> Result<T, StoreError>,
    ) -> Result<T, Broken> {
        let accepted = Cell::new(false);
        let answer = self.write(Place::At(worker), |store, now| {
            let answer = write(store, now);
            accepted.set(accepted.get() || answer.is_ok());
            answer
        });
        if accepted.get() {
            self.truth.accepted.push(fence.clone());
        }
        answer
    }

    /// Something that git does.
    pub fn git<T>(
        &mut self,
        worker: Worker,
        act: impl FnOnce(&mut Self) -> Result<T, Broken>,
    ) -> Result<T, Broken> {
        match self.fault(Place::At(worker), Effect::Git) {
            Some(Fault::GitFail) => Err(Broken::Other("git: could not resolve host".to_owned())),
            Some(Fault::GitLostReply) => {
                act(self)?;
                Err(Broken::Other("git: the remote end hung up".to_owned()))
            }
            Some(Fault::GitCrashBefore) => self.die(Place::At(worker)),
            Some(Fault::GitCrashAfter) => {
                drop(act(self));
                self.die(Place::At(worker))
            }
            _ => act(self),
        }
    }

    /// The start of a supervisor.
    pub fn spawn<T>(
        &mut self,
        worker: Worker,
        act: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, Broken> {
        match self.fault(Place::At(worker), Effect::Spawn) {
            Some(Fault::SpawnFail) => Err(Broken::Other("out of processes".to_owned())),
            Some(Fault::SpawnCrashBefore) => self.die(Place::At(worker)),
            Some(Fault::SpawnCrashAfter) => {
                drop(act(self));
                self.die(Place::At(worker))
            }
            _ => Ok(act(self)),
        }
    }

    /// The removal of a task's worktree.
    pub fn remove_worktree(
        &mut self,
        worker: Worker,
        key: &orch_core::ids::TaskKey,
    ) -> Result<(), Broken> {
        match self.fault(Place::At(worker), Effect::Remove) {
            Some(Fault::RemoveFail) => Err(Broken::Other("the worktree is busy".to_owned())),
            Some(Fault::RemoveCrash) => self.die(Place::At(worker)),
            _ => {
                if let Some(node) = self.node_mut(worker) {
                    node.machine.worktrees.remove(key);
                }
                Ok(())
            }
        }
    }
}
