//! `orch self deploy`: builds a revision of orch, installs it and has the service switched to it.
//! The service that started it ends meanwhile; this process and its supervisor do not.

use std::path::PathBuf;
use std::process::ExitCode;

use orch_core::ids::{Revision, VersionName};
use orch_launcher::{Prefix, Request, Switch, SwitchResult, ask, bad};

use super::build::Build;
use super::{Where, install, switch};
use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::{Out, plain};

/// Build a revision of orch, install it, and switch the running service to it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What `[deploy] kind = \"self\"` runs for a landed revision. Every step may be \
    done again: a version that is installed is not built, and one that serves is not switched to. \
    Exit code 0 where the revision serves; 1 where it does not, and then the version before serves \
    again."
)]
pub struct Args {
    /// The revision, in place of ORCH_REVISION.
    #[arg(long)]
    revision: Option<String>,
    /// A repository on this machine whose HEAD has it; the current folder without it.
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// The build; it finds ORCH_REVISION in its environment.
    #[arg(long, value_name = "COMMAND", default_value = "cargo build --release --locked -p orch")]
    build: String,
    /// The program that the build makes.
    #[arg(long, value_name = "PATH", default_value = "target/release/orch")]
    program: PathBuf,
    #[command(flatten)]
    at: Where,
}

/// Runs the command.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let (prefix, _) = args.at.open(env)?;
    let given = args.revision.as_ref().or_else(|| env.all().get("ORCH_REVISION"));
    let revision = given.ok_or_else(|| {
        Stop::usage("no revision to deploy").hint("say --revision, or set ORCH_REVISION")
    })?;
    let revision = Revision::new(revision)?;
    let version = VersionName::new(revision.as_str())?;
    let out = Out::new(env);
    if prefix.current().as_ref() == Some(&version) && prefix.trial()?.is_none() {
        out.line(format!("{} {version} serves already", out.style.green("ok:")))?;
        return Ok(Exit::Done.into());
    }
    if let Some(bad) = bad(&prefix, &version) {
        return Err(Stop::failed(format!(
            "version {version} failed its trial on {}: {}",
            bad.at,
            plain(&bad.reason)
        ))
        .hint("`orch self switch --again` tries it once more")
        .into());
    }
    bring_in(args, &prefix, &revision, &version, env, &out)?;
    let request = Request { id: id(env, &version), to: version };
    out.line(format!("{} {}", out.style.cyan("switching to:"), request.to))?;
    ask(&prefix, &request, false)?;
    report(&out, &switch::wait(&prefix, &request.id)?)
}

/// Builds and installs a version that is not there yet.
fn bring_in(
    args: &Args,
    prefix: &Prefix,
    revision: &Revision,
    version: &VersionName,
    env: &Env,
    out: &Out,
) -> anyhow::Result<()> {
    if prefix.version(version).is_some() {
        out.line(format!("{} {version} is installed already", out.style.green("ok:")))?;
        return Ok(());
    }
    let source = env.cwd().join(args.source.as_deref().unwrap_or_else(|| env.cwd()));
    out.line(format!("{} {revision}", out.style.cyan("building:")))?;
    let build = Build { revision, source: &source, command: &args.build, program: &args.program };
    let program = build.run(prefix, env)?;
    let done = install::install(prefix, &program, Some(version.clone()), Some(revision), env)?;
    out.line(format!("{} {}", out.style.green("installed:"), done.name()))?;
    Ok(())
}

/// One switch per run: a run that is taken up again asks for the same one.
fn id(env: &Env, version: &VersionName) -> String {
    match env.all().get("ORCH_RUN_ID") {
        Some(run) => run.clone(),
        None => format!("deploy-{version}-{}", jiff::Timestamp::now().as_microsecond()),
    }
}

fn report(out: &Out, ended: &Switch) -> anyhow::Result<ExitCode> {
    match ended.result {
        SwitchResult::Switched => {
            out.line(format!("{} {}", out.style.green("serves:"), ended.to))?;
            Ok(Exit::Done.into())
        }
        _ => Err(switch::failure(ended).into()),
    }
}
