//! A repository, its origin, and a mirror of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orch_core::ids::{Revision, TaskKey};
use orch_git::{CommitScope, Git, Mirror, Worktree};
use tempfile::TempDir;

pub struct World {
    pub dir: TempDir,
    pub git: Git,
}

impl World {
    /// An origin whose `main` has one commit with a few files.
    pub fn new() -> Self {
        let world = Self::empty();
        world.sh("git init -q -b main user && git init -q --bare -b main origin.git");
        world.sh("cd user && git remote add origin ../origin.git && mkdir -p src docs
             printf 'one\\ntwo\\nthree\\n' >file; echo lib >src/lib; echo guide >docs/guide
             echo target >.gitignore
             git add -A && git commit -qm first && git push -q origin main");
        world
    }

    pub fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let git = Git::default()
            .with_env("HOME", dir.path())
            .with_env("GIT_CONFIG_NOSYSTEM", "1")
            .with_env("GIT_CONFIG_GLOBAL", "/dev/null");
        Self { dir, git }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap().join(name)
    }

    /// Runs a script in the world's folder; it must succeed. Gives its trimmed output.
    pub fn sh(&self, script: &str) -> String {
        let (ok, out) = self.try_sh(script);
        assert!(ok, "{script}\n{out}");
        out
    }

    pub fn try_sh(&self, script: &str) -> (bool, String) {
        let out = Command::new("sh")
            .args(["-ec", script])
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ann")
            .env("GIT_AUTHOR_EMAIL", "ann@example.com")
            .env("GIT_COMMITTER_NAME", "Ann")
            .env("GIT_COMMITTER_EMAIL", "ann@example.com")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
        (out.status.success(), text.trim().to_owned())
    }

    pub fn mirror(&self) -> Mirror {
        let url = self.path("origin.git");
        let mirror =
            Mirror::open(&self.git, &self.path("mirrors/m.git"), url.to_str().unwrap()).unwrap();
        mirror.fetch().unwrap();
        mirror
    }

    pub fn worktree(&self, mirror: &Mirror, name: &str) -> Worktree {
        let base = mirror.remote_head("main").unwrap().unwrap();
        mirror.ensure_worktree(&key(name), &self.path(&format!("wt/{name}")), &base).unwrap()
    }

    /// Puts one more commit on origin's main; the mirror does not know of it yet.
    pub fn advance(&self, script: &str) -> Revision {
        self.sh(&format!("cd user && {script} && git add -A && git commit -qm advance"));
        self.sh("cd user && git push -q origin main");
        self.rev("user", "main")
    }

    pub fn rev(&self, repo: &str, name: &str) -> Revision {
        self.sh(&format!("git -C {repo} rev-parse {name}")).parse().unwrap()
    }
}

pub fn key(text: &str) -> TaskKey {
    text.parse().unwrap()
}

pub fn write(worktree: &Worktree, path: &str, content: impl AsRef<[u8]>) {
    let path = worktree.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub fn read(worktree: &Worktree, path: &str) -> String {
    fs::read_to_string(worktree.path().join(path)).unwrap()
}

/// Writes a file and commits all.
pub fn commit(worktree: &Worktree, path: &str, content: impl AsRef<[u8]>) -> Revision {
    write(worktree, path, content);
    worktree.commit("work", CommitScope::All).unwrap().unwrap()
}

/// Every file below a folder with its content, so that two moments can be compared.
pub fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            all.extend(snapshot(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap_or_default()));
        }
    }
    all.sort();
    all
}
