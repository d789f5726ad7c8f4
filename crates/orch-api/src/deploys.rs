//! The block `deploys` of `GET /queue`: where is deployed, and what is watched.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Deploy targets and watched revisions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploysReport {
    /// Every target, by name.
    pub targets: Vec<DeployTargetItem>,
    /// Watched revisions, and the last that were, newest first; at most 50.
    pub monitors: Vec<MonitorItem>,
}

/// Where is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployTargetItem {
    /// Its name.
    pub target: String,
    /// How often its lock was taken.
    pub epoch: u64,
    /// The task that deploys there now; `None` where none does.
    pub holder: Option<String>,
    /// The worker that drives that deploy.
    pub worker_id: Option<String>,
    /// Until when the lock holds without a heartbeat.
    pub lease_until: Option<Timestamp>,
    /// The revision that was deployed there last with success; `None` before the first.
    pub last_good: Option<String>,
}

/// A deployed revision under watch, or once under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorItem {
    /// The task that was deployed.
    pub key: String,
    /// Where.
    pub target: String,
    /// The revision.
    pub revision: String,
    /// `watching`, `taking_back`, `passed`, `superseded`, `rolled_back` or `failed`.
    pub state: String,
    /// When the watch ends by itself.
    pub until: Timestamp,
    /// Looks that saw something.
    pub looks: u32,
    /// Those of them that saw a fault.
    pub faults: u32,
    /// What the last look showed; empty before the first.
    pub last: String,
    /// Why it stands as it does; `None` while all is well.
    pub reason: Option<String>,
    /// The revision that it would be, or was, taken back to; `None` where no way back was proven.
    pub back_to: Option<String>,
}
