//! The floors of the house: a crate uses only crates of lower floors, and the core is pure.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Each crate with its floor; rooms of one floor don't see each other.
const FLOORS: &[(&str, u32)] = &[
    ("orch-core", 1),
    ("orch-api", 2),
    ("orch-store", 2),
    ("orch-process", 2),
    ("orch-git", 2),
    ("orch-objects", 2),
    ("orch-acp", 3),
    ("orch-agents", 3),
    ("orch-launcher", 3),
    ("orch-engine", 4),
    ("orch-http", 5),
    ("orch-sim", 5),
    ("orch", 6),
    ("orch-torture", 7),
    ("orch-bench", 7),
];

/// For tests only: it may be used by any crate's tests, and by no crate's code.
const TESTKIT: &str = "orch-testkit";
/// Crates that are tests in the form of programs.
const TEST_PROGRAMS: &[&str] = &["orch-torture", "orch-bench"];

/// What the core may not name: input and output, clocks, processes, threads, async.
const IMPURE: &[&str] = &[
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::process",
    "std::env",
    "std::thread",
    "std::io",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "tokio",
    "async fn",
    "println!",
    "eprintln!",
];

/// The crates that the core may use.
const CORE_USES: &[&str] = &[
    "aho-corasick",
    "jiff",
    "regex-lite",
    "saphyr-parser",
    "serde",
    "serde_json",
    "strsim",
    "thiserror",
    "toml",
];

/// Every fault as a line; empty where the floors hold.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let dir = entry?.path();
        let name = dir
            .file_name()
            .and_then(|n| n.to_str())
            .context("a crate's folder has a name")?
            .to_owned();
        let uses = dependencies(&dir.join("Cargo.toml"))?;
        faults.extend(upward(&name, &uses)?);
        if name == "orch-core" {
            let foreign = uses.iter().filter(|used| !CORE_USES.contains(&used.as_str()));
            faults.extend(
                foreign.map(|used| format!("orch-core uses {used}, which is not on its list")),
            );
            faults.extend(impure(&dir.join("src"))?);
        }
    }
    Ok(faults)
}

/// The crates a crate's code uses; what only its tests use doesn't count.
fn dependencies(manifest: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(manifest).with_context(|| format!("{}", manifest.display()))?;
    let table: toml::Table = toml::from_str(&text)?;
    let uses = table.get("dependencies").and_then(|d| d.as_table());
    Ok(uses.map(|table| table.keys().cloned().collect()).unwrap_or_default())
}

fn floor(name: &str) -> Option<u32> {
    FLOORS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, floor)| *floor)
}

fn upward(name: &str, uses: &[String]) -> anyhow::Result<Vec<String>> {
    if name == TESTKIT {
        return Ok(Vec::new());
    }
    let Some(own) = floor(name) else {
        bail!("{name} has no floor: give it one in xtask/src/floors.rs")
    };
    let mut faults = Vec::new();
    for used in uses {
        match floor(used) {
            Some(other) if other >= own => {
                faults.push(format!("{name} (floor {own}) uses {used} (floor {other})"));
            }
            _ if used == TESTKIT && !TEST_PROGRAMS.contains(&name) => {
                faults.push(format!("{name} uses {TESTKIT} outside of its tests"));
            }
            _ => {}
        }
    }
    Ok(faults)
}

fn impure(dir: &Path) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            faults.extend(impure(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path)?;
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let named = IMPURE.iter().find(|word| code.contains(**word));
                faults.extend(named.map(|word| {
                    format!("{}:{}: the core names {word}", path.display(), number + 1)
                }));
            }
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floors_hold() {
        assert_eq!(check(&crate::root()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_edge_upwards_or_sideways_is_found() {
        let uses = |name: &str| vec![name.to_owned()];
        assert_eq!(upward("orch-git", &uses("orch-engine")).unwrap().len(), 1);
        assert_eq!(upward("orch-git", &uses("orch-store")).unwrap().len(), 1);
        assert_eq!(upward("orch-git", &uses("orch-core")).unwrap().len(), 0);
        assert_eq!(upward("orch", &uses("orch-testkit")).unwrap().len(), 1);
        assert_eq!(upward("orch-torture", &uses("orch-testkit")).unwrap().len(), 0);
        assert!(upward("orch-new", &uses("orch-core")).is_err());
    }
}
