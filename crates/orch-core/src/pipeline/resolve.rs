//! From what a repository says to the pipeline of its tasks: the standard table, changed by
//! `[pipeline]` and `[stage.NAME]`, without what has nothing configured.

use std::collections::BTreeSet;

use super::{LeftOut, OnFail, Pipeline, Producer, StageSpec};
use crate::ids::{RepoName, StageName};
use crate::settings::{
    Place, Placed, RepoSettings, SettingsError, SettingsErrors, StageTable, Writes, nearest,
};
use crate::stage::{
    DEPLOY_FINALIZER, DONE, DefaultOnFail, Gate, MERGE, RESERVED_AGENTS, STAGE_TRANSITIONS,
    STAGING_RUNNER, StageWork, TEST_RUNNER, standard,
};

/// Resolves the pipeline that a new task of the repository gets; every problem at once, each with
/// its line.
pub fn resolve(settings: &RepoSettings, repo: &RepoName) -> Result<Pipeline, SettingsErrors> {
    let mut resolver = Resolver { settings, repo, errors: Vec::new(), left_out: Vec::new() };
    let pipeline = resolver.pipeline();
    SettingsErrors::unless_none(resolver.errors, pipeline)
}

/// Why the deploy is not part of a pipeline that merges all the same.
const NO_DEPLOY: &str = "no [deploy] command: `merge` lands the branch instead";

struct Resolver<'a> {
    settings: &'a RepoSettings,
    repo: &'a RepoName,
    errors: Vec<SettingsError>,
    left_out: Vec<LeftOut>,
}

/// Something that a standard stage lacks.
struct Lacking {
    reason: &'static str,
    remedy: &'static str,
}

impl Resolver<'_> {
    fn pipeline(&mut self) -> Pipeline {
        let listed = match &self.settings.pipeline.stages {
            Some(stages) => self.listed(stages),
            None => self.standard_stages(),
        };
        self.unused_tables(&listed);
        self.unlisted(&listed);
        let mut stages = Vec::new();
        for (index, name) in listed.iter().enumerate() {
            let next = listed.get(index + 1).map(|next| next.value.clone());
            stages.extend(self.stage(name, next));
        }
        let pipeline = Pipeline { stages, left_out: std::mem::take(&mut self.left_out) };
        if self.errors.is_empty() {
            for fault in pipeline.check() {
                let place = self.place_of(fault.stage.as_ref(), fault.field, &listed);
                self.errors.push(SettingsError::new(place, fault.to_string(), None));
            }
        }
        pipeline
    }

    /// The stages that the repository lists; one with nothing configured is a mistake here.
    fn listed(&mut self, stages: &Placed<Vec<Placed<String>>>) -> Vec<Placed<StageName>> {
        let mut names: Vec<Placed<StageName>> = Vec::new();
        for stage in &stages.value {
            let Ok(name) = StageName::new(stage.value.as_str()) else {
                let message = format!("{:?} is not a stage name", stage.value);
                let hint = "lower-case letters, digits and `-`, beginning with a letter";
                self.error(&stage.place, message, Some(hint.to_owned()));
                continue;
            };
            if !self.is_known(&name) {
                self.unknown_stage(&name, &stage.place);
                continue;
            }
            if let Some(lacking) = self.lacking(&name) {
                let message = format!("stage `{name}` can't be worked: {}", lacking.reason);
                self.error(&stage.place, message, Some(lacking.remedy.to_owned()));
                continue;
            }
            names.push(Placed { value: name, place: stage.place.clone() });
        }
        if names.is_empty() && self.errors.is_empty() {
            let hint =
                Some("list at least one, or leave the key out for the standard ones".to_owned());
            self.error(&stages.place, "`pipeline.stages` is empty".to_owned(), hint);
        }
        names
    }

    /// The standard stages, without those that have nothing configured; `merge` in the place of a
    /// deploy that has none.
    fn standard_stages(&mut self) -> Vec<Placed<StageName>> {
        let mut names = Vec::new();
        for row in STAGE_TRANSITIONS.iter().filter(|row| row.work.is_some()) {
            let mut name = word::<StageName>(row.stage);
            if let Some(lacking) = self.lacking(&name) {
                self.left_out.push(LeftOut { stage: name, reason: lacking.reason.to_owned() });
                continue;
            }
            if row.stage == "deploy"
                && self.settings.deploy.command.is_none()
                && !self.has_producer(&name)
            {
                self.left_out.push(LeftOut { stage: name, reason: NO_DEPLOY.to_owned() });
                name = word(MERGE);
            }
            names.push(Placed {
                value: name,
                place: Place::File { path: self.settings.file.clone() },
            });
        }
        names
    }

    /// Standard stages that the repository does not list are shown too: what is not done must not
    /// look done.
    fn unlisted(&mut self, listed: &[Placed<StageName>]) {
        for row in STAGE_TRANSITIONS.iter().filter(|row| row.work.is_some()) {
            let name = word::<StageName>(row.stage);
            let told = self.left_out.iter().any(|left| left.stage == name);
            if told || listed.iter().any(|stage| stage.value == name) {
                continue;
            }
            let merges = row.stage == "deploy" && self.settings.deploy.command.is_none();
            let reason = match self.lacking(&name) {
                Some(lacking) => lacking.reason,
                None if merges => NO_DEPLOY,
                None => "not listed in [pipeline] stages",
            };
            self.left_out.push(LeftOut { stage: name, reason: reason.to_owned() });
        }
    }

    fn is_known(&self, name: &StageName) -> bool {
        let text = name.as_str();
        text == MERGE
            || standard(text).is_some_and(|row| row.work.is_some())
            || self.table(name).is_some()
    }

    fn unknown_stage(&mut self, name: &StageName, place: &Place) {
        let rows = STAGE_TRANSITIONS.iter().filter(|row| row.work.is_some()).map(|row| row.stage);
        let known: Vec<&str> = rows
            .chain([MERGE])
            .chain(self.settings.pipeline.tables.keys().map(String::as_str))
            .collect();
        let hint = match nearest(name.as_str(), known) {
            Some(near) => {
                format!("did you mean `{near}`? A stage of one's own needs a table [stage.{name}]")
            }
            None => {
                format!("a stage of one's own needs a table [stage.{name}] with producer and gate")
            }
        };
        self.error(place, format!("unknown stage `{name}`"), Some(hint));
    }

    /// What a standard stage lacks to be worked by anybody.
    fn lacking(&self, name: &StageName) -> Option<Lacking> {
        if self.has_producer(name) {
            return None;
        }
        let (command, covered, fallback, reason, remedy) = match name.as_str() {
            "testing" => {
                let runner = &self.settings.test_runner;
                let remedy = "set [test_runner] command, or leave the stage out";
                (
                    runner.command.is_some(),
                    runner.covers(self.repo),
                    "tester",
                    "no [test_runner] command",
                    remedy,
                )
            }
            "deploy-staging" => {
                let runner = &self.settings.staging_runner;
                let remedy = "set [staging_runner] command, or leave the stage out";
                (
                    runner.command.is_some(),
                    runner.covers(self.repo),
                    "deployer",
                    "no [staging_runner] command",
                    remedy,
                )
            }
            _ => return None,
        };
        // An agent of that name, or a runner switched off in its favour, does the stage instead.
        let by_agent = !covered || self.settings.agents.has_own(fallback);
        (!command && !by_agent).then_some(Lacking { reason, remedy })
    }

    fn has_producer(&self, name: &StageName) -> bool {
        self.table(name).is_some_and(|table| table.producer.is_some())
    }

    fn table(&self, name: &StageName) -> Option<&StageTable> {
        self.settings.pipeline.tables.get(name.as_str())
    }

    /// A table for a stage that is not part of the pipeline is most likely a slip.
    fn unused_tables(&mut self, listed: &[Placed<StageName>]) {
        let used = |name: &str| listed.iter().any(|stage| stage.value.as_str() == name);
        let left_out = |name: &str| self.left_out.iter().any(|left| left.stage.as_str() == name);
        let unused: Vec<(String, Place)> = self
            .settings
            .pipeline
            .tables
            .iter()
            .filter(|(name, table)| !used(name) && !left_out(name) && self.is_own(&table.place))
            .map(|(name, table)| (name.clone(), table.place.clone()))
            .collect();
        if !self.errors.is_empty() {
            return;
        }
        for (name, place) in unused {
            let hint = Some("add it there, or take the table out".to_owned());
            self.error(&place, format!("[stage.{name}] is not in [pipeline] stages"), hint);
        }
    }

    /// Whether something stands in the repository's own file: the service's file and the environment
    /// speak to many repositories, not all of which have every stage.
    fn is_own(&self, place: &Place) -> bool {
        matches!(place, Place::Line { path, .. } if *path == self.settings.file)
    }

    fn stage(&mut self, name: &Placed<StageName>, next: Option<StageName>) -> Option<StageSpec> {
        let work = standard(name.value.as_str()).and_then(|row| row.work);
        let table = self.table(&name.value).cloned();
        let merge_only = name.value.as_str() == MERGE || self.only_merges(&name.value);
        let mut spec = match work {
            _ if merge_only => merging(&name.value),
            Some(work) => self.standard_stage(&name.value, &work),
            None => self.own_stage(name, table.as_ref()?)?,
        };
        spec.next = next;
        spec.attempts = self.settings.budgets.attempts;
        if let Some(table) = table {
            self.change(&mut spec, &table);
        }
        if let Producer::Agent(role) = &spec.producer {
            self.agent_is_there(&spec, role, &name.place);
        }
        Some(spec)
    }

    /// A deploy without a command lands the branch and no more; that is shown.
    fn only_merges(&mut self, name: &StageName) -> bool {
        let only = name.as_str() == "deploy"
            && self.settings.deploy.command.is_none()
            && !self.has_producer(name);
        if only {
            let reason = "no [deploy] command: the stage only merges".to_owned();
            self.left_out.push(LeftOut { stage: name.clone(), reason });
        }
        only
    }

    fn standard_stage(&self, name: &StageName, work: &StageWork) -> StageSpec {
        let covered = match work.producer {
            TEST_RUNNER => {
                self.settings.test_runner.covers(self.repo)
                    && self.settings.test_runner.command.is_some()
            }
            STAGING_RUNNER => {
                self.settings.staging_runner.covers(self.repo)
                    && self.settings.staging_runner.command.is_some()
            }
            _ => true,
        };
        let producer = match work.fallback {
            Some(agent) if !covered => Producer::Agent(word(agent)),
            _ if RESERVED_AGENTS.contains(&work.producer) => Producer::Runner(word(work.producer)),
            _ => Producer::Agent(word(work.producer)),
        };
        StageSpec {
            name: name.clone(),
            producer,
            gate: work.gate,
            on_fail: match work.on_fail {
                DefaultOnFail::Retry => OnFail::Retry,
                DefaultOnFail::Bounce(to) => OnFail::Bounce(word(to)),
                DefaultOnFail::Hold => OnFail::Hold,
            },
            next: None,
            attempts: 1,
            merges: work.producer == DEPLOY_FINALIZER,
            writes_code: name.as_str() == "development",
            labels: self.settings.repository.labels.clone(),
        }
    }

    fn own_stage(&mut self, name: &Placed<StageName>, table: &StageTable) -> Option<StageSpec> {
        let human = table.producer.as_ref().is_some_and(|producer| producer.value == "human");
        let no_gate = table.gate.is_none() && !human;
        for (field, missing) in [("producer", table.producer.is_none()), ("gate", no_gate)] {
            if missing {
                let message = format!("[stage.{}] has no `{field}`", name.value);
                let hint = Some("a stage of one's own needs producer and gate".to_owned());
                self.error(&table.place, message, hint);
            }
        }
        (table.producer.is_some() && !no_gate).then(|| StageSpec {
            name: name.value.clone(),
            producer: Producer::Human,
            gate: Gate::HumanApproved,
            on_fail: OnFail::Retry,
            next: None,
            attempts: 1,
            merges: false,
            writes_code: false,
            labels: self.settings.repository.labels.clone(),
        })
    }

    fn change(&mut self, spec: &mut StageSpec, table: &StageTable) {
        if let Some(producer) = &table.producer {
            self.set_producer(spec, producer, table.gate.is_some());
        }
        if let Some(gate) = &table.gate {
            if let Some(known) = Gate::by_name(&gate.value) {
                spec.gate = known;
            } else {
                let near = nearest(&gate.value, Gate::ALL.iter().map(|known| known.name()));
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                self.error(&gate.place, format!("unknown gate `{}`", gate.value), hint);
            }
        }
        if let Some(on_fail) = &table.on_fail {
            self.set_on_fail(spec, on_fail);
        }
        if let Some(next) = &table.next {
            spec.next = match next.value.as_str() {
                DONE => None,
                text => match StageName::new(text) {
                    Ok(name) => Some(name),
                    Err(error) => return self.error(&next.place, error.to_string(), None),
                },
            };
        }
        if let Some(labels) = &table.labels {
            spec.labels.clone_from(&labels.value);
        }
        spec.attempts = table.attempts.as_ref().map_or(spec.attempts, |attempts| attempts.value);
        spec.writes_code =
            table.writes.as_ref().map_or(spec.writes_code, |writes| writes.value == Writes::Code);
    }

    fn set_on_fail(&mut self, spec: &mut StageSpec, on_fail: &Placed<String>) {
        spec.on_fail = match on_fail.value.split_once(':') {
            None if on_fail.value == "retry" => OnFail::Retry,
            None if on_fail.value == "hold" => OnFail::Hold,
            Some(("bounce", to)) => match StageName::new(to) {
                Ok(to) => OnFail::Bounce(to),
                Err(error) => return self.error(&on_fail.place, error.to_string(), None),
            },
            _ => {
                let hint = Some("retry, hold or bounce:STAGE".to_owned());
                return self.error(
                    &on_fail.place,
                    format!("`{}` is not known here", on_fail.value),
                    hint,
                );
            }
        };
    }

    /// Where a fault of the structure is to be mended: the field, else the table, else the list.
    fn place_of(
        &self,
        stage: Option<&StageName>,
        field: &str,
        listed: &[Placed<StageName>],
    ) -> Place {
        let whole = || match &self.settings.pipeline.stages {
            Some(stages) => stages.place.clone(),
            None => Place::File { path: self.settings.file.clone() },
        };
        let Some(stage) = stage else { return whole() };
        let field = self.table(stage).and_then(|table| match field {
            "next" => table.next.as_ref().map(|next| next.place.clone()),
            "on_fail" => table.on_fail.as_ref().map(|on_fail| on_fail.place.clone()),
            "gate" => {
                table.gate.as_ref().or(table.producer.as_ref()).map(|gate| gate.place.clone())
            }
            "attempts" => table.attempts.as_ref().map(|attempts| attempts.place.clone()),
            "writes" => table.writes.as_ref().map(|writes| writes.place.clone()),
            _ => None,
        });
        // A stage that stands twice is at fault at its second place.
        let in_list =
            || listed.iter().rev().find(|name| name.value == *stage).map(|name| name.place.clone());
        field.or_else(in_list).unwrap_or_else(whole)
    }

    fn error(&mut self, place: &Place, message: String, hint: Option<String>) {
        self.errors.push(SettingsError::new(place.clone(), message, hint));
    }
}

/// A stage that lands the branch and no more; what can't land goes back to where code is written.
fn merging(name: &StageName) -> StageSpec {
    StageSpec {
        name: name.clone(),
        producer: Producer::MergeOnly,
        gate: Gate::Merged,
        on_fail: OnFail::Hold,
        next: None,
        attempts: 1,
        merges: true,
        writes_code: false,
        labels: BTreeSet::new(),
    }
}

/// A name out of the standard table.
fn word<T: std::str::FromStr>(text: &str) -> T {
    match text.parse() {
        Ok(name) => name,
        Err(_) => unreachable!("the names of the standard table are valid"),
    }
}

mod producer;
#[cfg(test)]
mod tests;
