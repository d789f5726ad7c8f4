//! A hermetic place to run the real binary in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A directory with a home, a state directory and a place for repositories.
pub struct Place {
    dir: TempDir,
}

/// What a command left.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Both streams and the code, for messages.
    pub fn all(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.all());
        self
    }

    /// The stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}\n{}", self.all()))
    }
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["home", "bin"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    /// A folder of its own, made where it is not there.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// The binary with nothing of this machine's environment but git, sh and their kin.
    pub fn command(&self, cwd: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orch"));
        command.args(args).current_dir(cwd).stdin(Stdio::null());
        self.hermetic(&mut command);
        command
    }

    /// Runs the binary to its end.
    #[track_caller]
    pub fn orch(&self, cwd: &Path, args: &[&str]) -> Outcome {
        run(&mut self.command(cwd, args))
    }

    fn hermetic(&self, command: &mut Command) {
        let search = format!("{}:/usr/local/bin:/usr/bin:/bin", self.path().join("bin").display());
        command
            .env_clear()
            .env("PATH", search)
            .env("HOME", self.path().join("home"))
            .env("ORCH_HOME", self.state())
            // Port 9 (discard) answers nowhere in a test; no service of this machine is asked.
            .env("ORCH_BIND", "127.0.0.1:9")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "T")
            .env("GIT_AUTHOR_EMAIL", "t@example.com")
            .env("GIT_COMMITTER_NAME", "T")
            .env("GIT_COMMITTER_EMAIL", "t@example.com")
            .env("LC_ALL", "C");
    }

    #[track_caller]
    pub fn git(&self, cwd: &Path, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(args).current_dir(cwd).stdin(Stdio::null());
        self.hermetic(&mut command);
        run(&mut command).exits(0).stdout
    }

    /// A repository with one commit of these files.
    pub fn repo(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let root = self.folder(name);
        self.git(&root, &["init", "-q", "-b", "main"]);
        fs::write(root.join("README"), "x\n").unwrap();
        for (file, text) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self.git(&root, &["add", "-A"]);
        self.git(&root, &["commit", "-q", "-m", "first"]);
        root
    }

    /// A program on PATH.
    pub fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[track_caller]
fn run(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
