//! The block `breakers` of `GET /queue`.

use orch_api::{CauseItem, PausedItem};
use orch_core::breaker::Cause;
use orch_store::PausedChannel;

pub(crate) fn paused(channel: PausedChannel) -> PausedItem {
    let paused = channel.paused;
    PausedItem {
        cause: paused.signature.cause().to_string(),
        what: paused.signature.channel.words(),
        channel: paused.signature.channel.to_string(),
        reason: paused.said,
        since: paused.since,
        probe_at: paused.probe_at,
        probes: paused.probes,
        probing: paused.probing.map(|key| key.to_string()),
        waiting: channel.waiting.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn cause(cause: Cause) -> CauseItem {
    CauseItem {
        cause: cause.signature.cause().to_string(),
        what: cause.signature.channel.words(),
        channel: cause.signature.channel.to_string(),
        reason: cause.said,
        mended: cause.held.iter().all(|held| held.mended),
        held: cause.held.iter().map(|held| held.key.to_string()).collect(),
    }
}
