//! Plays a script. This is the agent's own program: it writes files and runs commands as any agent
//! does.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::script::{Action, Script, Step, Text};
use super::text::fill;
use super::{act, defaults, matching, place};

/// The exit code of an agent whose step failed.
pub const STEP_FAILED: i32 = 3;

/// What a scripted agent knows of its run, from its environment.
#[derive(Debug, Clone)]
pub struct ScriptContext {
    /// The task's key.
    pub task: String,
    /// Its title.
    pub title: String,
    /// The stage.
    pub stage: String,
    /// The role.
    pub role: String,
    /// Which attempt of the task at the stage this is, from 1.
    pub attempt: u32,
    /// The run.
    pub run_id: String,
    /// The worktree.
    pub worktree: PathBuf,
    /// The artifact folder, absolute.
    pub artifact_dir: PathBuf,
}

/// Where an agent's own output goes. Commands that it runs write to the process's own.
pub struct Output<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
}

/// Plays the matching entry on the process's own output; gives the exit code, which is
/// [`STEP_FAILED`] after a step that failed.
pub fn perform(script: &Script, context: &ScriptContext) -> i32 {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    perform_with(script, context, &mut Output { out: &mut out, err: &mut err })
}

/// Like [`perform`], with an output of the caller's.
pub fn perform_with(script: &Script, context: &ScriptContext, output: &mut Output<'_>) -> i32 {
    let steps = match matching::entry(script, context) {
        Some(entry) => entry.steps.clone(),
        None => unscripted(script, context, output),
    };
    for step in steps {
        match play(&step.action, context, output) {
            Ok(None) => {}
            Ok(Some(code)) => return code,
            Err(error) => {
                tell(output, &failure(&step, &error));
                return STEP_FAILED;
            }
        }
    }
    0
}

/// What is done where no entry matches; it is said, because a filter may have been misspelt.
fn unscripted(script: &Script, context: &ScriptContext, output: &mut Output<'_>) -> Vec<Step> {
    let steps = if script.default_artifacts {
        defaults::steps(&context.stage, &context.role)
    } else {
        Vec::new()
    };
    let (role, stage, attempt) = (&context.role, &context.stage, context.attempt);
    let then = if steps.is_empty() { "nothing is done" } else { "the default artifacts follow" };
    tell(output, &format!("no entry for {role} at {stage}, attempt {attempt}: {then}"));
    steps
}

fn failure(step: &Step, error: &io::Error) -> String {
    match step.line {
        0 => format!("a default artifact: {error}"),
        line => format!("the step on line {line} failed: {error}"),
    }
}

fn tell(output: &mut Output<'_>, message: &str) {
    // Nothing is left to tell of an output that is gone.
    drop(writeln!(output.err, "scripted agent: {message}"));
}

/// Does what a step says; gives the exit code where the agent ends by it.
fn play(
    action: &Action,
    context: &ScriptContext,
    output: &mut Output<'_>,
) -> io::Result<Option<i32>> {
    let worktree = context.worktree.as_path();
    let at = |path: &Text| place::inside(worktree, Path::new(&fill(path, context)?));
    match action {
        Action::Write { path, text, mode } => {
            act::write(&at(path)?, &fill(text, context)?, *mode)?;
        }
        Action::Append { path, text, mode } => {
            act::append(&at(path)?, &fill(text, context)?, *mode)?;
        }
        Action::Patch { path, find, replace } => {
            act::patch(&at(path)?, find, &fill(replace, context)?)?;
        }
        Action::Delete { path } => std::fs::remove_file(at(path)?)?,
        Action::Artifact { path, text } => {
            act::write(&artifact(path, context)?, &fill(text, context)?, None)?;
        }
        Action::Run { argv, allow_failure } => match act::run(argv, worktree) {
            Err(error) if *allow_failure => tell(output, &format!("allowed to fail: {error}")),
            ran => ran?,
        },
        Action::Sleep(time) => thread::sleep(*time),
        Action::Print(text) => line(output.out, &fill(text, context)?)?,
        Action::Eprint(text) => line(output.err, &fill(text, context)?)?,
        Action::Usage(usage) => line(output.out, &usage.report())?,
        Action::RateLimited(time) => {
            line(output.out, &crate::events::rate_limited_report(*time))?;
        }
        Action::Exit(code) => return Ok(Some(i32::from(*code))),
        Action::Crash => std::process::abort(),
        Action::Hang => hang(),
        Action::SpawnStubborn(time) => act::spawn_stubborn(*time)?,
        Action::WaitForFile { path, timeout } => act::wait_for_file(&at(path)?, *timeout)?,
    }
    Ok(None)
}

/// The place of an artifact: checked below its folder, so that the message speaks of the path as
/// written, and as a whole, as the folder itself may lead through a link.
fn artifact(path: &Text, context: &ScriptContext) -> io::Result<PathBuf> {
    let path = fill(path, context)?;
    place::inside(&context.artifact_dir, Path::new(&path))?;
    place::inside(&context.worktree, &place::artifact_dir(context)?.join(path))
}

fn line(to: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(to, "{text}")?;
    to.flush()
}

fn hang() -> ! {
    loop {
        thread::sleep(Duration::from_hours(1));
    }
}
