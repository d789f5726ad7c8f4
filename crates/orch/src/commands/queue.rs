//! `orch queue`: what runs, what is next, who waits and why.

use std::process::ExitCode;

use jiff::Timestamp;
use orch_api::{BreakersReport, ChannelItem, DeploysReport, QueueReport, RepoGateReport};

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, Table, ago, moment, plain};
use crate::service;

/// Show what runs, what is next, and who waits at the serial gate.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, as GET /queue gives it.
    #[arg(long)]
    json: bool,
}

/// Asks the service and shows the answer.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let report = service::client(env)?.queue()?;
    let out = Out::new(env);
    if args.json {
        out.json(&report)?;
    } else {
        show(&out, &report)?;
    }
    Ok(Exit::Done.into())
}

fn show(out: &Out, report: &QueueReport) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let jobs = &report.jobs;
    let counts = format!("{} queued, {} running, {} held", jobs.queued, jobs.running, jobs.held);
    out.line(out.style.bold(&counts))?;
    let mut running = Table::new(&["RUNNING", "STAGE", "AGENT", "FOR", "RUN", "TITLE"]);
    for item in &report.running {
        running.row([
            item.key.clone(),
            item.stage.clone(),
            item.agent.clone(),
            ago(now, item.started_at),
            item.run_id.clone(),
            item.title.clone(),
        ]);
    }
    out.table(&running, "nothing runs")?;
    let mut next = Table::new(&["NEXT", "STAGE", "AGENT", "PRIORITY", "TITLE"]);
    for item in &report.next {
        next.row([
            item.key.clone(),
            item.stage.clone(),
            item.agent.clone(),
            item.priority.to_string(),
            item.title.clone(),
        ]);
    }
    out.table(&next, "nothing is next")?;
    for repo in &report.serial_gate.repos {
        for line in gate_lines(repo, now) {
            out.line(plain(&line))?;
        }
    }
    for channel in &report.channels {
        if let Some(line) = channel_line(channel) {
            out.line(out.style.yellow(&plain(&line)))?;
        }
    }
    for line in deploy_lines(&report.deploys, now) {
        out.line(plain(&line))?;
    }
    let preflight = report.staging_runner.preflight.iter();
    for channel in preflight.flat_map(|preflight| &preflight.targets) {
        let looked = channel.checked_at.map(|at| format!(", looked at {} ago", ago(now, at)));
        let line = format!("ssh: {}{}", channel.detail, looked.unwrap_or_default());
        let line = plain(&line);
        out.line(if channel.ok == Some(false) { out.style.red(&line) } else { line })?;
    }
    if let Some(error) = &report.alerts.last_error {
        let pending = report.alerts.pending;
        out.line(
            out.style.yellow(&plain(&format!("{pending} alerts are not delivered: {error}"))),
        )?;
    }
    for line in breaker_lines(&report.breakers, now) {
        out.line(out.style.yellow(&plain(&line)))?;
    }
    if !report.workers.iter().any(|worker| worker.alive) {
        out.line(out.style.yellow("no worker is alive: start one with `orch serve`"))?;
    }
    Ok(())
}

/// What is shut, for people; `None` for what is open.
fn channel_line(channel: &ChannelItem) -> Option<String> {
    let (until, reason) = (channel.paused_until?, channel.reason.as_deref()?);
    let (kind, name, waiting) = (&channel.kind, &channel.name, channel.waiting);
    Some(format!("{kind} {name} is paused until {}: {reason}; {waiting} tasks wait", moment(until)))
}

/// Deploys at work, and what is watched or went bad, for people.
fn deploy_lines(deploys: &DeploysReport, now: Timestamp) -> Vec<String> {
    let busy = deploys.targets.iter().filter_map(|target| {
        Some(format!("deploy target {}: {} deploys", target.target, target.holder.as_ref()?))
    });
    let over = ["passed", "superseded"];
    let watched = deploys.monitors.iter().filter(|m| !over.contains(&m.state.as_str())).map(|m| {
        let revision: String = m.revision.chars().take(10).collect();
        let reason = m.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let left = match m.state.as_str() {
            "watching" => format!(" for another {}", ago(m.until, now)),
            _ => String::new(),
        };
        format!(
            "monitor of {}: {} {} of {}{left}, {} looks, {} faults{reason}",
            m.target,
            m.state.replace('_', " "),
            revision,
            m.key,
            m.looks,
            m.faults
        )
    });
    busy.chain(watched).collect()
}

/// Shared faults, for people.
fn breaker_lines(report: &BreakersReport, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    for paused in &report.paused {
        let since = ago(now, paused.since);
        lines.push(format!("paused for {since}: {}: {}", paused.what, paused.reason));
        let probe = match &paused.probing {
            Some(key) => format!("{key} is let through to see"),
            None => format!("next probe at {}", paused.probe_at),
        };
        let waiting = if paused.waiting.is_empty() {
            "nobody waits".to_owned()
        } else {
            format!("waiting: {}", paused.waiting.join(", "))
        };
        lines.push(format!("  {waiting}; {probe}"));
    }
    for cause in &report.causes {
        let mended = if cause.mended { ", mended since" } else { "" };
        lines.push(format!(
            "held by one fault{mended}: {}: {}",
            cause.held.join(", "),
            cause.reason
        ));
        lines.push(format!("  `orch task retry --cause {}` sets them going", cause.cause));
    }
    lines
}

/// One repository's serial gate, for people.
fn gate_lines(repo: &RepoGateReport, now: Timestamp) -> Vec<String> {
    let because = |reason: &Option<String>| {
        reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
    };
    let inside =
        if repo.holders.is_empty() { "nobody".to_owned() } else { repo.holders.join(", ") };
    let mut lines = vec![format!("{}: {inside} inside", repo.repo)];
    if repo.frozen {
        let since = repo.frozen_at.map(|at| format!(" for {}", ago(now, at))).unwrap_or_default();
        lines.push(format!("  frozen{since}{}", because(&repo.frozen_reason)));
    }
    if !repo.waiting.is_empty() {
        let shown = repo.waiting.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        let more = repo.waiting_total.saturating_sub(10.min(repo.waiting.len() as u64));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(format!("  waiting: {shown}{more}"));
    }
    for paused in &repo.paused {
        let since = ago(now, paused.paused_at);
        lines.push(format!("  paused: {} for {since}{}", paused.key, because(&paused.reason)));
    }
    for held in &repo.held {
        lines.push(format!("  held: {} ({}): {}", held.key, held.kind, held.reason));
    }
    lines
}
