//! The simulated world: the real store, and around it workers, machines, remotes, people and time,
//! all in one thread.

mod act;
mod drive;
mod effects;
pub mod git;
mod land;
pub mod machine;
pub mod node;
mod operate;
mod reap;
mod reconcile;
mod settle;
pub mod setup;
pub mod truth;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use orch_core::ids::{RepoName, RunId};
use orch_core::serial_gate::GatePolicy;
use orch_store::{NewRepo, Store, StoreOptions};

use crate::directive::{Directive, Fault, Place, Worker};
use crate::plant::{Plant, Sabotage};

pub use effects::Broken;
pub use node::Node;
pub use setup::Setup;
pub use truth::{Fact, Truth};

/// When a world begins: a whole second in 2027.
const BEGIN_MS: i64 = 1_800_000_000_000;

/// The world.
pub struct World {
    /// How it is laid out.
    pub setup: Setup,
    /// The true time in Unix milliseconds; each worker's clock may differ.
    pub now_ms: i64,
    /// The real store.
    pub store: Store,
    /// The planted bug, where there is one.
    pub sabotage: Option<Sabotage>,
    /// The remotes of the repositories.
    pub remotes: BTreeMap<RepoName, git::Remote>,
    /// The workers, `w1` first.
    pub nodes: Vec<Node>,
    /// Faults that wait for the API's next effect.
    pub api_faults: VecDeque<Fault>,
    /// What really happened; the judge compares the records with it.
    pub truth: Truth,
    /// What was simulated so far.
    pub counts: Counts,
    /// What happened in the present step, for the transcript.
    pub lines: Vec<String>,
    serial: u64,
}

/// What was simulated.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Faults that struck, by their word.
    pub faults: BTreeMap<String, u64>,
    /// Services that died, for whatever cause.
    pub crashes: u64,
    /// Boots and container restarts.
    pub restarts: u64,
    /// Runs that were adopted by a restarted service.
    pub adopted: u64,
    /// Runs whose jobs were taken back.
    pub reaped: u64,
    /// Runs that found themselves fenced off and were discarded.
    pub fenced: u64,
    /// Channels that a shared fault paused.
    pub pauses: u64,
    /// Pauses that a probe ended.
    pub released: u64,
    /// Agents and suites that came to an end.
    pub ends: u64,
    /// Milliseconds that went by.
    pub simulated_ms: i64,
}

impl Counts {
    /// Notes that a fault struck.
    pub fn struck(&mut self, fault: &str) {
        *self.faults.entry(fault.to_owned()).or_default() += 1;
    }
}

impl World {
    /// A fresh world. With a planted bug its store is in a file, so that the bug can write past it.
    pub fn new(setup: Setup, plant: Option<Plant>) -> anyhow::Result<Self> {
        let gate = GatePolicy { enabled: true, width: setup.width };
        let options = StoreOptions { gate };
        let (store, sabotage) = match plant {
            None => (Store::open_in_memory(options)?, None),
            Some(plant) => {
                let (store, sabotage) = Sabotage::open(plant, options)?;
                (store, Some(sabotage))
            }
        };
        let pid_alone = plant == Some(Plant::ReusedPid);
        let mut world = Self {
            setup,
            now_ms: BEGIN_MS,
            store,
            sabotage,
            remotes: BTreeMap::new(),
            nodes: (1..=setup.workers).map(|n| Node::new(Worker(n), pid_alone)).collect(),
            api_faults: VecDeque::new(),
            truth: Truth::default(),
            counts: Counts::default(),
            lines: Vec::new(),
            serial: 0,
        };
        for (index, (name, key_prefix)) in setup.repositories().into_iter().enumerate() {
            world.remotes.insert(name.clone(), git::Remote::new(index as u64));
            let repo = NewRepo {
                remote: format!("sim:{name}"),
                default_branch: "main".to_owned(),
                checkout: None,
                name,
                key_prefix,
            };
            world.store.register_repo(world.time(), &repo)?;
        }
        Ok(world)
    }

    /// The planted bug.
    pub fn plant(&self) -> Option<Plant> {
        self.sabotage.as_ref().map(|sabotage| sabotage.plant)
    }

    /// The true time.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms).unwrap_or(Timestamp::MAX)
    }

    /// The time as this actor's clock shows it.
    pub fn clock(&self, who: Place) -> Timestamp {
        let skew = match who {
            Place::At(worker) => self.node(worker).map_or(0, |node| node.skew_ms),
            Place::Api => 0,
        };
        Timestamp::from_millisecond(self.now_ms + skew).unwrap_or(Timestamp::MAX)
    }

    /// The worker of that number.
    pub fn node(&self, worker: Worker) -> Option<&Node> {
        self.nodes.get(worker.0.checked_sub(1)?)
    }

    /// The worker of that number, to change.
    pub fn node_mut(&mut self, worker: Worker) -> Option<&mut Node> {
        self.nodes.get_mut(worker.0.checked_sub(1)?)
    }

    /// Numbers that never come twice, in place of randomness.
    pub fn random(&mut self) -> u64 {
        self.serial += 1;
        git::mix(self.serial, 0x5eed)
    }

    /// A new run's id.
    fn run_id(&mut self, who: Place) -> RunId {
        let at = self.clock(who).as_millisecond();
        self.serial += 1;
        RunId::from_parts(at, self.serial)
    }

    /// A line of the transcript.
    pub fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Lets time go by.
    pub fn advance(&mut self, ms: i64) {
        self.now_ms += ms.max(0);
        self.counts.simulated_ms += ms.max(0);
        for node in self.nodes.iter_mut().filter(|node| !node.suspended) {
            node.machine.settle();
        }
    }

    /// Does what a directive says, as far as it can happen.
    pub fn perform(&mut self, directive: &Directive) {
        self.truth.begin_step();
        self.lines.clear();
        act::perform(self, directive);
    }
}
