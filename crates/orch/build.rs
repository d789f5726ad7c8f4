//! Says in the program what it was built from: `ORCH_REVISION` where the build is told, else the
//! commit of the checkout for a release. A program asks no git when it runs.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=ORCH_REVISION");
    let told = std::env::var("ORCH_REVISION").ok().filter(|revision| is_revision(revision));
    // A debug build is not built anew for every commit.
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let revision = told.or_else(|| if release { checked_out() } else { None }).unwrap_or_default();
    println!("cargo:rustc-env=ORCH_BUILD_REVISION={revision}");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let named = if revision.is_empty() { "revision unknown" } else { &revision };
    println!("cargo:rustc-env=ORCH_BUILD_VERSION={version} ({named})");
}

fn is_revision(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// The commit that is checked out; `None` where files differ from it, or there is no git.
fn checked_out() -> Option<String> {
    let head = git(&["rev-parse", "--git-path", "HEAD"])?;
    let index = git(&["rev-parse", "--git-path", "index"])?;
    println!("cargo:rerun-if-changed={head}");
    println!("cargo:rerun-if-changed={index}");
    let clean = git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    let revision = git(&["rev-parse", "HEAD"])?;
    (clean && is_revision(&revision)).then_some(revision)
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
