//! The example repository: a small calculator in the shell with a real test suite, a bare origin,
//! a checkout, and a script for the agents.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Where the example is.
pub struct Example {
    /// The user's checkout.
    pub checkout: PathBuf,
    /// What stands for the hosted repository.
    pub origin: PathBuf,
    /// Where revisions are deployed to.
    pub deployed: PathBuf,
}

/// The committed files.
const FILES: &[(&str, &str)] = &[
    ("README.md", include_str!("../../../demo/README.md")),
    ("VERSION", include_str!("../../../demo/VERSION")),
    ("calc.sh", include_str!("../../../demo/calc.sh")),
    ("ops/add.sh", include_str!("../../../demo/ops/add.sh")),
    ("tests/run.sh", include_str!("../../../demo/tests/run.sh")),
    ("tests/add.test", include_str!("../../../demo/tests/add.test")),
    ("staging.sh", include_str!("../../../demo/staging.sh")),
    ("deploy.sh", include_str!("../../../demo/deploy.sh")),
    ("orch.toml", include_str!("../../../demo/orch.toml")),
    (".orch/demo.toml", include_str!("../../../demo/orch/demo.toml")),
    (".orch/colleague.sh", include_str!("../../../demo/orch/colleague.sh")),
];

/// Makes origin and checkout under `root`.
pub fn make(root: &Path) -> anyhow::Result<Example> {
    let example = Example {
        checkout: root.join("calc"),
        origin: root.join("origin.git"),
        deployed: root.join("deployed"),
    };
    let deployed = example.deployed.display().to_string();
    for (name, text) in FILES {
        let path = example.checkout.join(name);
        let dir = path.parent().context("every file of the example is in a folder")?;
        fs::create_dir_all(dir).with_context(|| format!("can't make {}", dir.display()))?;
        fs::write(&path, text.replace("@DEPLOYED@", &quoted(&deployed)))
            .with_context(|| format!("can't write {}", path.display()))?;
    }
    git(root, &["init", "--quiet", "--bare", "--initial-branch=main", "origin.git"])?;
    let checkout = &example.checkout;
    git(checkout, &["init", "--quiet", "--initial-branch=main"])?;
    git(checkout, &["add", "--all"])?;
    git(checkout, &["commit", "--quiet", "--message", "A calculator that adds"])?;
    git(checkout, &["remote", "add", "origin", &example.origin.display().to_string()])?;
    git(checkout, &["push", "--quiet", "origin", "main"])?;
    Ok(example)
}

/// As one word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Runs git as nobody in particular, untouched by the user's own configuration; gives its output.
pub fn git(dir: &Path, args: &[&str]) -> anyhow::Result<String> {
    let identity =
        ["-c", "user.name=Demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgSign=false"];
    let output = Command::new("git")
        .current_dir(dir)
        .args(identity)
        .args(["-c", "core.hooksPath=/dev/null"])
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .context("git can't be started; is it installed?")?;
    if !output.status.success() {
        bail!("git {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_the_shell() {
        assert_eq!(quoted("/tmp/it's here"), r"'/tmp/it'\''s here'");
    }
}
