//! `orch scripted-agent`: the built-in agent that plays a script. Started by the engine only.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use orch_agents::scripted::{Script, ScriptContext, perform};

use crate::env::Env;
use crate::exit::{Exit, Stop};

/// Play a script in place of a model (started by the service).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The script.
    #[arg(long)]
    script: PathBuf,
}

/// Plays the script in the current directory; what run it is stands in the environment.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let shown = args.script.display();
    let text = fs::read_to_string(&args.script)
        .with_context(|| format!("the script {shown} can't be read"))?;
    let script = Script::parse(&text).map_err(|error| Stop::usage(format!("{shown}: {error}")))?;
    let code = perform(&script, &context(env)?);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(Exit::Failed as u8)))
}

fn context(env: &Env) -> Result<ScriptContext, Stop> {
    let get = |name: &str| {
        env.vars().get(name).cloned().ok_or_else(|| {
            Stop::usage(format!("{name} is not set"))
                .hint("the service starts this command; to rehearse, use `orch init --rehearsal`")
        })
    };
    let attempt = get("ORCH_ATTEMPT")?;
    Ok(ScriptContext {
        task: get("ORCH_TASK")?,
        title: get("ORCH_TITLE")?,
        stage: get("ORCH_STAGE")?,
        role: get("ORCH_AGENT")?,
        attempt: attempt
            .parse()
            .map_err(|_| Stop::usage(format!("ORCH_ATTEMPT is {attempt:?}, not a number")))?,
        run_id: get("ORCH_RUN_ID")?,
        worktree: env.cwd().to_owned(),
        artifact_dir: get("ORCH_ARTIFACT_DIR")?.into(),
    })
}
