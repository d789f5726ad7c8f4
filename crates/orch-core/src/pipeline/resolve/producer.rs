//! Who works a stage: what `producer` says, and whether that producer is there.

use super::{Resolver, merging, word};
use crate::ids::AgentName;
use crate::pipeline::{Producer, StageSpec};
use crate::settings::{Place, Placed};
use crate::stage::{
    AGENT_ROLES, DEPLOY_FINALIZER, Gate, RESERVED_AGENTS, STAGE_TRANSITIONS, STAGING_RUNNER,
    TEST_RUNNER,
};

impl Resolver<'_> {
    pub(super) fn set_producer(
        &mut self,
        spec: &mut StageSpec,
        producer: &Placed<String>,
        gate_given: bool,
    ) {
        let text = producer.value.as_str();
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        spec.producer = match (kind, AgentName::new(name)) {
            ("human", _) if name.is_empty() => {
                if !gate_given {
                    spec.gate = Gate::HumanApproved;
                }
                Producer::Human
            }
            ("merge", _) if name.is_empty() => {
                *spec = StageSpec {
                    next: spec.next.clone(),
                    attempts: spec.attempts,
                    ..merging(&spec.name)
                };
                Producer::MergeOnly
            }
            ("agent", Ok(role)) if !is_taken(role.as_str()) => Producer::Agent(role),
            ("runner", Ok(runner))
                if [TEST_RUNNER, STAGING_RUNNER, DEPLOY_FINALIZER].contains(&runner.as_str()) =>
            {
                Producer::Runner(runner)
            }
            _ => {
                let hint = format!(
                    "agent:ROLE, runner:{TEST_RUNNER}, runner:{STAGING_RUNNER}, runner:{DEPLOY_FINALIZER}, human or merge"
                );
                return self.error(
                    &producer.place,
                    format!("`{text}` is not a producer"),
                    Some(hint),
                );
            }
        };
        self.runner_can_work(spec, producer);
    }

    /// A runner that is switched off, or not for this repository, gives its stage to the agent; one
    /// without a command is a mistake.
    pub(super) fn runner_can_work(&mut self, spec: &mut StageSpec, producer: &Placed<String>) {
        let Producer::Runner(runner) = &spec.producer else { return };
        let settings = self.settings;
        let (there, covers, section) = match runner.as_str() {
            TEST_RUNNER => {
                let runner = &settings.test_runner;
                (runner.command.is_some(), runner.covers(self.repo), "test_runner")
            }
            STAGING_RUNNER => {
                let runner = &settings.staging_runner;
                (runner.command.is_some(), runner.covers(self.repo), "staging_runner")
            }
            _ => (settings.deploy.command.is_some(), true, "deploy"),
        };
        if !covers {
            let rows = STAGE_TRANSITIONS.iter().filter_map(|row| row.work);
            let fallback =
                rows.filter(|work| work.producer == runner.as_str()).find_map(|work| work.fallback);
            spec.producer = Producer::Agent(word(fallback.unwrap_or("tester")));
        } else if !there {
            let hint = Some(format!("set [{section}] command"));
            let message = format!("{runner} has no command to run");
            self.error(&producer.place, message, hint);
        }
    }

    pub(super) fn agent_is_there(&mut self, spec: &StageSpec, role: &AgentName, place: &Place) {
        match self.settings.agents.for_role(role) {
            None => {
                let message = format!(
                    "stage `{}` is worked by the agent {role}, and none is configured",
                    spec.name
                );
                let hint =
                    format!("set [agents.default] or [agents.{role}] in {}", self.settings.file);
                self.error(place, message, Some(hint));
            }
            Some(agent) if !AGENT_ROLES.contains(&role.as_str()) && agent.prompt.is_none() => {
                let message = format!(
                    "stage `{}` is worked by the agent {role}, which has no prompt",
                    spec.name
                );
                let hint = format!(
                    "set [agents.{role}] prompt, or take one of the roles {}",
                    AGENT_ROLES.join(", ")
                );
                self.error(place, message, Some(hint));
            }
            Some(_) => {}
        }
    }
}

/// Names that stand for something else than an agent's role.
fn is_taken(role: &str) -> bool {
    RESERVED_AGENTS.contains(&role) || matches!(role, "human" | "default")
}
