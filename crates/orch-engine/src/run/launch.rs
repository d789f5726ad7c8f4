//! `launch_job`: the single place that starts a producer (S6). Reserved agents are intercepted
//! here, before anything that could be an LLM is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_agents::{LaunchContext, Session};
use orch_core::ids::Revision;
use orch_core::llm::CallSite;
use orch_core::pipeline::{Producer, StageSpec};
use orch_core::process::{DiskLimit, ProcessIdentity};
use orch_core::session::RunSession;
use orch_process::{Revocation, RunDir, RunSpec};
use orch_store::NewLlmCall;

use super::prepare::Workplace;
use super::work::{GRACE, Work};
use super::{Halt, Owned, question, rooms, sandbox, session};
use crate::accounts;
use crate::brief;
use crate::engine::Engine;
use crate::repo_config::{AgentConfig, RepoConfig};
use crate::runners::{self, RunnerKind};

/// Output kept of one run; a runaway agent must not fill the disk.
const LOG_LIMIT: u64 = 256 * 1024 * 1024;

/// Starts the job's producer under a supervisor of its own and records which process it is.
pub fn launch_job(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    place: &Workplace,
) -> Result<(), Halt> {
    let dir = RunDir::new(engine.home.run(&owned.owner.run_id));
    let runner = RunnerKind::by_name(&owned.job.agent);
    if let Some(channel) = runner.and_then(|kind| kind.channel(config)) {
        engine.store.stamp_channel(&owned.fence(), &channel)?;
    }
    let work = match runner {
        Some(kind) => runners::work(engine, owned, kind, config, place)?,
        None => agent_work(engine, owned, stage, config, place, &dir)?,
    };
    let work = sandbox::confine(engine, owned, config, place, work)?;
    let disk = disk_limit(
        config,
        [
            place.worktree.path().to_owned(),
            engine.home.lent(&owned.task.key),
            dir.path().to_owned(),
        ],
    );
    let spec = spec(owned, place.worktree.path().to_owned(), work, disk);
    match start(engine, config, &dir, &spec)? {
        Some(supervisor) => Ok(engine.store.stamp_process(&owned.fence(), &supervisor)?),
        None => Ok(()),
    }
}

/// Starts a run's supervisor. A launch that failed may have started the run all the same, which
/// taking its claim away tells: then nobody is named.
fn start(
    engine: &Engine,
    config: &RepoConfig,
    dir: &RunDir,
    spec: &RunSpec,
) -> Result<Option<ProcessIdentity>, Halt> {
    let masks = engine.masks(&config.settings.redact);
    let error = match orch_process::launch(&engine.program, dir, spec, &masks) {
        Ok(supervisor) => return Ok(Some(supervisor)),
        Err(error) => error,
    };
    match orch_process::revoke(dir) {
        Ok(Revocation::AlreadyStarted) => Ok(None),
        Ok(Revocation::Revoked) | Err(_) => Err(Halt::moment(format!(
            "the run's supervisor could not be started: {}",
            crate::error::chain(&error)
        ))),
    }
}

fn agent_work(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    place: &Workplace,
    dir: &RunDir,
) -> Result<Work, Halt> {
    let Producer::Agent(_) = &stage.producer else {
        return Err(Halt::environment(format!("{} is not worked by an agent", stage.name)));
    };
    let agent = config.agent(owned.settings()).map_err(Halt::environment)?;
    let descriptor = agent.adapter.descriptor;
    let session = session::choose(engine, owned, &agent)?;
    let resumed = matches!(session, Session::Resume { .. });
    let brief = brief::render(engine, owned, stage, config, place, resumed)?;
    clear_own_artifacts(stage, place)?;
    let brief_file = dir.path().join("brief.md");
    let write = |error| Halt::moment(format!("the brief {}: {error}", brief_file.display()));
    std::fs::create_dir_all(dir.path()).map_err(write)?;
    std::fs::write(&brief_file, brief).map_err(write)?;
    let mut inherited_env = inherited(engine, &agent);
    let rooms = rooms::furnish(engine, owned, &agent, &mut inherited_env)?;
    let context = LaunchContext {
        task: owned.task.key.clone(),
        title: owned.task.title.clone(),
        stage: stage.name.clone(),
        agent: owned.job.agent.clone(),
        attempt: owned.attempt,
        run_id: owned.owner.run_id.clone(),
        worktree: place.worktree.path().to_owned(),
        artifact_dir: place.artifacts.clone(),
        brief_file,
        base_dir: config.base_dir.clone(),
        orch_program: engine.program.clone(),
        home: rooms.home.clone(),
        temp: rooms.temp.clone(),
        session,
        stall: agent.stall,
        inherited_env,
    };
    let site = CallSite::work(&stage.name, &owned.job.agent);
    let plan = orch_agents::plan(site, &agent.adapter, &context)
        .map_err(|e| Halt::environment(crate::error::chain(&e)))?;
    rooms::put(&rooms, &plan.files)?;
    if let Some(id) = &plan.session {
        // Known before the start, so that it is not lost with whoever watches the run.
        let adapter = descriptor.adapter.name().to_owned();
        let session = RunSession { adapter, id: id.clone() };
        engine.store.stamp_session(&owned.fence(), &session)?;
    }
    let call = NewLlmCall {
        call_id: owned.owner.run_id.clone(),
        call_site: plan.site.id(),
        agent: owned.settings().clone(),
        adapter: agent.kind.name(),
        account: owned
            .route
            .as_ref()
            .map_or_else(|| agent.account(&owned.task.repo), |route| route.account.clone()),
    };
    if let Some(route) = &owned.route {
        accounts::note_fallback(engine, owned, route)?;
    }
    engine.store.begin_llm_call(engine.clock.now(), &owned.fence(), &call)?;
    Ok(Work {
        argv: plan.argv,
        env: plan.env,
        stdin: Some(plan.stdin),
        timeout: agent.timeout,
        stall: agent.stall,
        grace: GRACE,
        polite: descriptor.polite.to_vec(),
        steps: (descriptor.steps)(agent.steps, agent.repeats),
    })
}

/// The part of the service's environment that an agent may see.
fn inherited(engine: &Engine, agent: &AgentConfig) -> BTreeMap<String, String> {
    let passes = agent.adapter.descriptor.passes.iter().map(|name| (*name).to_owned());
    let names: Vec<String> = passes.chain(agent.env.iter().cloned()).collect();
    engine.allowed_env(&names)
}

/// Somebody who works beside a run, in files of its own.
pub struct BesideWork<'a> {
    /// The job and task under a run id and a role of their own.
    pub own: &'a Owned,
    /// The run that decides.
    pub decides: &'a Owned,
    /// Where it works.
    pub tree: &'a Path,
    /// Where it leaves its artifacts.
    pub artifacts: &'a Path,
}

/// Starts a model that does a stage's work beside the runner that decides; says at which call site.
pub fn shadow_beside(
    engine: &Engine,
    work: &BesideWork<'_>,
    stage: &StageSpec,
    config: &RepoConfig,
    base: &Revision,
) -> Result<Option<CallSite>, Halt> {
    let site = CallSite::shadow(&stage.name, &work.own.job.agent);
    let brief = brief::beside(engine, work.own, stage, config, work.artifacts, base)?;
    model_beside(engine, work, stage, config, site, &brief, None)?;
    Ok(site)
}

/// Starts a model that explains what a runner found failing.
pub fn explain_beside(
    engine: &Engine,
    work: &BesideWork<'_>,
    stage: &StageSpec,
    config: &RepoConfig,
    brief: &str,
    limit: Duration,
) -> Result<(), Halt> {
    let site = CallSite::explain(&stage.name, &work.own.job.agent);
    model_beside(engine, work, stage, config, site, brief, Some(limit))
}

fn model_beside(
    engine: &Engine,
    work: &BesideWork<'_>,
    stage: &StageSpec,
    config: &RepoConfig,
    site: Option<CallSite>,
    brief: &str,
    limit: Option<Duration>,
) -> Result<(), Halt> {
    let site = site.ok_or_else(|| {
        Halt::environment(format!("no model may work beside the stage {}", stage.name))
    })?;
    let role = &work.own.job.agent;
    let agent = config.agent(role).map_err(Halt::environment)?;
    let dir = RunDir::new(engine.home.run(&work.own.owner.run_id));
    let brief_file = dir.path().join("brief.md");
    let write = |error| Halt::moment(format!("the brief {}: {error}", brief_file.display()));
    std::fs::create_dir_all(dir.path()).map_err(write)?;
    std::fs::write(&brief_file, brief).map_err(write)?;
    let mut inherited_env = inherited(engine, &agent);
    let rooms = rooms::furnish(engine, work.own, &agent, &mut inherited_env)?;
    let context = LaunchContext {
        task: work.own.task.key.clone(),
        title: work.own.task.title.clone(),
        stage: stage.name.clone(),
        agent: role.clone(),
        attempt: work.own.attempt,
        run_id: work.own.owner.run_id.clone(),
        worktree: work.tree.to_owned(),
        artifact_dir: work.artifacts.to_owned(),
        brief_file,
        base_dir: config.base_dir.clone(),
        orch_program: engine.program.clone(),
        home: rooms.home.clone(),
        temp: rooms.temp.clone(),
        session: session::fresh(engine),
        stall: agent.stall,
        inherited_env,
    };
    let plan = orch_agents::plan(site, &agent.adapter, &context)
        .map_err(|e| Halt::environment(crate::error::chain(&e)))?;
    rooms::put(&rooms, &plan.files)?;
    let call = NewLlmCall {
        call_id: work.own.owner.run_id.clone(),
        call_site: plan.site.id(),
        agent: role.clone(),
        adapter: agent.kind.name(),
        account: agent.account(&work.own.task.repo),
    };
    engine.store.begin_llm_call(engine.clock.now(), &work.decides.fence(), &call)?;
    let started = Work {
        argv: plan.argv,
        env: plan.env,
        stdin: Some(plan.stdin),
        timeout: limit.map_or(agent.timeout, |limit| limit.min(agent.timeout)),
        stall: agent.stall,
        grace: GRACE,
        polite: agent.adapter.descriptor.polite.to_vec(),
        steps: (agent.adapter.descriptor.steps)(agent.steps, agent.repeats),
    };
    start_beside(engine, work, config, &dir, started)
}

/// Starts a runner beside the model that decides.
pub fn runner_beside(
    engine: &Engine,
    work: &BesideWork<'_>,
    kind: RunnerKind,
    config: &RepoConfig,
    base: &Revision,
) -> Result<(), Halt> {
    let dir = RunDir::new(engine.home.run(&work.own.owner.run_id));
    let started = runners::work_on(engine, work.own, kind, config, base)?;
    start_beside(engine, work, config, &dir, started)
}

fn start_beside(
    engine: &Engine,
    beside: &BesideWork<'_>,
    config: &RepoConfig,
    dir: &RunDir,
    work: Work,
) -> Result<(), Halt> {
    let disk = disk_limit(config, [beside.tree.to_owned(), dir.path().to_owned()]);
    let spec = spec(beside.own, beside.tree.to_owned(), work, disk);
    start(engine, config, dir, &spec).map(drop)
}

/// What a run may take up on the disk with these folders.
fn disk_limit<const N: usize>(config: &RepoConfig, roots: [PathBuf; N]) -> Option<DiskLimit> {
    let bytes = config.settings.sandbox.disk?;
    Some(DiskLimit { roots: roots.into(), bytes })
}

fn spec(owned: &Owned, cwd: PathBuf, work: Work, disk: Option<DiskLimit>) -> RunSpec {
    work.spec(owned.owner.run_id.clone(), cwd, disk, LOG_LIMIT)
}

/// A verdict has to be of this run: what an earlier attempt left at this stage is taken away
/// first, so that an agent which does nothing can't pass on it.
fn clear_own_artifacts(stage: &StageSpec, place: &Workplace) -> Result<(), Halt> {
    let own = runners::artifact_names(stage).iter().chain(&[question::FILE]);
    for name in own {
        let path = place.artifacts.join(name);
        let gone = match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => std::fs::remove_dir_all(&path),
            Ok(_) => std::fs::remove_file(&path),
            Err(error) => Err(error),
        };
        match gone {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Halt::moment(format!("the old artifact {}: {error}", path.display())));
            }
            _ => {}
        }
    }
    Ok(())
}
