//! The script that a connection runs on the far side, and how it gets there.
//!
//! ssh gives its command to the user's login shell, whatever that is, so the command is a constant
//! that every shell reads alike. It takes parameters and script from standard input by their
//! lengths: they stand in no process table, and what follows them there is the revision's files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use orch_core::ids::RunId;
use orch_core::remote::Nonce;

/// The far side's script; see there.
const FAR_SIDE: &str = include_str!("far_side.sh");

/// What a connection is for.
#[derive(Debug)]
pub(super) enum Task<'a> {
    /// Starts a run, or attaches to one that is there, and follows it.
    Follow(Follow<'a>),
    /// Sees that a run could be started.
    Check,
    /// Ends runs, and keeps those from beginning that have not begun.
    Stop(&'a [RunId]),
    /// Removes the folders of runs that are over.
    Clean(&'a [RunId]),
}

/// The run that a connection follows.
#[derive(Debug)]
pub(super) struct Follow<'a> {
    pub(super) run_id: &'a RunId,
    pub(super) nonce: &'a Nonce,
    /// The revision, or `-`.
    pub(super) revision: &'a str,
    /// Whether the revision's files come after the script.
    pub(super) tree: bool,
    pub(super) argv: &'a [String],
    pub(super) env: &'a BTreeMap<String, String>,
    pub(super) limit_s: u64,
    /// Earlier runs of the same work, and whether their result is still wanted.
    pub(super) earlier: Vec<(&'a RunId, bool)>,
    /// Bytes of output that were received before.
    pub(super) received: (u64, u64),
}

/// A script with the command that starts it.
#[derive(Debug)]
pub(super) struct Script {
    /// What ssh gives to the login shell.
    pub(super) command: String,
    /// What comes first on standard input.
    pub(super) input: Vec<u8>,
}

/// The script for a task, its lines marked by `token`.
pub(super) fn script(token: &str, task: &Task<'_>) -> Script {
    let parameters = parameters(token, task);
    let (a, b) = (parameters.len(), FAR_SIDE.len());
    let command = format!(
        "exec sh -c 'p=$(dd bs=1 count={a} 2>/dev/null);code=$(dd bs=1 count={b} 2>/dev/null);\
         eval \"$p\";eval \"$code\"'"
    );
    let mut input = parameters.into_bytes();
    input.extend_from_slice(FAR_SIDE.as_bytes());
    Script { command, input }
}

fn parameters(token: &str, task: &Task<'_>) -> String {
    let mut text = format!("token={}\n", quoted(token));
    let mut set = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}={}", quoted(value));
    };
    let joined = |runs: &[RunId]| runs.iter().map(RunId::as_str).collect::<Vec<_>>().join(" ");
    match task {
        Task::Check => set("mode", "check"),
        Task::Stop(runs) => {
            set("mode", "stop");
            set("runs", &joined(runs));
        }
        Task::Clean(runs) => {
            set("mode", "clean");
            set("runs", &joined(runs));
        }
        Task::Follow(follow) => {
            let earlier: Vec<String> = follow
                .earlier
                .iter()
                .map(|(run, wanted)| format!("{run} {}", if *wanted { "adopt" } else { "end" }))
                .collect();
            set("mode", "start");
            set("id", follow.run_id.as_str());
            set("nonce", follow.nonce.expose());
            set("revision", follow.revision);
            set("tree", if follow.tree { "1" } else { "0" });
            set("limit", &follow.limit_s.to_string());
            set("earlier", &earlier.join("\n"));
            set("out_from", &follow.received.0.to_string());
            set("err_from", &follow.received.1.to_string());
            set("work", &work(follow.argv, follow.env));
        }
    }
    text
}

/// The work as a script: its environment, then the command line in the shell's place.
fn work(argv: &[String], env: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in env.iter().filter(|(name, _)| is_name(name)) {
        let _ = writeln!(text, "export {name}={}", quoted(value));
    }
    text.push_str("exec");
    for argument in argv {
        let _ = write!(text, " {}", quoted(argument));
    }
    text
}

fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// One word for a POSIX shell, whatever it holds; a NUL, which no argument can hold, is left out.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn every_text_stays_one_word_of_the_shell() {
        for text in ["", "a b", "it's", "''", "$(id)`id`$HOME\\", "-n", "*\n?", "é\u{7f}", "'\n'"]
        {
            let said = Command::new("sh")
                .args(["-c", &format!("printf '%s.' {}", quoted(text))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), format!("{text}."));
        }
        assert_eq!(quoted("a\0b"), "'ab'");
    }

    #[test]
    fn the_command_is_read_alike_by_every_login_shell_and_holds_no_secret() {
        let nonce = Nonce::from_random([9; 16]);
        let run_id = RunId::from_parts(1, 1);
        let follow = Follow {
            run_id: &run_id,
            nonce: &nonce,
            revision: "-",
            tree: false,
            argv: &["sh".to_owned(), "-c".to_owned(), "it's".to_owned()],
            env: &BTreeMap::from([
                ("ORCH_TASK".to_owned(), "X-1; reboot".to_owned()),
                ("BAD NAME".to_owned(), "x".to_owned()),
            ]),
            limit_s: 5,
            earlier: Vec::new(),
            received: (0, 0),
        };
        let script = script("t0k", &Task::Follow(follow));
        assert!(!script.command.contains(nonce.expose()));
        // Within single quotes csh still reads `!`; a quote of ours inside would end them.
        let inner =
            script.command.strip_prefix("exec sh -c '").unwrap().strip_suffix('\'').unwrap();
        assert!(!inner.contains(['\'', '!', '\\']), "{inner}");
        let input = String::from_utf8(script.input).unwrap();
        assert!(input.contains("export ORCH_TASK='\\''X-1; reboot'\\''"), "{input}");
        assert!(!input.contains("BAD NAME"));
        assert!(input.ends_with("main \"$@\"\n"), "a script cut off must do nothing");
    }
}
