//! The paths of a confined run: what is hidden of the machine, and what is shown of that again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use orch_core::settings::Sandbox;

use super::{Owned, Work, Workplace};
use crate::engine::Engine;

/// What holds keys, other programs' doors, or other users' work, beside the home and the state
/// directory.
const HIDDEN: [&str; 8] = [
    "/root",
    "/home",
    "/run",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/ssh",
    "/etc/ssl/private",
    "/var/spool",
];
/// Toolchains in a home: the folders below it that are shown, and the variable that leads to them
/// from another home.
const TOOLS: [(&str, &str, &[&str]); 8] = [
    ("CARGO_HOME", ".cargo", &["bin", "registry", "git", "config.toml"]),
    ("RUSTUP_HOME", ".rustup", &[""]),
    ("GOPATH", "go", &[""]),
    ("NVM_DIR", ".nvm", &[""]),
    ("PYENV_ROOT", ".pyenv", &[""]),
    ("VOLTA_HOME", ".volta", &[""]),
    ("BUN_INSTALL", ".bun", &[""]),
    ("SDKMAN_DIR", ".sdkman", &[""]),
];

/// The paths of a confined run, and what its environment says of them.
pub(super) struct Paths {
    pub writable: Vec<PathBuf>,
    pub readable: Vec<PathBuf>,
    pub hidden: Vec<PathBuf>,
    pub tmp: PathBuf,
    pub environment: BTreeMap<String, String>,
}

impl Paths {
    /// Puts them together, and makes the run's own folders.
    pub fn of(
        engine: &Engine,
        owned: &Owned,
        place: &Workplace,
        settings: &Sandbox,
        work: &Work,
    ) -> io::Result<Self> {
        let user = engine.environment.get("HOME").map(PathBuf::from);
        let state = engine.home.path();
        let run = engine.home.run(&owned.owner.run_id);
        let (home, tmp) = (run.join("home"), run.join("tmp"));
        for folder in [&home, &tmp] {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let named = |list: &[String]| -> Vec<PathBuf> {
            list.iter().filter_map(|path| expand(path, user.as_deref())).collect()
        };
        let mut hidden: Vec<PathBuf> = HIDDEN.iter().map(PathBuf::from).collect();
        hidden.push(state.to_owned());
        hidden.extend(user.iter().map(|path| real(path)));
        hidden.extend(named(&settings.hidden));
        // A home of `/` would hide everything.
        hidden.retain(|path| path.components().count() > 1);

        let mut environment = BTreeMap::new();
        let mut readable = Vec::new();
        if let Some(user) = &user {
            for (variable, folder, shown) in TOOLS {
                let root = work.env.get(variable).map_or_else(|| user.join(folder), PathBuf::from);
                if root.is_dir() {
                    readable.extend(shown.iter().map(|below| real(&root.join(below))));
                    environment
                        .insert(variable.to_owned(), real(&root).to_string_lossy().into_owned());
                }
            }
        }
        if work.env.get("HOME").is_none_or(|home| user.as_deref() == Some(Path::new(home))) {
            environment.insert("HOME".into(), home.to_string_lossy().into_owned());
        }
        let own_tmp = work.env.get("TMPDIR").is_some_and(|tmp| Path::new(tmp).starts_with(&run));
        if !own_tmp {
            environment.insert("TMPDIR".into(), tmp.to_string_lossy().into_owned());
        }
        readable.push(engine.home.mirror(&owned.task.repo).join("objects"));
        readable.push(real(&engine.program));
        readable.push(PathBuf::from("/etc/resolv.conf"));
        readable.extend(work.stdin.clone());
        readable.extend(programs(work, &hidden));
        readable.extend(named(&settings.readable));
        let mut writable = vec![
            place.worktree.path().to_owned(),
            engine.home.lent(&owned.task.key),
            home,
            tmp.clone(),
        ];
        // The sessions of the role, which its home links to.
        let sessions = engine.home.task_sessions(&owned.task.key).join(owned.job.agent.as_str());
        writable.extend(Some(sessions).filter(|kept| kept.is_dir()));
        writable.extend(named(&settings.writable));
        Ok(Self {
            writable: resolved(&writable),
            readable: resolved(&readable),
            hidden: resolved(&hidden),
            tmp,
            environment,
        })
    }
}

/// A path of the settings; `None` where it is below a home and there is none.
fn expand(path: &str, user: Option<&Path>) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(below) => Some(user?.join(below)),
        None => Some(PathBuf::from(path)),
    }
}

/// The programs of the run where they would be hidden: the folders of `PATH`, what the program
/// itself is installed with, and files that its command line names.
fn programs(work: &Work, hidden: &[PathBuf]) -> Vec<PathBuf> {
    let search = work.env.get("PATH").map(String::as_str).unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(search).filter(|dir| dir.is_absolute()).collect();
    let mut shown: Vec<PathBuf> = folders.iter().map(|folder| real(folder)).collect();
    if let Some(program) = work.argv.first() {
        // A program that is named by its place stays there, whichever folder it is joined to.
        let found = folders.iter().map(|dir| dir.join(program)).find(|path| path.is_file());
        shown.extend(found.map(|found| installed_with(&real(&found))));
    }
    let words = work.argv.iter().skip(1).map(PathBuf::from);
    shown.extend(words.filter(|word| word.is_absolute() && word.is_file()).map(|word| real(&word)));
    // What holds something hidden is not shown as a whole.
    shown.retain(|path| !hidden.iter().any(|gone| gone.starts_with(path)));
    shown
}

/// The folder that a program needs around it: its packages, or the tree that its `bin` is in.
fn installed_with(program: &Path) -> PathBuf {
    let modules = program.ancestors().filter(|path| path.ends_with("node_modules")).last();
    if let Some(modules) = modules {
        return modules.to_owned();
    }
    match program.parent() {
        Some(bin) if bin.ends_with("bin") && !bin.ends_with(".local/bin") => {
            bin.parent().filter(|root| root.components().count() > 3).unwrap_or(bin).to_owned()
        }
        _ => program.to_owned(),
    }
}

/// With links resolved, as far as it is there.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn resolved(paths: &[PathBuf]) -> Vec<PathBuf> {
    let all: BTreeSet<PathBuf> = paths.iter().map(|path| real(path)).collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_comes_with_what_it_needs_and_no_more() {
        for (program, shown) in [
            ("/home/a/.npm/node_modules/@x/y/node_modules/z/cli.js", "/home/a/.npm/node_modules"),
            ("/home/a/venv/bin/tool", "/home/a/venv"),
            ("/home/a/.local/bin/tool", "/home/a/.local/bin/tool"),
            ("/home/a/bin/tool", "/home/a/bin"),
            ("/home/a/.local/share/claude/versions/2", "/home/a/.local/share/claude/versions/2"),
            ("/usr/bin/git", "/usr/bin"),
        ] {
            assert_eq!(installed_with(Path::new(program)), Path::new(shown), "{program}");
        }
    }

    #[test]
    fn paths_below_a_home_need_one() {
        let home = Some(Path::new("/home/a"));
        assert_eq!(expand("~/.m2", home), Some("/home/a/.m2".into()));
        assert_eq!(expand("/opt/x", None), Some("/opt/x".into()));
        assert_eq!(expand("~/.m2", None), None);
    }
}
