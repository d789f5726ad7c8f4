//! The one place that starts git: a pinned environment around the user's own configuration.
//!
//! Credentials, proxies, ssh and line filters are the user's; whatever could change the meaning
//! of a command here (hooks, signing, aliases of behaviour, prompts, language) is pinned.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::classify::classify;
use crate::environment::{PINNED, is_foreign};
use crate::error::{GitError, Result, describe};
use crate::{parse, run};

/// The oldest git with every option used here (`cat-file --batch -z`).
pub const MINIMUM_VERSION: (u32, u32, u32) = (2, 38, 0);

/// How long one command may take unless told otherwise: a first fetch of a large repository.
const DEFAULT_LIMIT: Duration = Duration::from_mins(10);
/// The most that a command may print: a list of some hundred thousand paths.
const STDOUT_LIMIT: usize = 64 * 1024 * 1024;

/// Who the service's own commits are by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name; angle brackets and line breaks are taken out.
    pub name: String,
    /// The address, likewise.
    pub email: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self { name: "Orchestrator".to_owned(), email: "orch@localhost".to_owned() }
    }
}

impl Identity {
    fn clean(text: &str, otherwise: &str) -> String {
        let text: String =
            text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
        if text.trim().is_empty() { otherwise.to_owned() } else { text }
    }
}

/// A handle on the installed git; cheap to clone.
#[derive(Debug, Clone)]
pub struct Git {
    program: PathBuf,
    env: Vec<(OsString, OsString)>,
    name: String,
    email: String,
    limit: Duration,
    /// Whether the user configured an ssh command; asked once, before the first network use.
    own_ssh: Arc<OnceLock<bool>>,
}

impl Default for Git {
    fn default() -> Self {
        Self::new(&Identity::default())
    }
}

impl Git {
    /// The `git` on PATH, committing as the given identity.
    pub fn new(identity: &Identity) -> Self {
        let default = Identity::default();
        Self {
            program: "git".into(),
            env: Vec::new(),
            name: Identity::clean(&identity.name, &default.name),
            email: Identity::clean(&identity.email, &default.email),
            limit: DEFAULT_LIMIT,
            own_ssh: Arc::default(),
        }
    }

    /// Another program in place of `git`.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Sets a variable for every command; wins over what is inherited and pinned.
    #[must_use]
    pub fn with_env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// The time that each single command may take.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The installed version.
    pub fn version(&self) -> Result<(u32, u32, u32)> {
        let out = self.at(Place::Nowhere).arg("--version").ok()?;
        parse::version(&String::from_utf8_lossy(&out))
            .ok_or_else(|| GitError::unreadable("version", &out))
    }

    /// The installed version, or [`GitError::TooOld`] below [`MINIMUM_VERSION`].
    pub fn require_supported(&self) -> Result<(u32, u32, u32)> {
        let found = self.version()?;
        if found >= MINIMUM_VERSION {
            return Ok(found);
        }
        let dotted = |(a, b, c): (u32, u32, u32)| format!("{a}.{b}.{c}");
        Err(GitError::TooOld { found: dotted(found), needed: dotted(MINIMUM_VERSION) })
    }

    /// Name and address of whoever commits.
    pub(crate) fn committer(&self) -> (&str, &str) {
        (&self.name, &self.email)
    }

    pub(crate) fn at<'a>(&'a self, place: Place<'a>) -> GitCommand<'a> {
        GitCommand {
            git: self,
            place,
            args: Vec::new(),
            env: Vec::new(),
            input: Vec::new(),
            stdout_limit: STDOUT_LIMIT,
        }
    }

    fn user_set_ssh(&self) -> bool {
        *self.own_ssh.get_or_init(|| {
            let inherited =
                ["GIT_SSH", "GIT_SSH_COMMAND"].iter().any(|key| std::env::var_os(key).is_some());
            let asked = || self.at(Place::Nowhere).args(["config", "--get", "core.sshCommand"]);
            inherited || asked().run().is_ok_and(|out| out.code == Some(0))
        })
    }
}

/// Where a command works. Git never searches for a repository by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// In no repository.
    Nowhere,
    /// In a folder of the user's, found by git as usual.
    Folder(&'a Path),
    /// On a bare repository.
    Bare(&'a Path),
    /// In a linked worktree with its administrative folder.
    Worktree { admin: &'a Path, root: &'a Path },
}

/// What a command left, whatever its exit code.
pub(crate) struct Output {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    args: String,
}

impl Output {
    /// The failure that this output stands for.
    pub fn error(self) -> GitError {
        classify(self.args, self.code, &self.stderr)
    }
}

/// One command under construction.
#[must_use]
pub(crate) struct GitCommand<'a> {
    git: &'a Git,
    place: Place<'a>,
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    input: Vec<u8>,
    stdout_limit: usize,
}

impl GitCommand<'_> {
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, key: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((key, value.into()));
        self
    }

    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    pub fn stdout_limit(mut self, limit: usize) -> Self {
        self.stdout_limit = limit;
        self
    }

    /// The command talks to a remote: ssh must not ask.
    pub fn network(self) -> Self {
        if self.git.user_set_ssh() {
            return self;
        }
        self.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=30")
    }

    /// Runs it; only a failure to run, a deadline or too much output is an error.
    pub fn run(self) -> Result<Output> {
        let mut command = self.build();
        let args = describe(&self.args);
        let done = run::run(&mut command, self.input, self.stdout_limit, self.git.limit)
            .map_err(|source| spawn_error(&self.git.program, source))?;
        if done.timed_out {
            return Err(GitError::TimedOut { args, after: self.git.limit });
        }
        if done.overflow {
            let what = format!("the output of `git {args}`");
            return Err(GitError::TooLarge { what, limit: self.stdout_limit });
        }
        Ok(Output { code: done.code, stdout: done.stdout, stderr: done.stderr, args })
    }

    /// Runs it and gives what it printed; a non-zero exit is an error.
    pub fn ok(self) -> Result<Vec<u8>> {
        let out = self.run()?;
        if out.code == Some(0) { Ok(out.stdout) } else { Err(out.error()) }
    }

    /// Runs a command that answers by its exit code: 0 yes, 1 no.
    pub fn yes(self) -> Result<bool> {
        let out = self.run()?;
        match out.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(out.error()),
        }
    }

    fn build(&self) -> Command {
        let git = self.git;
        let mut command = Command::new(&git.program);
        self.place.apply(&mut command);
        command.args(["--no-pager", "--literal-pathspecs"]);
        for pin in PINNED {
            command.args(["-c", pin]);
        }
        command.args(&self.args);
        for (key, _) in std::env::vars_os() {
            if is_foreign(&key) {
                command.env_remove(key);
            }
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GCM_INTERACTIVE", "never")
            .env("GIT_ADVICE", "0")
            .env("GIT_EDITOR", ":")
            .env("GIT_SEQUENCE_EDITOR", ":")
            .env("GIT_COMMITTER_NAME", &git.name)
            .env("GIT_COMMITTER_EMAIL", &git.email)
            .env("GIT_AUTHOR_NAME", &git.name)
            .env("GIT_AUTHOR_EMAIL", &git.email)
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .envs(git.env.iter().map(|(key, value)| (key, value)));
        // Said, not looked up: the file that names it lies where an agent may be able to write.
        if let Place::Worktree { admin, .. } = self.place
            && let Some(common) = admin.parent().and_then(Path::parent)
        {
            command.env("GIT_COMMON_DIR", common);
        }
        command
    }
}

impl Place<'_> {
    fn apply(self, command: &mut Command) {
        match self {
            Self::Nowhere => {
                command.arg("-C").arg("/");
            }
            Self::Folder(folder) => {
                command.arg("-C").arg(folder);
            }
            Self::Bare(git_dir) => {
                command.arg("--git-dir").arg(git_dir);
            }
            Self::Worktree { admin, root } => {
                command.arg("-C").arg(root).arg("--git-dir").arg(admin);
                command.arg("--work-tree").arg(root);
            }
        }
    }
}

fn spawn_error(program: &Path, source: std::io::Error) -> GitError {
    if source.kind() == std::io::ErrorKind::NotFound {
        return GitError::NotInstalled { program: program.to_owned() };
    }
    GitError::io("run", program, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_can_not_break_a_commit_header() {
        let git = Git::new(&Identity { name: "A <x>\nB".into(), email: " ".into() });
        assert_eq!((git.name.as_str(), git.email.as_str()), ("A xB", "orch@localhost"));
    }

    #[test]
    fn a_missing_program_is_told_apart() {
        let git = Git::default().with_program("/nonexistent/git");
        assert!(matches!(git.version(), Err(GitError::NotInstalled { .. })));
    }

    #[test]
    fn an_old_git_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let fake = folder.path().join("git");
        std::fs::write(&fake, "#!/bin/sh\necho git version 2.30.2\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&fake, mode).unwrap();
        let error = Git::default().with_program(&fake).require_supported().unwrap_err();
        assert_eq!(error.to_string(), "git 2.30.2 is too old; install git 2.38.0 or newer");
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let git = Git::default().with_time_limit(Duration::from_millis(200));
        let mut command = git.at(Place::Nowhere);
        // `cat-file --batch` on an open terminal would wait; an alias that sleeps stands for it.
        command = command.args(["-c", "alias.hang=!sleep 600", "hang"]);
        assert!(matches!(command.run(), Err(GitError::TimedOut { .. })));
    }
}
