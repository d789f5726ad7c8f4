//! A repository with a bare origin, as a user has one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A checkout and its origin.
#[derive(Debug)]
pub struct Repository {
    /// The user's checkout.
    pub checkout: PathBuf,
    /// The bare repository it pushes to.
    pub origin: PathBuf,
}

impl Repository {
    /// Makes `root/NAME` with these files committed and pushed to `root/NAME.git`.
    ///
    /// # Panics
    /// When git or the disk fails.
    pub fn make(root: &Path, name: &str, files: &[(&str, &str)]) -> Self {
        let checkout = root.join(name);
        let origin = root.join(format!("{name}.git"));
        fs::create_dir_all(&checkout).unwrap();
        git(root, &["init", "-q", "--bare", "--initial-branch=main", origin.to_str().unwrap()]);
        git(&checkout, &["init", "-q", "--initial-branch=main"]);
        git(&checkout, &["remote", "add", "origin", origin.to_str().unwrap()]);
        let repository = Self { checkout, origin };
        repository.write(files);
        git(&repository.checkout, &["add", "--all"]);
        git(&repository.checkout, &["commit", "-q", "--allow-empty", "-m", "Begin"]);
        git(&repository.checkout, &["push", "-q", "origin", "main"]);
        repository
    }

    /// Writes files into the checkout.
    ///
    /// # Panics
    /// When the disk fails.
    pub fn write(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.checkout.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// The subjects of `main` on the origin, newest first.
    pub fn main_log(&self) -> Vec<String> {
        git(&self.origin, &["log", "--format=%s", "main"]).lines().map(ToOwned::to_owned).collect()
    }

    /// A file on `main` of the origin.
    pub fn on_main(&self, path: &str) -> String {
        git(&self.origin, &["show", &format!("main:{path}")])
    }
}

/// Runs git untouched by the user's configuration; gives its output.
///
/// # Panics
/// When git fails.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args([
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@localhost",
            "-c",
            "commit.gpgSign=false",
        ])
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?} in {}: {stderr}", dir.display());
    String::from_utf8_lossy(&output.stdout).into_owned()
}
