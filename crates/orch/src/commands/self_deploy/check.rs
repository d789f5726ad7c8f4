//! Whether a program is an orch that can take over here: it runs, it says what it is, and it can
//! bring the database up to date.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use orch_core::ids::Revision;

use crate::exit::Stop;

/// How long a program may take to say its version.
const VERSION: Duration = Duration::from_secs(30);
/// How long the migrations may take on a copy.
const MIGRATION: Duration = Duration::from_mins(30);

/// What a program says of itself.
#[derive(Debug)]
pub struct Says {
    /// Its whole line.
    pub line: String,
    /// The revision it was built from; `None` where its build did not know it.
    pub revision: Option<Revision>,
}

/// Asks a program what it is.
pub fn says(program: &Path) -> anyhow::Result<Says> {
    let output = run(Command::new(program).arg("--version"), VERSION)?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || !line.starts_with("orch ") {
        return Err(Stop::failed(format!(
            "{} is no orch that runs here: {}",
            program.display(),
            words(&output)
        ))
        .hint("build it for this machine: cargo build --release --locked -p orch")
        .into());
    }
    Ok(Says { revision: revision(&line), line })
}

/// The revision in `orch 0.1.0 (REVISION)`.
fn revision(line: &str) -> Option<Revision> {
    let (_, rest) = line.split_once('(')?;
    Revision::new(rest.strip_suffix(')')?).ok()
}

/// Has a program try its migrations; the database is only read.
pub fn migrates(program: &Path, home: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(["db", "migrate", "--dry-run", "--json"]).env("ORCH_HOME", home);
    let output = run(&mut command, MIGRATION)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Stop::failed(format!("its migrations fail on a copy of the database: {}", words(&output)))
        .hint("nothing was changed; mend the migration, or the database (`orch db check`)")
        .into())
}

fn words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = words.chars().take(800).collect();
    if cut.is_empty() { output.status.to_string() } else { format!("{}: {cut}", output.status) }
}

/// Runs a command that may hang: it is killed at its limit.
fn run(command: &mut Command, limit: Duration) -> anyhow::Result<Output> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let fail = |what: String| Stop::failed(format!("{shown} {what}"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| fail(format!("can't be run: {error}")))?;
    let deadline = Instant::now() + limit;
    // What it says fits the pipes, or it is no orch.
    while child.try_wait()?.is_none() {
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Err(fail(format!("did not end within {} s", limit.as_secs())).into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(child.wait_with_output()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_is_read_off_the_version() {
        let digits = "0123456789abcdef0123456789abcdef01234567";
        let table = [
            (format!("orch 0.1.0 ({digits})"), Some(digits)),
            ("orch 0.1.0 (revision unknown)".to_owned(), None),
            ("orch 0.1.0".to_owned(), None),
            (format!("orch 0.1.0 ({digits}-dirty)"), None),
        ];
        for (line, expected) in table {
            assert_eq!(revision(&line).as_ref().map(Revision::as_str), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_orch_is_said_to_be_none() {
        for program in ["/bin/true", "/bin/false", "/no/such/program"] {
            assert!(says(Path::new(program)).is_err(), "{program}");
        }
    }
}
