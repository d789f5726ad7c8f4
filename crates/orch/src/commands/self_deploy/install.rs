//! `orch self install`: a built program becomes a version beside the others.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use orch_core::ids::{Revision, VersionName};
use orch_launcher::{Installed, Prefix, Version, stage};
use serde_json::json;

use super::{Where, check};
use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::{Out, plain};

/// Install a built program as a version beside the others; nothing is switched.
#[derive(Debug, clap::Args)]
#[command(after_help = "The program is copied, asked for its version, and has to get through its \
    migrations on a copy of the database; only then it becomes a version, in one step. A version \
    that is there is left as it is. The first one becomes current.")]
pub struct Args {
    /// The program, such as target/release/orch.
    program: PathBuf,
    /// What to call it, in place of the revision that it was built from.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    at: Where,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let (prefix, _) = args.at.open(env)?;
    let name = args.name.as_deref().map(VersionName::new).transpose()?;
    let done = install(&prefix, &env.cwd().join(&args.program), name, None, env)?;
    let out = Out::new(env);
    let version = done.version();
    if args.json {
        let new = matches!(done, Installed::New(_));
        out.json(&json!({
            "version": version.name, "revision": version.revision, "new": new,
            "current": prefix.current() == Some(version.name.clone()),
        }))?;
    } else {
        let word = match done {
            Installed::New(_) => "installed:",
            Installed::Before(_) => "was installed before:",
        };
        out.line(format!("{} {} ({})", out.style.green(word), version.name, plain(&version.says)))?;
    }
    Ok(Exit::Done.into())
}

/// Installs a program after it has shown that it can take over; `expected` is the revision that it
/// has to be.
pub fn install(
    prefix: &Prefix,
    program: &Path,
    name: Option<VersionName>,
    expected: Option<&Revision>,
    env: &Env,
) -> anyhow::Result<Installed> {
    let staged = stage(prefix, program)?;
    let says = check::says(&staged.program())?;
    if let Some(expected) = expected
        && says.revision.as_ref() != Some(expected)
    {
        return Err(Stop::failed(format!(
            "what was built is {}, and not revision {expected}",
            plain(&says.line)
        ))
        .hint("let the build see ORCH_REVISION, and name the program that it makes")
        .into());
    }
    let name = match (name, &says.revision) {
        (Some(name), _) => name,
        (None, Some(revision)) => VersionName::new(revision.as_str())?,
        (None, None) => {
            return Err(Stop::usage("the program does not know the revision it was built from")
                .hint("build it with ORCH_REVISION set, or say what to call it: --name NAME")
                .into());
        }
    };
    check::migrates(&staged.program(), env.home()?)?;
    let (revision, installed_at) = (says.revision, Timestamp::now());
    let done = staged.install(Version { name, revision, says: says.line, installed_at })?;
    if prefix.current().is_none() {
        prefix.point_current(done.name())?;
    }
    Ok(done)
}
