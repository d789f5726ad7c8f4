//! The brief of an agent's run: the task, what came before, what the gate will check, why it came
//! back.

use std::path::Path;

use orch_agents::{BriefContext, EarlierArtifact, default_template, gate_asks};
use orch_core::artifact::ArtifactContent;
use orch_core::ids::{Revision, WORK_ITEMS_DIR};
use orch_core::pipeline::StageSpec;

use crate::artifacts::read_set;
use crate::engine::Engine;
use crate::error::chain;
use crate::repo_config::RepoConfig;
use crate::run::prepare::Workplace;
use crate::run::{Halt, Owned};
use crate::runners;

/// Where a repository keeps prompts of its own, relative to its `orch.toml`. Never read from a
/// task's branch, where an agent could write the next agent's orders.
const PROMPTS: &str = ".orch/prompts";

/// Renders the brief; `resumed` says that the agent has an earlier conversation about the task.
pub fn render(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    place: &Workplace,
    resumed: bool,
) -> Result<String, Halt> {
    rendered(engine, owned, stage, config, &place.artifacts, &place.base, resumed)
}

/// Renders the brief of somebody who works in other files than the task's.
pub fn beside(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    artifacts: &Path,
    base: &Revision,
) -> Result<String, Halt> {
    rendered(engine, owned, stage, config, artifacts, base, false)
}

fn rendered(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    artifacts: &Path,
    base: &Revision,
    resumed: bool,
) -> Result<String, Halt> {
    let role = &owned.job.agent;
    let template = template(config, owned)?;
    let task = &owned.task;
    let context = BriefContext {
        task: task.key.clone(),
        title: task.title.clone(),
        body: task.body.clone(),
        stage: stage.name.clone(),
        role: role.clone(),
        attempt: owned.attempt,
        repo: task.repo.clone(),
        branch: task.key.branch(),
        artifact_dir: format!("{WORK_ITEMS_DIR}/{}", task.key),
        artifacts_expected: runners::artifact_names(stage)
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        gate_name: stage.gate.name().to_owned(),
        gate_asks: gate_asks(stage.gate),
        earlier: earlier(artifacts),
        feedback: task.progress.feedback.clone(),
        base_commit: Some(base.clone()),
        resumed,
    };
    let brief = orch_agents::render(&template, &context)
        .map_err(|error| Halt::environment(chain(&error)))?;
    // What it quotes may hold a secret that the task's author, or an agent, let slip.
    Ok(engine.masks(&config.settings.redact).text(&brief).into_owned())
}

fn template(config: &RepoConfig, owned: &Owned) -> Result<String, Halt> {
    let role = &owned.job.agent;
    let own = config.agent(role).ok().and_then(|agent| agent.prompt);
    let name = own.clone().unwrap_or_else(|| Path::new(PROMPTS).join(format!("{role}.md.j2")));
    let path = config.base_dir.join(&name);
    match std::fs::read_to_string(&path) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Halt::environment(format!("the prompt {}: {error}", path.display())));
        }
    }
    if own.is_some() {
        return Err(Halt::environment(format!(
            "[agents.{role}] prompt {} is not there",
            name.display()
        )));
    }
    default_template(role).map(ToOwned::to_owned).ok_or_else(|| {
        Halt::environment(format!("no prompt for {role}: write {PROMPTS}/{role}.md.j2"))
    })
}

fn earlier(artifacts: &Path) -> Vec<EarlierArtifact> {
    read_set(artifacts)
        .iter()
        .filter_map(|(name, content)| match content {
            ArtifactContent::Text(bytes) => Some(EarlierArtifact {
                name: name.to_owned(),
                text: String::from_utf8_lossy(bytes).into_owned(),
            }),
            _ => None,
        })
        .collect()
}
