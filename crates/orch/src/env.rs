//! The environment and the paths derived from it, read once: the only place of this crate that
//! asks the process about either.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::IsTerminal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::exit::Stop;

/// What the process was started with.
#[derive(Debug, Clone)]
pub struct Env {
    home: Option<PathBuf>,
    cwd: PathBuf,
    vars: BTreeMap<String, String>,
    all: BTreeMap<String, String>,
    search_path: Option<OsString>,
    program: Option<PathBuf>,
    host: String,
    /// Whether stdout is a terminal.
    pub stdout_terminal: bool,
    /// Whether stderr is a terminal.
    pub stderr_terminal: bool,
    /// Whether the user wants no colour.
    pub no_color: bool,
    /// Columns of the terminal; `None` where there is none.
    pub columns: Option<usize>,
}

impl Env {
    /// Reads the environment. Fails where the current directory is gone or an `ORCH_*` value is
    /// not UTF-8.
    pub fn read() -> Result<Self, Stop> {
        let cwd = std::env::current_dir().map_err(|error| {
            Stop::failed(format!("the current directory can't be read: {error}"))
                .hint("change into a directory that exists")
        })?;
        let (mut vars, mut all) = (BTreeMap::new(), BTreeMap::new());
        for (key, value) in std::env::vars_os() {
            let Some(key) = key.to_str() else { continue };
            match value.into_string() {
                Ok(value) => {
                    if key.starts_with("ORCH_") {
                        vars.insert(key.to_owned(), value.clone());
                    }
                    all.insert(key.to_owned(), value);
                }
                Err(_) if key.starts_with("ORCH_") => {
                    return Err(Stop::usage(format!("the value of {key} is not UTF-8")));
                }
                Err(_) => {}
            }
        }
        let lookup = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty());
        Ok(Self {
            home: state_dir(lookup).map(|home| cwd.join(home)),
            cwd,
            vars,
            all,
            search_path: std::env::var_os("PATH"),
            program: std::env::current_exe().ok(),
            host: host(),
            stdout_terminal: std::io::stdout().is_terminal(),
            stderr_terminal: std::io::stderr().is_terminal(),
            no_color: lookup("NO_COLOR").is_some()
                || std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
            columns: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
        })
    }

    /// The state directory. Fails where neither `ORCH_HOME` nor a home directory is known.
    pub fn home(&self) -> Result<&Path, Stop> {
        self.home.as_deref().ok_or_else(|| {
            Stop::usage("no state directory: neither ORCH_HOME, XDG_STATE_HOME nor HOME is set")
                .hint("set ORCH_HOME to a directory of your own")
        })
    }

    /// The directory the command was started in.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// The `ORCH_*` variables.
    pub fn vars(&self) -> &BTreeMap<String, String> {
        &self.vars
    }

    /// Every variable that is UTF-8.
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.all
    }

    /// The same environment with one `ORCH_*` variable set.
    pub fn with_var(&self, name: &str, value: String) -> Self {
        let mut env = self.clone();
        env.vars.insert(name.to_owned(), value);
        env
    }

    /// The same environment on another state directory, with only some of the `ORCH_*` variables.
    pub fn at(&self, home: &Path, keep: impl Fn(&str) -> bool) -> Self {
        let mut env = self.clone();
        env.home = Some(home.to_owned());
        env.vars.retain(|name, _| keep(name));
        env
    }

    /// This program, for supervisors and scripted agents. Fails where the system can't tell.
    pub fn program(&self) -> Result<PathBuf, Stop> {
        self.program.clone().ok_or_else(|| {
            Stop::failed("the path of orch itself is unknown")
                .hint("start orch by a path that exists, with /proc mounted")
        })
    }

    /// Who calls, as the shell says; `None` where it does not.
    pub fn user(&self) -> Option<String> {
        self.all.get("USER").filter(|name| !name.is_empty()).cloned()
    }

    /// This machine's name; `localhost` where it has none.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Finds an executable on `PATH`; `None` where there is none.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        let search_path = self.search_path.as_ref()?;
        std::env::split_paths(search_path).map(|dir| dir.join(name)).find(|path| {
            fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        })
    }
}

fn host() -> String {
    let read = fs::read_to_string("/proc/sys/kernel/hostname");
    let name = read.as_deref().unwrap_or_default().trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// `$ORCH_HOME`, else the platform's state directory: `$XDG_STATE_HOME/orchestrator` or
/// `~/.local/state/orchestrator`. An empty value counts as unset, and so does a relative
/// `XDG_STATE_HOME`, as the XDG specification asks.
fn state_dir(var: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(home) = var("ORCH_HOME") {
        return Some(PathBuf::from(home));
    }
    let xdg = var("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = xdg.or_else(|| Some(PathBuf::from(var("HOME")?).join(".local/state")))?;
    Some(state.join("orchestrator"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_follows_the_platform_unless_told_otherwise() {
        type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
        let table: &[Row<'_>] = &[
            (&[("ORCH_HOME", "/o"), ("HOME", "/h")], Some("/o")),
            (&[("XDG_STATE_HOME", "/x"), ("HOME", "/h")], Some("/x/orchestrator")),
            (&[("XDG_STATE_HOME", "rel"), ("HOME", "/h")], Some("/h/.local/state/orchestrator")),
            (&[("HOME", "/h")], Some("/h/.local/state/orchestrator")),
            (&[], None),
        ];
        for (vars, expected) in table {
            let var = |key: &str| {
                vars.iter().find(|(k, _)| *k == key).map(|(_, value)| OsString::from(value))
            };
            assert_eq!(state_dir(var), expected.map(PathBuf::from), "{vars:?}");
        }
    }
}
