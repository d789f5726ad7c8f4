//! `[deploy]`: what happens after the merge (S9).

mod keys;

use std::time::Duration;

use super::command::CommandLine;
use super::reader::Reader;
use crate::deploy::{Rules, WindowRules};

pub(super) use keys::SECTION;

/// What happens after the merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// The deploy; `None` where the repository only merges.
    pub command: Option<CommandLine>,
    /// What is deployed to; `None` means the repository's own name.
    pub target: Option<String>,
    /// Lets the service finish what it is at; `None` where nothing is to be waited for.
    pub drain: Option<CommandLine>,
    /// How long the drain may take.
    pub drain_timeout: Duration,
    /// What has to answer 2xx afterwards; `None` for no check.
    pub health_url: Option<String>,
    /// How long and how often it is looked after a deploy.
    pub window: WindowRules,
    /// How long one look may take.
    pub look_timeout: Duration,
    /// What has to name the merged revision afterwards; `None` for no check.
    pub freshness: Option<Freshness>,
    /// Where in a JSON answer the revision stands; `None` where the answer is text.
    pub revision_field: Option<String>,
    /// The way back after a bad deploy; `None` where there is none.
    pub rollback_command: Option<CommandLine>,
    /// Proves that the way back is there; `None` where a known earlier revision is proof enough.
    pub rollback_check: Option<CommandLine>,
    /// Whether nothing is deployed without a proven way back.
    pub require_rollback: bool,
    /// How long the deployed revision is watched; zero is off.
    pub monitor: Duration,
    /// Time from one look of the monitor to the next.
    pub monitor_interval: Duration,
    /// When the monitor takes the revision back.
    pub monitor_rules: Rules,
    /// How long the deploy may take.
    pub timeout: Duration,
}

/// What says which revision runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// An address.
    Url(String),
    /// What a command prints.
    Command(CommandLine),
}

/// Looks of a monitor before a percentage of them counts.
const LEAST_LOOKS: u32 = 10;

pub(super) fn read(reader: &mut Reader<'_>) -> Deploy {
    let command = reader.command(&keys::REVISION_COMMAND).map(Freshness::Command);
    let url = reader.text(&keys::REVISION_URL).map(Freshness::Url);
    Deploy {
        command: reader.command(&keys::COMMAND),
        target: reader.text(&keys::TARGET),
        drain: reader.command(&keys::DRAIN),
        drain_timeout: reader.duration(&keys::DRAIN_TIMEOUT),
        health_url: reader.text(&keys::HEALTH_URL),
        window: WindowRules {
            interval: reader.duration(&keys::HEALTH_INTERVAL),
            within: reader.duration(&keys::HEALTH_WITHIN),
            passes: reader.count(&keys::HEALTH_PASSES),
        },
        look_timeout: reader.duration(&keys::HEALTH_TIMEOUT),
        freshness: command.or(url),
        revision_field: reader.text(&keys::REVISION_FIELD),
        rollback_command: reader.command(&keys::ROLLBACK_COMMAND),
        rollback_check: reader.command(&keys::ROLLBACK_CHECK),
        require_rollback: reader.flag(&keys::REQUIRE_ROLLBACK),
        monitor: reader.duration(&keys::MONITOR),
        monitor_interval: reader.duration(&keys::MONITOR_INTERVAL),
        monitor_rules: Rules {
            consecutive: reader.count(&keys::MONITOR_FAILURES),
            percent: reader.count(&keys::MONITOR_FAILURE_PERCENT),
            least_looks: LEAST_LOOKS,
        },
        timeout: reader.duration(&keys::TIMEOUT),
    }
}
