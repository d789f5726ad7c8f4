//! Project chores: `cargo xtask floors` checks that no crate uses a higher floor, `cargo xtask
//! sizes` prints lines per crate.

mod floors;
mod sizes;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let root = root();
    match std::env::args().nth(1).as_deref() {
        Some("floors") => {
            let faults = floors::check(&root)?;
            for fault in &faults {
                eprintln!("{fault}");
            }
            Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some("sizes") => {
            print!("{}", sizes::table(&root)?);
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("usage: cargo xtask floors | sizes");
            Ok(ExitCode::from(2))
        }
    }
}

/// The workspace's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
