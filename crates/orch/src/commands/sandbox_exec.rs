//! `orch sandbox-exec`: puts a run's sandbox up and becomes its program. Started by supervisors
//! only.

use std::path::PathBuf;
use std::process::ExitCode;

use orch_process::sandbox::{self, Call};

/// Put a sandbox up and become a run's program (started by the service).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan of the sandbox.
    #[arg(required_unless_present = "relay")]
    plan: Option<PathBuf>,
    /// The port of the proxy that the run may reach.
    #[arg(long, value_name = "PORT", conflicts_with = "relay")]
    proxy_port: Option<u16>,
    /// Inside the sandbox: the socket of the proxy.
    #[arg(long, value_name = "SOCKET")]
    relay: Option<PathBuf>,
    /// Inside the sandbox: the program and its arguments.
    #[arg(last = true, requires = "relay")]
    argv: Vec<String>,
}

/// What a shell says of a program that may not be executed: the environment's fault, never the
/// work's.
const CANNOT_EXECUTE: u8 = 126;

/// Runs the program.
pub fn run(args: Args) -> ExitCode {
    let call = match (args.plan, args.proxy_port, args.relay) {
        (Some(plan), Some(port), _) => Call::Proxied(plan, port),
        (Some(plan), None, _) => Call::Outside(plan),
        (None, _, relay) => Call::Inside(relay.unwrap_or_default(), args.argv),
    };
    match sandbox::run(call) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let source = std::error::Error::source(&error);
            let source = source.map(|source| format!(": {source}")).unwrap_or_default();
            eprintln!("orch sandbox-exec: {error}{source}");
            ExitCode::from(CANNOT_EXECUTE)
        }
    }
}
