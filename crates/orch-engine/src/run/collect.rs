//! What a run left behind becomes commits on the task's branch, and the gate's verdict on them.
//! Done again after a crash it comes to the same end.

use orch_core::decide::RunReport;
use orch_core::gate::BranchEvidence;
use orch_core::ids::Revision;
use orch_core::outcome::{AgentEnd, Outcome, Worked, classify};
use orch_core::pipeline::StageSpec;
use orch_core::process::{ExitCause, RunExit};
use orch_core::stage::Gate;
use orch_core::task::Tested;
use orch_core::verdict::Verdict;
use orch_git::{CommitScope, Worktree};
use orch_process::RunDir;

use super::{Ended, Halt, Owned, beside, judge, prepare, question, sandbox, told};
use crate::deploy::DeployLog;
use crate::engine::Engine;
use crate::remote;
use crate::repo_config::RepoConfig;
use crate::runners::{self, RunnerKind};

/// Turns a run's exit into its report.
pub fn collect(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    base: &Revision,
    exit: &RunExit,
) -> Result<Ended, Halt> {
    orch_process::sweep(&owned.owner.run_id);
    if matches!(exit.cause, ExitCause::OverDisk { .. }) {
        return throw_away(engine, owned, base, exit);
    }
    let worktree = engine.worktree_left(owned)?;
    sandbox::release(engine, owned, &worktree)?;
    match RunnerKind::by_name(&owned.job.agent) {
        Some(kind) => runner(engine, owned, stage, config, kind, &worktree, base, exit),
        None => agent(engine, owned, stage, config, &worktree, base, exit),
    }
}

/// The end of a run that filled the disk: nothing of it is kept, neither files nor commits, for all
/// of it may be too large for git, and would be pushed.
fn throw_away(
    engine: &Engine,
    owned: &Owned,
    base: &Revision,
    exit: &RunExit,
) -> Result<Ended, Halt> {
    orch_git::remove_all(&engine.home.lent(&owned.task.key))?;
    engine.worktree(owned)?.uncommit(base)?;
    if !engine.remove_worktree(&owned.task) {
        return Err(Halt::moment("what a run had filled the disk with could not be removed"));
    }
    let outcome = classify(Worked::Agent, exit);
    let verdict = Verdict::refused("the run was killed for filling the disk");
    let report = RunReport { outcome, verdict, head: Some(base.clone()), tested: None };
    Ok(Ended::Worked { report, gate: None, judged: None, fault: None })
}

fn agent(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    worktree: &Worktree,
    base: &Revision,
    exit: &RunExit,
) -> Result<Ended, Halt> {
    let agent = config.agent(owned.settings()).map_err(Halt::environment)?;
    let descriptor = agent.adapter.descriptor;
    let told = told::read(engine, owned, descriptor)?;
    let artifacts = worktree.path().join(owned.task.key.artifact_dir());
    let question = question::take(&RunDir::new(engine.home.run(&owned.owner.run_id)), &artifacts)
        .map(|text| engine.masks(&config.settings.redact).text(&text).into_owned());
    let changed = question.is_some() || changed(owned, worktree, base)?;
    let end = AgentEnd::of(exit, &told.told, descriptor.demands, changed);
    tracing::info!(task.key = %owned.task.key, run.id = %owned.owner.run_id, agent.end = end.word(), agent.tools = told.tool_calls, agent.retries = told.retries, "the agent's run ended");
    let outcome = match (question, told::outcome(engine, owned, &end)?) {
        (Some(question), Outcome::SuiteRan { .. }) => Outcome::NeedsInput { question },
        (_, outcome) => outcome,
    };
    let ran = matches!(outcome, Outcome::SuiteRan { .. });
    let head = save(owned, stage, worktree, base, ran)?;
    engine.push(owned, worktree, &head)?;
    let verdict = if ran {
        // Only this gate looks at the branch; the others need not pay for asking git.
        let branch = match stage.gate {
            Gate::DevelopmentComplete => Some(branch_evidence(owned, worktree, &head)?),
            _ => None,
        };
        let verdict = judge::judge(engine, owned, stage, config, base, branch.as_ref());
        undisturbed(worktree, verdict)?
    } else {
        Verdict::refused("the agent did not come to its own end")
    };
    let tested = tested(stage, worktree, base)?;
    let report = RunReport { outcome, verdict, head: Some(head.clone()), tested };
    let (gate, judged) = (ran.then_some(stage.gate), Some(head));
    Ok(Ended::Worked { report, gate, judged, fault: end.fault() })
}

/// Whether the run left anything for a gate to judge: a commit, or a change of a file. Artifacts of
/// an earlier attempt that are gone were taken away before it began.
fn changed(owned: &Owned, worktree: &Worktree, base: &Revision) -> Result<bool, Halt> {
    if worktree.head()? != *base {
        return Ok(true);
    }
    let artifacts = format!("{}/", owned.task.key.artifact_dir());
    let entries = worktree.status_paths()?;
    Ok(entries.iter().any(|entry| !entry.is_deleted() || !entry.path().starts_with(&artifacts)))
}

/// Commits what the agent left, in the task's name. Who may not write code keeps only the
/// artifact folder; who moved the branch elsewhere has the branch put back under its changes.
fn save(
    owned: &Owned,
    stage: &StageSpec,
    worktree: &Worktree,
    base: &Revision,
    ran: bool,
) -> Result<Revision, Halt> {
    let key = &owned.task.key;
    let artifacts = key.artifact_dir();
    worktree.keep_base(base)?;
    if !stage.writes_code {
        let outside = worktree.changed_paths(base, &worktree.head()?)?;
        if outside.iter().any(|changed| !changed.path.starts_with(&format!("{artifacts}/"))) {
            worktree.uncommit(base)?;
        }
        worktree.discard_outside(&artifacts)?;
        if !ran {
            worktree.discard_all()?;
        }
    }
    let what = if ran {
        format!("{} by {}", stage.name, owned.job.agent)
    } else {
        format!("{}, unfinished", stage.name)
    };
    let message = format!("{key}: {what}\n\n{}\n\nRun: {}", owned.task.title, owned.owner.run_id);
    if stage.writes_code {
        if let Some(damage) = prepare::damage(worktree)? {
            worktree.discard_all()?;
            return Err(Halt::moment(format!("after the run {damage}")));
        }
        worktree.commit(&message, CommitScope::All)?;
        worktree.finished_starting_over()?;
    } else {
        worktree.commit(&message, CommitScope::Under(&artifacts))?;
    }
    Ok(worktree.head()?)
}

/// The verdict, unless the gate looked for what somebody took away under it: what it was to judge
/// is committed, so a worktree that differs from its commit was changed since, and a refusal by
/// that is nobody's retry.
fn undisturbed(worktree: &Worktree, verdict: Verdict) -> Result<Verdict, Halt> {
    if matches!(verdict, Verdict::Refused { .. }) && !worktree.is_clean()? {
        return Err(Halt::moment("the worktree was changed while its gate looked at it"));
    }
    Ok(verdict)
}

/// What a stage that tests has tested, should its gate pass.
fn tested(stage: &StageSpec, worktree: &Worktree, base: &Revision) -> Result<Option<Tested>, Halt> {
    if stage.gate != Gate::TestsPassed {
        return Ok(None);
    }
    Ok(Some(Tested { commit: base.clone(), code_tree: worktree.code_tree(base)? }))
}

fn branch_evidence(
    owned: &Owned,
    worktree: &Worktree,
    head: &Revision,
) -> Result<BranchEvidence, Halt> {
    let main = worktree.mirror().remote_head(&owned.repo.info.default_branch)?;
    let main = main.ok_or_else(|| {
        Halt::environment(format!("no branch {} any more", owned.repo.info.default_branch))
    })?;
    let fork = worktree.merge_base(&main, head)?.unwrap_or(main);
    let changed: Vec<String> =
        worktree.changed_paths(&fork, head)?.into_iter().map(|c| c.path).collect();
    let code: Vec<&String> = changed.iter().filter(|path| !prepare::is_artifact(path)).collect();
    let commits =
        if code.is_empty() { 0 } else { worktree.commits_between(&fork, head)?.len() as u32 };
    Ok(BranchEvidence {
        commits_ahead: commits,
        clean: worktree.is_clean()?,
        outside: Vec::new(),
        guard_findings: judge::guard(worktree.path(), &changed),
    })
}

#[expect(clippy::too_many_arguments, reason = "one call site; each is a different fact of the run")]
fn runner(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    kind: RunnerKind,
    worktree: &Worktree,
    base: &Revision,
    exit: &RunExit,
) -> Result<Ended, Halt> {
    let last = || runners::last_count(owned, kind, worktree, base);
    let resolved =
        remote::resolve(engine, &RunDir::new(engine.home.run(&owned.owner.run_id)), exit.clone());
    let (outcome, exit, suite) = match resolved {
        Ok(exit) => {
            let suite = runners::read_suite(engine, kind, config, owned, &exit);
            (runners::outcome(kind, config, &exit, &suite, last), exit, suite)
        }
        Err(outcome) => (outcome, exit.clone(), runners::ReadSuite::default()),
    };
    let (outcome, found) = runners::smoke(kind, config, outcome, &engine.wake);
    let Outcome::SuiteRan { exit_code } = outcome else {
        worktree.discard_all()?;
        let verdict = Verdict::refused("the suite did not run");
        let report = RunReport { outcome, verdict, head: None, tested: None };
        return Ok(Ended::Worked { report, gate: None, judged: None, fault: None });
    };
    let code_tree = worktree.code_tree(base)?;
    let worked = runners::SuiteEnd { exit: &exit, exit_code, suite: &suite.report, found: &found };
    let artifact = runners::artifact(kind, config, owned, base, &code_tree, &worked);
    let head = file(engine, owned, stage, worktree, base, (kind.artifact(), &artifact))?;
    let verdict = undisturbed(worktree, judge::judge(engine, owned, stage, config, base, None))?;
    let verdict = beside::explained(engine, owned, stage, config, base, &exit, verdict);
    let tested =
        (stage.gate == Gate::TestsPassed).then(|| Tested { commit: base.clone(), code_tree });
    let report = RunReport { outcome, verdict, head: Some(head), tested };
    let (gate, judged) = (Some(stage.gate), Some(base.clone()));
    Ok(Ended::Worked { report, gate, judged, fault: None })
}

/// Turns a deploy's end into its report.
pub fn deployed(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    base: &Revision,
    log: &DeployLog,
) -> Result<Ended, Halt> {
    let worktree = engine.worktree(owned)?;
    let artifact = log.artifact(owned, config, base);
    let name = RunnerKind::Deploy.artifact();
    let head = file(engine, owned, stage, &worktree, base, (name, &artifact))?;
    let verdict = judge::judge(engine, owned, stage, config, base, None);
    let outcome = Outcome::SuiteRan { exit_code: log.exit_code() };
    let report = RunReport { outcome, verdict, head: Some(head), tested: None };
    let (gate, judged) = (Some(stage.gate), Some(base.clone()));
    Ok(Ended::Worked { report, gate, judged, fault: None })
}

/// Commits a runner's artifact and pushes the branch; gives its new tip.
fn file(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    worktree: &Worktree,
    base: &Revision,
    (name, artifact): (&str, &str),
) -> Result<Revision, Halt> {
    let dir = owned.task.key.artifact_dir();
    // Whatever the suite changed or committed itself was not what it judged.
    worktree.uncommit(base)?;
    worktree.discard_all()?;
    judge::write(&worktree.path().join(&dir), name, artifact)?;
    let message = format!(
        "{}: {} by {}\n\nRun: {}",
        owned.task.key, stage.name, owned.job.agent, owned.owner.run_id
    );
    worktree.commit(&message, CommitScope::Under(&dir))?;
    let head = worktree.head()?;
    engine.push(owned, worktree, &head)?;
    Ok(head)
}
