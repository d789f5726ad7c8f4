//! The real agent programs that tests drive, as `.ci/agent-clis.txt` pins them.

use std::path::{Path, PathBuf};

/// The table, which the installer reads too.
const TABLE: &str = include_str!("../../../.ci/agent-clis.txt");

/// An agent program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentCli {
    /// Its short name, such as `claude`.
    pub name: &'static str,
    /// The pinned version.
    pub version: &'static str,
    /// Whether every machine that runs the tests has it; the others are for the wider matrix.
    pub in_ci: bool,
    /// Where it is, or would be.
    pub program: PathBuf,
}

/// All of the table.
///
/// # Panics
/// When the table is broken or the user has no home.
pub fn all() -> Vec<AgentCli> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| parse(line).unwrap_or_else(|| panic!("agent-clis.txt: {line}"))).collect()
}

/// Those that are on this machine.
///
/// # Panics
/// When the table is broken or the user has no home.
pub fn installed() -> Vec<AgentCli> {
    all().into_iter().filter(|cli| cli.program.exists()).collect()
}

/// The program of this name.
///
/// # Panics
/// When it is not in the table or not on this machine: a test does not pass for want of it.
pub fn agent_cli(name: &str) -> AgentCli {
    let cli = all().into_iter().find(|cli| cli.name == name);
    let cli = cli.unwrap_or_else(|| panic!("{name} is not in .ci/agent-clis.txt"));
    let when = if cli.in_ci { "needs" } else { "agent-clis wider" };
    assert!(cli.program.exists(), "{name} is not installed: run .ci/{when}");
    cli
}

fn parse(line: &'static str) -> Option<AgentCli> {
    let mut words = line.split_whitespace();
    let (name, _package, version) = (words.next()?, words.next()?, words.next()?);
    let in_ci = match words.next()? {
        "ci" => true,
        "wider" => false,
        _ => return None,
    };
    let program = folder(name, version).join("node_modules").join(words.next()?);
    words.next().is_none().then_some(AgentCli { name, version, in_ci, program })
}

fn folder(name: &str, version: &str) -> PathBuf {
    let named = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty());
    let root = named("ORCH_AGENT_CLIS").map_or_else(
        || {
            let cache = named("XDG_CACHE_HOME")
                .map_or_else(|| Path::new(&named("HOME").unwrap()).join(".cache"), PathBuf::from);
            cache.join("orch/agent-clis")
        },
        PathBuf::from,
    );
    root.join(format!("{name}-{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_program_once_and_ci_has_two() {
        let all = all();
        let mut names: Vec<_> = all.iter().map(|cli| cli.name).collect();
        let in_ci: Vec<_> = all.iter().filter(|cli| cli.in_ci).map(|cli| cli.name).collect();
        assert_eq!(in_ci, ["claude", "codex"]);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
        for name in in_ci {
            let cli = agent_cli(name);
            assert!(cli.program.ends_with(name) && cli.version.contains('.'), "{cli:?}");
        }
    }
}
