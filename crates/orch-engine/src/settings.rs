//! The service's settings as the engine uses them, and where repositories' settings come from.

use std::collections::BTreeSet;
use std::time::Duration;

use orch_core::breaker::Rule;
use orch_core::ids::{Label, StageName};
use orch_core::serial_gate::GatePolicy;
use orch_core::settings::{
    Alerts, Env, RepoSettings, Retention, Secret, ServiceSettings, SettingsErrors, SettingsFile,
    Sources, Ssh, load_repo,
};

/// The service's settings as the engine uses them.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Runs at once on this worker.
    pub max_concurrency: u32,
    /// Runs at once per repository.
    pub max_per_repo: Option<u32>,
    /// Runs at once per agent.
    pub max_per_agent: Option<u32>,
    /// Runs at once per provider account, by name.
    pub account_limits: Vec<(String, u32)>,
    /// What this worker has.
    pub labels: BTreeSet<Label>,
    /// The serial gate.
    pub gate: GatePolicy,
    /// The stages that the serial gate guards; empty means all.
    pub gate_stages: BTreeSet<StageName>,
    /// How long a claim holds without a heartbeat.
    pub lease: Duration,
    /// From one look of the reaper to the next.
    pub reaper_interval: Duration,
    /// The sanitizer's kill-switch.
    pub sanitize_enabled: bool,
    /// When a shared fault pauses its channel.
    pub breaker: Rule,
    /// Who is told of what has to be mended.
    pub alerts: Alerts,
    /// How long what is over is kept.
    pub retention: Retention,
    /// How other machines are reached.
    pub ssh: Ssh,
    /// Bytes that have to be free before a run begins; `None` asks for none.
    pub min_free_disk: Option<u64>,
    /// What nobody but the service may know, by the name of the variable that sets it.
    pub secrets: Vec<(&'static str, Secret)>,
}

impl EngineSettings {
    /// From one heartbeat to the next: one that is lost, and another, must not cost the lease.
    pub fn heartbeat(&self) -> Duration {
        self.lease * 2 / 9
    }

    /// Takes what the engine needs.
    pub fn from_service(settings: &ServiceSettings) -> Self {
        Self {
            max_concurrency: settings.service.max_concurrency,
            max_per_repo: settings.service.max_per_repo,
            max_per_agent: settings.service.max_per_agent,
            account_limits: settings.service.max_per_account.clone(),
            labels: settings.service.labels.clone(),
            gate: settings.serial_gate,
            gate_stages: settings.serial_gate_stages.clone(),
            lease: settings.reaper.lease,
            reaper_interval: settings.reaper.interval,
            sanitize_enabled: settings.reaper.sanitize_enabled,
            breaker: settings.breaker,
            alerts: settings.alerts.clone(),
            retention: settings.retention,
            ssh: settings.ssh.clone(),
            min_free_disk: settings.service.min_free_disk,
            secrets: settings.secrets().into_iter().map(|(n, s)| (n, s.clone())).collect(),
        }
    }
}

/// The environment and the service's own file: what a repository's settings are read against.
#[derive(Debug, Clone, Default)]
pub struct SettingsSources {
    /// The `ORCH_*` environment.
    pub env: Env,
    /// The path and text of `$ORCH_HOME/orch.toml`.
    pub service_file: Option<(String, String)>,
}

impl SettingsSources {
    /// Reads a repository's settings from the text of its `orch.toml`.
    pub fn repository(&self, path: &str, text: &str) -> Result<RepoSettings, SettingsErrors> {
        let service = self.service_file.as_ref().map(|(path, text)| SettingsFile { path, text });
        let repository = Some(SettingsFile { path, text });
        load_repo(&Sources { service, repository, env: &self.env }).map(|loaded| loaded.value)
    }
}
