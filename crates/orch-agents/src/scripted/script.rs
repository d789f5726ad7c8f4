//! The script, from TOML.

use std::collections::BTreeMap;
use std::time::Duration;

use orch_core::settings::parse_duration;
use serde::Deserialize;

/// A script can't be played.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It is not the TOML that is understood here; the message names line and column.
    #[error("the script can't be read:\n{0}")]
    Malformed(String),
    /// An entry is not a step.
    #[error(
        "the step {0:?} has no action, or more than one; give exactly one of write, append, patch, delete, artifact, run, sleep, print, eprint, usage, exit, crash, hang, spawn_stubborn"
    )]
    NotAStep(String),
    /// A duration is malformed.
    #[error("{0:?} is not a duration such as `500ms` or `2s`")]
    Duration(String),
}

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Whether an agent without a matching entry writes the passing artifacts of its stage.
    pub default_artifacts: bool,
    /// The entries; the first that matches is played.
    pub entries: Vec<Entry>,
}

/// What is played under which conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The task's key or title, `*` standing for anything; `None` is every task.
    pub task: Option<String>,
    /// The role; `None` is every role.
    pub role: Option<String>,
    /// The stage; `None` is every stage.
    pub stage: Option<String>,
    /// From which attempt to which; `None` is every attempt.
    pub attempts: Option<(u32, u32)>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// One thing that the agent does.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Writes a file.
    Write(String, String),
    /// Adds to a file.
    Append(String, String),
    /// Replaces what stands exactly once in a file.
    Patch(String, String, String),
    /// Deletes a file.
    Delete(String),
    /// Writes an artifact of the task.
    Artifact(String, String),
    /// Runs a command; a failing one fails the agent unless that is allowed.
    Run(Vec<String>, bool),
    /// Waits.
    Sleep(Duration),
    /// Prints to standard output.
    Print(String),
    /// Prints to standard error.
    Eprint(String),
    /// Reports what it consumed.
    Usage(u64, u64, f64),
    /// Ends with an exit code.
    Exit(i32),
    /// Dies by a signal.
    Crash,
    /// Goes silent and never ends.
    Hang,
    /// Leaves a grandchild behind that left the session and ignores polite signals.
    SpawnStubborn(Duration),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript {
    #[serde(default)]
    default_artifacts: bool,
    #[serde(default)]
    on: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    task: Option<String>,
    role: Option<String>,
    stage: Option<String>,
    attempt: Option<Attempt>,
    #[serde(default)]
    step: Vec<RawStep>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Attempt {
    One(u32),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Command {
    Shell(String),
    Argv(Vec<String>),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawStep {
    write: Option<String>,
    append: Option<String>,
    patch: Option<String>,
    find: Option<String>,
    replace: Option<String>,
    delete: Option<String>,
    artifact: Option<String>,
    text: Option<String>,
    run: Option<Command>,
    allow_failure: bool,
    sleep: Option<String>,
    print: Option<String>,
    eprint: Option<String>,
    usage: Option<BTreeMap<String, f64>>,
    exit: Option<i32>,
    crash: bool,
    hang: bool,
    spawn_stubborn: Option<String>,
}

impl Script {
    /// Reads a script.
    pub fn parse(toml: &str) -> Result<Self, ScriptError> {
        let raw: RawScript =
            toml::from_str(toml).map_err(|error| ScriptError::Malformed(error.to_string()))?;
        let entries = raw.on.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Self { default_artifacts: raw.default_artifacts, entries })
    }
}

fn entry(raw: RawEntry) -> Result<Entry, ScriptError> {
    let attempts = match raw.attempt {
        None => None,
        Some(Attempt::One(number)) => Some((number, number)),
        Some(Attempt::Text(text)) => {
            let bad = || {
                ScriptError::Malformed(format!(
                    "attempt {text:?} is not a number, or a number and `+`"
                ))
            };
            let open = text.strip_suffix('+');
            let from: u32 = open.unwrap_or(&text).trim().parse().map_err(|_| bad())?;
            Some((from, if open.is_some() { u32::MAX } else { from }))
        }
    };
    let steps = raw.step.into_iter().map(step).collect::<Result<_, _>>()?;
    Ok(Entry { task: raw.task, role: raw.role, stage: raw.stage, attempts, steps })
}

fn step(raw: RawStep) -> Result<Step, ScriptError> {
    let text = || unindented(raw.text.clone().unwrap_or_default());
    let mut found = Vec::new();
    found.extend(raw.write.clone().map(|path| Step::Write(path, text())));
    found.extend(raw.append.clone().map(|path| Step::Append(path, text())));
    found.extend(raw.artifact.clone().map(|path| Step::Artifact(path, text())));
    found.extend(raw.delete.clone().map(Step::Delete));
    if let (Some(path), Some(find), Some(replace)) = (&raw.patch, &raw.find, &raw.replace) {
        found.push(Step::Patch(path.clone(), find.clone(), replace.clone()));
    }
    found.extend(raw.run.map(|command| match command {
        Command::Shell(text) => Step::Run(vec!["sh".into(), "-c".into(), text], raw.allow_failure),
        Command::Argv(argv) => Step::Run(argv, raw.allow_failure),
    }));
    if let Some(text) = &raw.sleep {
        found.push(Step::Sleep(duration(text)?));
    }
    found.extend(raw.print.map(Step::Print));
    found.extend(raw.eprint.map(Step::Eprint));
    found.extend(raw.usage.map(|usage| {
        let of = |name: &str| usage.get(name).copied().unwrap_or_default();
        Step::Usage(of("input_tokens") as u64, of("output_tokens") as u64, of("cost_usd"))
    }));
    found.extend(raw.exit.map(Step::Exit));
    found.extend(raw.crash.then_some(Step::Crash));
    found.extend(raw.hang.then_some(Step::Hang));
    if let Some(text) = &raw.spawn_stubborn {
        found.push(Step::SpawnStubborn(duration(text)?));
    }
    let shown =
        raw.write.or(raw.append).or(raw.patch).or(raw.delete).or(raw.artifact).unwrap_or_default();
    match found.pop() {
        Some(step) if found.is_empty() => Ok(step),
        _ => Err(ScriptError::NotAStep(shown)),
    }
}

fn duration(text: &str) -> Result<Duration, ScriptError> {
    parse_duration(text).map_err(|_| ScriptError::Duration(text.to_owned()))
}

/// A text that begins on the line after its opening quotes begins there.
fn unindented(text: String) -> String {
    text.strip_prefix('\n').map(ToOwned::to_owned).unwrap_or(text)
}
