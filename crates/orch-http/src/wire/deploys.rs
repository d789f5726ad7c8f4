//! Deploy targets and monitors as the API shows them.

use orch_api::{DeployTargetItem, DeploysReport, MonitorItem};
use orch_store::{Monitor, TargetLock};

pub(crate) fn deploys(targets: Vec<TargetLock>, monitors: Vec<Monitor>) -> DeploysReport {
    DeploysReport {
        targets: targets.into_iter().map(target).collect(),
        monitors: monitors.into_iter().map(monitor).collect(),
    }
}

fn target(target: TargetLock) -> DeployTargetItem {
    let (held, holder) = target.held.unzip();
    DeployTargetItem {
        target: target.target,
        epoch: target.epoch,
        holder: holder.map(|key| key.to_string()),
        worker_id: held.as_ref().map(|held| held.worker.to_string()),
        lease_until: held.map(|held| held.lease_until),
        last_good: target.good.map(|revision| revision.to_string()),
    }
}

fn monitor(monitor: Monitor) -> MonitorItem {
    MonitorItem {
        key: monitor.deploy.task.to_string(),
        target: monitor.deploy.target,
        revision: monitor.deploy.revision.to_string(),
        state: monitor.state.word().to_owned(),
        until: monitor.until,
        looks: monitor.watch.looks,
        faults: monitor.watch.faults,
        last: monitor.watch.last,
        reason: monitor.reason,
        back_to: monitor.back_to.map(|revision| revision.to_string()),
    }
}
