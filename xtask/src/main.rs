//! Project chores: `cargo xtask floors` checks that no crate uses a higher floor, `cargo xtask gen`
//! writes the generated reference pages (`--check` compares them), `cargo xtask sizes` prints lines
//! per crate.

#[cfg(test)]
mod facts;
mod floors;
mod gen_docs;
mod outcomes;
mod sizes;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let root = root();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["floors"] => Ok(faults(&floors::check(&root)?)),
        ["gen"] => {
            for path in gen_docs::write(&root)? {
                println!("written: {path}");
            }
            Ok(ExitCode::SUCCESS)
        }
        ["gen", "--check"] => {
            let stale = gen_docs::stale(&root)?;
            let say = |path| format!("{path} is not what the code says; run `cargo xtask gen`");
            Ok(faults(&stale.into_iter().map(say).collect::<Vec<_>>()))
        }
        ["sizes"] => {
            print!("{}", sizes::table(&root)?);
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("usage: cargo xtask floors | gen [--check] | sizes");
            Ok(ExitCode::from(2))
        }
    }
}

/// Tells each fault; fails where there is one.
fn faults(found: &[String]) -> ExitCode {
    for fault in found {
        eprintln!("{fault}");
    }
    if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The workspace's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
