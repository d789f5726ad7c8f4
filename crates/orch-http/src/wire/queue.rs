//! The pieces of `GET /queue`.

use std::time::Duration;

use jiff::Timestamp;
use orch_api::{
    ChannelItem, GateHeld, GatePaused, NextItem, Preflight, RepoGateReport, RunningItem,
    TargetPreflight, WorkerItem,
};
use orch_core::job::{Job, JobState};
use orch_core::remote::SshTarget;
use orch_core::task::Task;
use orch_engine::channels::{Light, Preflight as Looked};
use orch_store::{Channel, RepoGate, Worker};

/// `None` where the job does not run.
pub(crate) fn running((job, task): &(Job, Task)) -> Option<RunningItem> {
    let JobState::Running(owner) = &job.state else { return None };
    Some(RunningItem {
        key: task.key.to_string(),
        repo: task.repo.to_string(),
        title: task.title.clone(),
        stage: job.stage.to_string(),
        agent: job.agent.to_string(),
        run_id: owner.run_id.to_string(),
        worker_id: owner.worker_id.to_string(),
        pid: owner.process.as_ref().map(|process| process.pid),
        started_at: owner.started_at,
        lease_until: owner.lease_until,
    })
}

pub(crate) fn next((job, task): &(Job, Task)) -> NextItem {
    NextItem {
        key: task.key.to_string(),
        repo: task.repo.to_string(),
        title: task.title.clone(),
        stage: job.stage.to_string(),
        agent: job.agent.to_string(),
        priority: task.priority,
    }
}

/// `None` where no channel was looked at.
pub(crate) fn preflight(channels: &[(SshTarget, Looked)]) -> Option<Preflight> {
    let red = channels.iter().any(|(_, channel)| channel.light == Light::Red);
    let counts = if red { Light::Red } else { Light::Green };
    let shown = || channels.iter().map(|(_, channel)| channel).filter(|c| c.light == counts);
    Some(Preflight {
        ok: !red,
        checked_at: shown().filter_map(|channel| channel.checked_at).min()?,
        detail: shown().map(|channel| channel.detail.as_str()).collect::<Vec<_>>().join("\n"),
        targets: channels.iter().map(target).collect(),
    })
}

fn target((target, channel): &(SshTarget, Looked)) -> TargetPreflight {
    TargetPreflight {
        target: target.to_string(),
        ok: match channel.light {
            Light::Unlooked => None,
            Light::Green => Some(true),
            Light::Red => Some(false),
        },
        checked_at: channel.checked_at,
        detail: channel.detail.clone(),
        repos: channel.repos.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn gate(gate: RepoGate) -> RepoGateReport {
    let holders: Vec<String> = gate.holders.iter().map(ToString::to_string).collect();
    let paused = gate.paused.into_iter().map(|(key, pause)| GatePaused {
        key: key.to_string(),
        paused_at: pause.at,
        reason: pause.reason,
    });
    let held = gate.held.into_iter().map(|(key, hold)| GateHeld {
        key: key.to_string(),
        kind: hold.kind.word().to_owned(),
        reason: hold.reason,
    });
    RepoGateReport {
        repo: gate.repo.to_string(),
        frozen: gate.frozen.is_some(),
        frozen_at: gate.frozen.as_ref().map(|freeze| freeze.at),
        frozen_reason: gate.frozen.and_then(|freeze| freeze.reason),
        holder: holders.first().cloned(),
        holders,
        waiting: gate.waiting.iter().map(ToString::to_string).collect(),
        waiting_total: gate.waiting_total,
        paused: paused.collect(),
        held: held.collect(),
    }
}

pub(crate) fn channel(channel: Channel) -> ChannelItem {
    let (paused_until, reason) = channel.pause.map(|pause| (pause.until, pause.reason)).unzip();
    ChannelItem {
        kind: channel.kind,
        name: channel.name,
        paused_until,
        reason,
        running: channel.running,
        max_running: channel.max_running,
        waiting: channel.waiting,
    }
}

pub(crate) fn worker(worker: Worker, now: Timestamp, lease: Duration) -> WorkerItem {
    WorkerItem {
        id: worker.info.id.to_string(),
        host: worker.info.host,
        pid: worker.info.pid,
        version: worker.info.version,
        capacity: worker.info.capacity,
        labels: worker.info.labels,
        running: worker.running,
        alive: worker.last_seen >= now - lease,
        last_seen: worker.last_seen,
    }
}
