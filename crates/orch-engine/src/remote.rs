//! Commands that run on another machine: what is ordered, and what their end means.
//!
//! A remote command is a run like any other: its supervisor starts `orch remote-runner`, which
//! keeps to the order in the run's directory, so that limits, log, adoption after a restart and
//! ending work as they do for a command of this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use orch_core::ids::{Revision, RunId, TaskKey};
use orch_core::outcome::Outcome;
use orch_core::process::RunExit;
use orch_core::remote::{RemoteEnd, SshTarget};
use orch_core::settings::CommandLine;
use orch_git::Objects;
use orch_process::RunDir;
use orch_process::ssh::{self, Client, Order};

use crate::engine::Engine;
use crate::error::chain;
use crate::far_sides;
use crate::run::Halt;
use crate::run::work::Work;

/// A command for another machine.
#[derive(Debug)]
pub struct RemoteCommand<'a> {
    /// The machine.
    pub target: &'a SshTarget,
    /// What runs there.
    pub command: &'a CommandLine,
    /// What is added to the far side's environment; nothing else of ours reaches it.
    pub env: BTreeMap<String, String>,
    /// What it works on; its result frame has to name it.
    pub revision: Option<&'a Revision>,
    /// Where the revision's files are taken from, to be sent along for the command to start in;
    /// `None` starts it in the user's home there.
    pub files: Option<&'a Objects>,
    /// The absolute limit.
    pub timeout: Duration,
    /// Earlier runs of the same work with their directories here, newest first: one that was lost
    /// sight of is attached to, the others are ended before this one starts.
    pub earlier: &'a [(RunId, RunDir)],
    /// Whose work it is: once that task is over, nothing of it may be left there.
    pub task: &'a TaskKey,
}

/// From the polite signal to the last one: time to end the far side as well.
const GRACE: Duration = Duration::from_secs(15);
/// How much longer than here a run may last on the far side, where a lost link leaves it alone.
const BEYOND: Duration = Duration::from_mins(1);

/// Writes the order for a run in this directory and gives what its supervisor is to start. The id
/// names the run on the far side: each command there has one of its own.
pub fn order(
    engine: &Engine,
    dir: &RunDir,
    run_id: &RunId,
    command: &RemoteCommand<'_>,
) -> Result<Work, Halt> {
    let unwritten =
        |error: std::io::Error| Halt::moment(format!("{}: {error}", dir.path().display()));
    std::fs::create_dir_all(dir.path()).map_err(unwritten)?;
    let tree = match (command.files, command.revision) {
        (Some(objects), Some(revision)) => {
            let path = dir.path().join("tree.tar");
            objects.archive(revision, &path)?;
            Some(path)
        }
        _ => None,
    };
    let mut order = Order {
        run_id: run_id.clone(),
        nonce: ssh::nonce().map_err(unwritten)?,
        client: client(engine, command.target),
        argv: command.command.argv(),
        env: command.env.clone(),
        revision: command.revision.cloned(),
        tree,
        limit_s: (command.timeout + BEYOND).as_secs(),
        reattach_ms: engine.settings.ssh.reattach.as_millis() as u64,
        earlier: Vec::new(),
    };
    let earlier = |(run, dir): &(RunId, RunDir)| order.earlier(run, dir);
    order.earlier = command.earlier.iter().map(earlier).collect();
    order.write(dir).map_err(unwritten)?;
    far_sides::ordered(engine, dir, &order, command.task).map_err(unwritten)?;
    let (argv, env) = (Order::argv(&engine.program, dir), engine.allowed_env(&[]));
    Ok(Work { grace: GRACE, ..Work::command(argv, env, command.timeout) })
}

/// How a machine is reached.
pub fn client(engine: &Engine, target: &SshTarget) -> Client {
    Client::new(target, &engine.settings.ssh, &engine.home.ssh())
}

/// The end of the command itself, for a run whose order was remote; the outcome where it had none.
/// A run of this machine is given back as it is.
pub fn resolve(engine: &Engine, dir: &RunDir, exit: RunExit) -> Result<RunExit, Outcome> {
    if !is_remote(dir.path()) {
        return Ok(exit);
    }
    let Some(order) = Order::read(dir) else {
        let reason = "the order of the remote run can't be read any more".to_owned();
        return Err(Outcome::TransientInfra { reason });
    };
    let end = Order::end(dir);
    match &end {
        Some(RemoteEnd::Faulty(fault)) => engine.channels.suspect(order.target(), fault),
        Some(RemoteEnd::Framed(_)) => far_sides::over(engine, &order.run_id),
        Some(RemoteEnd::Ended { .. }) | None => {}
    }
    let limit_ms = order.limit_s.saturating_mul(1000);
    RemoteEnd::resolve(end.as_ref(), order.target(), limit_ms, exit)
}

fn is_remote(dir: &Path) -> bool {
    dir.join("remote.json").symlink_metadata().is_ok()
}

/// Sees whether work could be started on a machine; gives what was seen.
pub fn look(engine: &Engine, target: &SshTarget) -> Result<String, orch_core::remote::Fault> {
    if let Err(error) = std::fs::create_dir_all(engine.home.ssh()) {
        tracing::warn!(error = chain(&error), "no folder for shared connections");
    }
    ssh::check(&client(engine, target), &|| engine.wake.stopping())
}
