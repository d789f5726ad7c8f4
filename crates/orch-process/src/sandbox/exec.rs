//! `orch sandbox-exec`: puts a plan into force and becomes the run's program. Where the plan allows
//! some hosts only, it stays as the proxy to them.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use serde::{Deserialize, Serialize};

use super::egress::{Egress, proxy_environment};
use super::{Confinement, Enforcer, Network, bwrap, confine, relay};
use crate::fsio;

/// What is to be executed, and how confined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execute {
    /// What enforces the plan.
    pub enforcer: Enforcer,
    /// The plan.
    pub plan: Confinement,
    /// Where the program starts.
    pub cwd: PathBuf,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The `orch` binary, where it has to be started once more.
    pub orch: PathBuf,
}

/// Why nothing was executed: always the machine's or the settings' fault.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The plan's file can't be used.
    #[error("the sandbox's plan {} can't be read", .0.display())]
    Plan(PathBuf, #[source] std::io::Error),
    /// The sandbox can't be put up.
    #[error("sandbox: {0}")]
    Enforce(String),
    /// A program can't be started.
    #[error("{0} can't be started")]
    Start(String, #[source] std::io::Error),
}

impl Execute {
    /// Writes it where [`run`] reads it.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        fsio::write_atomic(path, &serde_json::to_vec(self)?)
    }
}

/// How `orch sandbox-exec` was called.
#[derive(Debug, Clone)]
pub enum Call {
    /// With a plan, from outside.
    Outside(PathBuf),
    /// With a plan, a proxy listening on this port already.
    Proxied(PathBuf, u16),
    /// Within namespaces of its own, the proxy behind this socket.
    Inside(PathBuf, Vec<String>),
}

/// Becomes the run's program, or stays beside it and gives its exit code.
pub fn run(call: Call) -> Result<u8, ExecError> {
    match call {
        Call::Outside(plan) => outside(&plan),
        Call::Proxied(plan, port) => {
            let execute = read(&plan)?;
            confine::confine(&execute.plan, Some(port)).map_err(ExecError::Enforce)?;
            let environment = proxy_environment(port);
            become_program(&execute.argv, &environment).map(|never| match never {})
        }
        Call::Inside(socket, argv) => {
            let port = relay::start(&socket).map_err(|e| start_error("the relay", e))?;
            let mut command = command(&argv);
            command.envs(proxy_environment(port));
            stay_beside(&mut command, &argv)
        }
    }
}

fn outside(plan: &Path) -> Result<u8, ExecError> {
    let execute = read(plan)?;
    match (execute.enforcer, &execute.plan.network) {
        (enforcer, Network::Only(hosts)) => {
            let egress = Egress::new(hosts.clone());
            proxied(&execute, plan, enforcer, egress)
        }
        (Enforcer::Bubblewrap, _) => {
            let line = bwrap::command(&execute.plan, &execute.cwd, &execute.argv);
            become_program(&line, &[]).map(|never| match never {})
        }
        (Enforcer::Landlock, _) => {
            confine::confine(&execute.plan, None).map_err(ExecError::Enforce)?;
            become_program(&execute.argv, &[]).map(|never| match never {})
        }
    }
}

fn proxied(
    execute: &Execute,
    plan: &Path,
    enforcer: Enforcer,
    egress: Egress,
) -> Result<u8, ExecError> {
    let orch = execute.orch.to_string_lossy().into_owned();
    let line = match enforcer {
        Enforcer::Bubblewrap => {
            let socket = execute.plan.tmp.join(SOCKET);
            egress.serve_unix(&socket).map_err(|e| start_error("the proxy", e))?;
            // The run's own folder for temporary files is `/tmp` inside.
            let inside = format!("/tmp/{SOCKET}");
            let mut argv = vec![orch, "sandbox-exec".into(), "--relay".into(), inside, "--".into()];
            argv.extend(execute.argv.iter().cloned());
            bwrap::command(&execute.plan, &execute.cwd, &argv)
        }
        Enforcer::Landlock => {
            let port = egress.serve_tcp().map_err(|e| start_error("the proxy", e))?;
            let plan = plan.to_string_lossy().into_owned();
            vec![orch, "sandbox-exec".into(), "--proxy-port".into(), port.to_string(), plan]
        }
    };
    stay_beside(&mut command(&line), &line)
}

/// The proxy's socket, within the run's folder for temporary files.
const SOCKET: &str = ".egress.sock";

fn read(plan: &Path) -> Result<Execute, ExecError> {
    let failed = |error| ExecError::Plan(plan.to_owned(), error);
    let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
    fsio::read_json(plan).and_then(|read| read.ok_or_else(missing)).map_err(failed)
}

fn command(argv: &[String]) -> Command {
    let (program, arguments) = argv.split_first().map_or(("", &[][..]), |(p, a)| (p.as_str(), a));
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn become_program(
    argv: &[String],
    environment: &[(&'static str, OsString)],
) -> Result<Infallible, ExecError> {
    let mut command = command(argv);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let error = command.exec();
    Err(start_error(&name(argv), error))
}

fn stay_beside(command: &mut Command, argv: &[String]) -> Result<u8, ExecError> {
    let status = command.status().map_err(|error| start_error(&name(argv), error))?;
    Ok(code(status))
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn name(argv: &[String]) -> String {
    argv.first().cloned().unwrap_or_default()
}

fn start_error(what: &str, error: std::io::Error) -> ExecError {
    ExecError::Start(what.to_owned(), error)
}
