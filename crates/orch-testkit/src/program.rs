//! Finds the `orch` of a test program, and builds it where it is missing or older than its sources.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, bail};

/// The program: the one named, or the one beside this program in the build directory.
pub fn find(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return path.canonicalize().with_context(|| format!("--orch {}", path.display()));
    }
    let own = std::env::current_exe().context("this program's own path")?;
    let dir = own.parent().context("a program stands in a directory")?;
    let beside = dir.join("orch");
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = modified(&beside);
    if built.is_none() || newest(&crates).is_some_and(|source| built < Some(source)) {
        build(dir)?;
    }
    beside.canonicalize().with_context(|| format!("{}", beside.display()))
}

fn build(dir: &Path) -> anyhow::Result<()> {
    eprintln!("building orch");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "--locked"]);
    command.args(["--package", "orch", "--bin", "orch"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if let Some(target) = dir.parent() {
        command.arg("--target-dir").arg(target);
    }
    let status = command.status().context("cargo can't be started; name a program with --orch")?;
    if !status.success() {
        bail!("orch can't be built; name a program with --orch");
    }
    Ok(())
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// The youngest source of the product; `None` where the sources are not at hand.
fn newest(crates: &Path) -> Option<SystemTime> {
    let mut newest = None;
    for entry in crates.read_dir().ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !matches!(name.as_str(), "orch-torture" | "orch-bench" | "orch-testkit") {
            newest = newest.max(newest_below(&entry.path().join("src")));
        }
    }
    newest
}

fn newest_below(dir: &Path) -> Option<SystemTime> {
    let mut newest = None;
    for entry in dir.read_dir().ok()?.flatten() {
        let path = entry.path();
        newest = newest.max(if path.is_dir() { newest_below(&path) } else { modified(&path) });
    }
    newest
}
