//! Puts the layers together: what the service needs, and what one repository's tasks need.

use std::collections::{BTreeMap, BTreeSet};

use super::agents::{self, Agents};
use super::alerts::{self, Alerts, Receiver};
use super::breaker;
use super::budgets::{self, Budgets};
use super::deploy::{self, Deploy};
use super::document::Document;
use super::error::{SettingsError, SettingsErrors, SettingsWarning};
use super::key::Scope;
use super::launcher::{self, Launcher};
use super::merge_gate::{self, MergeGate};
use super::object_store::{self, ObjectStore};
use super::pipeline::{self, PipelineSettings};
use super::prices;
use super::reader::{Reader, Setting};
use super::reaper::{self, Reaper};
use super::redact::{self, Redact};
use super::repository::{self, Repository};
use super::retention::{self, Retention};
use super::sandbox::{self, Sandbox};
use super::secret::Secret;
use super::serial_gate;
use super::service::{self, Service};
use super::ssh::{self, Ssh};
use super::staging_runner::{self, StagingRunner};
use super::table::file_sections;
use super::test_runner::{self, TestRunner};
use super::unknown;
use crate::breaker::Rule;
use crate::decide::Policy;
use crate::ids::{AgentName, StageName};
use crate::money::PriceTable;
use crate::serial_gate::GatePolicy;
use crate::stage::{STAGING_RUNNER, TEST_RUNNER};

/// The environment as the caller read it; an empty value counts as unset.
pub type Env = BTreeMap<String, String>;

/// A file of settings as the caller read it.
#[derive(Debug, Clone, Copy)]
pub struct SettingsFile<'a> {
    /// Its name in messages.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Everything that settings are read from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The service's own file; `None` where there is none.
    pub service: Option<SettingsFile<'a>>,
    /// The repository's file; `None` where there is none. One file may be both: then its path is
    /// the same.
    pub repository: Option<SettingsFile<'a>>,
    /// The environment, which wins over both.
    pub env: &'a Env,
}

/// Settings with what is worth saying about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<T> {
    /// The settings.
    pub value: T,
    /// Each effective setting with its source, in the order of the table.
    pub settings: Vec<Setting>,
    /// What was accepted but does not do what its author may think.
    pub warnings: Vec<SettingsWarning>,
}

/// What the service needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// The process itself.
    pub service: Service,
    /// How many tasks of one repository are worked at once.
    pub serial_gate: GatePolicy,
    /// The stages that the serial gate guards; empty means all.
    pub serial_gate_stages: BTreeSet<StageName>,
    /// The search for runs that are gone.
    pub reaper: Reaper,
    /// When a shared fault pauses its channel.
    pub breaker: Rule,
    /// Who is told of what has to be mended.
    pub alerts: Alerts,
    /// How long what is over is kept.
    pub retention: Retention,
    /// Where logs and artifacts are put for other machines; `None` means nowhere.
    pub object_store: Option<ObjectStore>,
    /// Versions of the program side by side.
    pub launcher: Launcher,
    /// How other machines are reached.
    pub ssh: Ssh,
}

/// What the tasks of one repository need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoSettings {
    /// What it is called and where its work lands.
    pub repository: Repository,
    /// Its stages, unresolved.
    pub pipeline: PipelineSettings,
    /// Which program works each role.
    pub agents: Agents,
    /// What agents and suites may reach of the machine.
    pub sandbox: Sandbox,
    /// What is masked in all that a run leaves behind.
    pub redact: Redact,
    /// How its tests are run.
    pub test_runner: TestRunner,
    /// How its staging suite is run.
    pub staging_runner: StagingRunner,
    /// What happens after the merge.
    pub deploy: Deploy,
    /// How branches land.
    pub merge_gate: MergeGate,
    /// How often things are tried, and how much may be spent.
    pub budgets: Budgets,
    /// What models cost.
    pub prices: PriceTable,
    /// The file that is to be edited, as the caller named it.
    pub file: String,
}

/// Reads what the service needs from its own file and the environment. The file's defaults for
/// repositories are checked too, so that a mistake shows at the start and not with a task.
pub fn load_service(sources: &Sources<'_>) -> Result<Loaded<ServiceSettings>, SettingsErrors> {
    let layers = parse(sources.service.into_iter())?;
    let mut reader = Reader::new(&layers, sources.env);
    let value = ServiceSettings {
        service: service::read(&mut reader),
        serial_gate: serial_gate::read(&mut reader),
        serial_gate_stages: serial_gate::read_stages(&mut reader),
        reaper: reaper::read(&mut reader),
        breaker: breaker::read(&mut reader),
        alerts: alerts::read(&mut reader),
        retention: retention::read(&mut reader),
        object_store: object_store::read(&mut reader),
        launcher: launcher::read(&mut reader),
        ssh: ssh::read(&mut reader),
    };
    let settings = std::mem::take(&mut reader.shown);
    read_repo(&mut reader, String::new());
    let warnings = unknown::check_env(sources.env);
    finish(reader.errors, &layers, Loaded { value, settings, warnings })
}

/// Reads what one repository's tasks need: its file over the service's, the environment over both.
pub fn load_repo(sources: &Sources<'_>) -> Result<Loaded<RepoSettings>, SettingsErrors> {
    let path = |file: Option<SettingsFile<'_>>| file.map(|file| file.path.to_owned());
    let same = path(sources.service) == path(sources.repository);
    let files = sources.service.filter(|_| !same).into_iter().chain(sources.repository);
    let layers = parse(files)?;
    let mut reader = Reader::new(&layers, sources.env);
    let file = path(sources.repository).or_else(|| path(sources.service));
    let value = read_repo(&mut reader, file.unwrap_or_else(|| "orch.toml".to_owned()));
    let settings = std::mem::take(&mut reader.shown);
    let own = layers.last().filter(|_| sources.repository.is_some() && !same);
    let warnings = own.map(idle_sections).unwrap_or_default();
    finish(reader.errors, &layers, Loaded { value, settings, warnings })
}

fn parse<'a>(
    files: impl Iterator<Item = SettingsFile<'a>>,
) -> Result<Vec<Document<'a>>, SettingsErrors> {
    let mut errors = Vec::new();
    let mut layers = Vec::new();
    for file in files {
        match Document::parse(file.path, file.text) {
            Ok(document) => layers.push(document),
            Err(more) => errors.extend(more),
        }
    }
    SettingsErrors::unless_none(errors, layers)
}

fn read_repo(reader: &mut Reader<'_>, file: String) -> RepoSettings {
    RepoSettings {
        repository: repository::read(reader),
        pipeline: pipeline::read(reader),
        agents: agents::read(reader),
        sandbox: sandbox::read(reader),
        redact: redact::read(reader),
        test_runner: test_runner::read(reader),
        staging_runner: staging_runner::read(reader),
        deploy: deploy::read(reader),
        merge_gate: merge_gate::read(reader),
        budgets: budgets::read(reader),
        prices: prices::read(reader),
        file,
    }
}

fn finish<T>(
    mut errors: Vec<SettingsError>,
    layers: &[Document<'_>],
    loaded: Loaded<T>,
) -> Result<Loaded<T>, SettingsErrors> {
    errors.extend(layers.iter().flat_map(unknown::check));
    SettingsErrors::unless_none(errors, loaded)
}

/// Sections of a repository's file that only the service's own file is read for.
fn idle_sections(document: &Document<'_>) -> Vec<SettingsWarning> {
    let ours = file_sections().filter(|section| section.scope == Scope::Service);
    ours.filter_map(|section| {
        let (key, _) = document.root().get_key_value(section.name)?;
        Some(SettingsWarning {
            place: document.place(key.span()),
            message: format!("[{}] is the service's and is not read here", section.name),
            hint: Some("move it to orch.toml in ORCH_HOME, or set it in the environment".into()),
        })
    })
    .collect()
}

impl ServiceSettings {
    /// What nobody but the service may know, by the name of the variable that sets it.
    pub fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let service = [
            ("ORCH_DATABASE_URL", self.service.database_url.as_ref()),
            ("ORCH_API_TOKEN", self.service.api_token.as_ref()),
        ];
        let alerts =
            self.alerts.receivers.iter().flat_map(Receiver::secrets).map(|s| (s.0, Some(s.1)));
        let store =
            self.object_store.iter().flat_map(ObjectStore::secrets).map(|s| (s.0, Some(s.1)));
        let all = service.into_iter().chain(alerts).chain(store);
        all.filter_map(|(name, secret)| Some((name, secret?))).collect()
    }
}

impl RepoSettings {
    /// The limits that decisions keep at a stage that this agent or runner works.
    pub fn policy(&self, agent: &AgentName) -> Policy {
        let own = match agent.as_str() {
            TEST_RUNNER => self.test_runner.infra_retries,
            STAGING_RUNNER => self.staging_runner.infra_retries,
            _ => None,
        };
        Policy {
            bounces: self.budgets.development,
            defers: own.unwrap_or(self.budgets.infra),
            unknowns: self.budgets.unknown,
            crashes: self.budgets.crashes,
            retests: self.merge_gate.retests,
            backoff_base: self.budgets.backoff_base,
            backoff_cap: self.budgets.backoff_cap,
            reroute: None,
        }
    }
}
