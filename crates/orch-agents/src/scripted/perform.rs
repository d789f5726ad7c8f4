//! Plays a script. This is the agent's own program: it writes files and runs commands as any
//! agent does.

use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::script::{Entry, Script, Step};

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
    /// The attempt, from 1.
    pub attempt: u32,
    /// The run.
    pub run_id: String,
    /// The worktree.
    pub worktree: PathBuf,
    /// The artifact folder, absolute.
    pub artifact_dir: PathBuf,
}

/// Plays the matching entry; gives the exit code. A step that fails ends the agent with code 3.
pub fn perform(script: &Script, context: &ScriptContext) -> i32 {
    let steps = match script.entries.iter().find(|entry| matches(entry, context)) {
        Some(entry) => entry.steps.clone(),
        None if script.default_artifacts => defaults(&context.stage),
        None => Vec::new(),
    };
    for step in steps {
        match play(&step, context) {
            Ok(None) => {}
            Ok(Some(code)) => return code,
            Err(error) => {
                eprintln!("scripted agent: {step:?}: {error}");
                return 3;
            }
        }
    }
    0
}

fn matches(entry: &Entry, context: &ScriptContext) -> bool {
    let same = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    let task = entry
        .task
        .as_deref()
        .is_none_or(|pattern| glob(pattern, &context.task) || glob(pattern, &context.title));
    let attempt = entry.attempts.is_none_or(|(from, to)| (from..=to).contains(&context.attempt));
    task && attempt && same(&entry.role, &context.role) && same(&entry.stage, &context.stage)
}

/// `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn play(step: &Step, context: &ScriptContext) -> io::Result<Option<i32>> {
    match step {
        Step::Write(path, text) => write(&inside(&context.worktree, path)?, &fill(text, context))?,
        Step::Artifact(path, text) => {
            write(&inside(&context.artifact_dir, path)?, &fill(text, context))?;
        }
        Step::Append(path, text) => {
            let path = inside(&context.worktree, path)?;
            let before = if path.exists() { fs::read_to_string(&path)? } else { String::new() };
            write(&path, &(before + &fill(text, context)))?;
        }
        Step::Patch(path, find, replace) => {
            patch(&inside(&context.worktree, path)?, find, replace)?;
        }
        Step::Delete(path) => fs::remove_file(inside(&context.worktree, path)?)?,
        Step::Run(argv, allow_failure) => run(argv, *allow_failure, context)?,
        Step::Sleep(time) => thread::sleep(*time),
        Step::Print(text) => writeln!(io::stdout(), "{}", fill(text, context))?,
        Step::Eprint(text) => writeln!(io::stderr(), "{}", fill(text, context))?,
        Step::Usage(input, output, cost) => {
            let report = serde_json::json!({ "orch": "usage", "input_tokens": input, "output_tokens": output, "cost_usd": cost });
            writeln!(io::stdout(), "{report}")?;
        }
        Step::Exit(code) => return Ok(Some(*code)),
        Step::Crash => std::process::abort(),
        Step::Hang => loop {
            thread::sleep(Duration::from_hours(1));
        },
        Step::SpawnStubborn(time) => stubborn(*time)?,
    }
    Ok(None)
}

/// A grandchild in a session of its own that ignores polite signals.
fn stubborn(time: Duration) -> io::Result<()> {
    let text = format!(
        "trap '' TERM INT HUP; setsid sh -c \"trap '' TERM INT HUP; sleep {}\" & exit 0",
        time.as_secs().max(1)
    );
    let null = || Stdio::null();
    Command::new("sh")
        .args(["-c", &text])
        .stdin(null())
        .stdout(null())
        .stderr(null())
        .status()
        .map(drop)
}

fn fill(text: &str, context: &ScriptContext) -> String {
    let names = [
        ("{{ task }}", &context.task),
        ("{{ title }}", &context.title),
        ("{{ stage }}", &context.stage),
        ("{{ role }}", &context.role),
        ("{{ run_id }}", &context.run_id),
    ];
    let filled =
        names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    filled.replace("{{ attempt }}", &context.attempt.to_string())
}

/// A path below a folder; links on the way are not followed out of it.
fn inside(root: &Path, path: &str) -> io::Result<PathBuf> {
    let relative = Path::new(path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let refuse = || io::Error::other(format!("{path:?} is not inside the worktree"));
    if !plain || path.is_empty() {
        return Err(refuse());
    }
    let mut at = root.to_owned();
    for part in relative.components() {
        at.push(part);
        if fs::symlink_metadata(&at).is_ok_and(|found| found.is_symlink()) {
            return Err(refuse());
        }
    }
    Ok(at)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, text)
}

fn patch(path: &Path, find: &str, replace: &str) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    match text.matches(find).count() {
        1 => fs::write(path, text.replacen(find, replace, 1)),
        count => Err(io::Error::other(format!("{find:?} stands {count} times, not once"))),
    }
}

fn run(argv: &[String], allow_failure: bool, context: &ScriptContext) -> io::Result<()> {
    let Some((program, rest)) = argv.split_first() else {
        return Err(io::Error::other("the command is empty"));
    };
    let status = Command::new(program)
        .args(rest)
        .current_dir(&context.worktree)
        .stdin(Stdio::null())
        .status()?;
    if status.success() || allow_failure {
        Ok(())
    } else {
        Err(io::Error::other(status.to_string()))
    }
}

/// The passing artifacts of a stage.
fn defaults(stage: &str) -> Vec<Step> {
    let artifact = |name: &str, matter: &str, body: &str| {
        Step::Artifact(name.to_owned(), format!("---\n{matter}\n---\n{body}\n"))
    };
    match stage {
        "analysis" => vec![
            artifact("01-analysis.md", "status: ready", "{{ title }}"),
            Step::Artifact("03-acceptance-criteria.md".to_owned(), "- {{ title }}\n".to_owned()),
        ],
        "architecture" => {
            vec![artifact("06-adr/not-needed.md", "reason: \"the change decides nothing\"", "")]
        }
        "development" => vec![artifact("11-implementation.md", "status: ready", "{{ title }}")],
        "review" => vec![artifact("12-review.md", "verdict: APPROVED", "Nothing found.")],
        _ => Vec::new(),
    }
}
