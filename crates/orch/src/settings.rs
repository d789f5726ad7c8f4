//! Reads the files that settings come from and hands their texts to the core: the service's own
//! `$ORCH_HOME/orch.toml`, the repository's `orch.toml`, the `ORCH_*` environment.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use orch_core::settings::{
    self, Loaded, MAX_FILE_BYTES, RepoSettings, ServiceSettings, SettingsFile, SettingsWarning,
    Sources,
};

use crate::env::Env;
use crate::exit::Stop;
use crate::output::{Style, note, plain_lines};

/// The name of both files.
pub const FILE_NAME: &str = "orch.toml";

/// A settings file as read.
#[derive(Debug, Clone)]
pub struct Text {
    /// Where it stands.
    pub path: PathBuf,
    shown: String,
    content: String,
}

impl Text {
    fn file(&self) -> SettingsFile<'_> {
        SettingsFile { path: &self.shown, text: &self.content }
    }

    /// The path as shown, and the text.
    pub fn into_parts(self) -> (String, String) {
        (self.shown, self.content)
    }
}

/// Reads a settings file; `None` where there is none. Fails where it can't be read, is not UTF-8
/// or is longer than settings are.
pub fn read_file(path: &Path) -> Result<Option<Text>, Stop> {
    let refuse = |what: String| {
        Stop::usage(format!("{}: {what}", path.display()))
            .hint("settings are a small UTF-8 text file; see `orch config env-example`")
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(format!("can't be read: {error}"))),
    };
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err(refuse("is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refuse(format!("can't be read: {error}")))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(refuse(format!("is longer than {MAX_FILE_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        refuse(format!("line {line} is not UTF-8"))
    })?;
    // A byte order mark is an editor's habit, not a mistake.
    let text = text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned);
    Ok(Some(Text { path: path.to_owned(), shown: path.display().to_string(), content: text }))
}

/// The service's settings.
pub fn service(env: &Env) -> anyhow::Result<Loaded<ServiceSettings>> {
    let file = read_file(&env.home()?.join(FILE_NAME))?;
    let sources =
        Sources { service: file.as_ref().map(Text::file), repository: None, env: env.vars() };
    Ok(settings::load_service(&sources)?)
}

/// One repository's settings: its own file over the service's.
pub fn repo(env: &Env, own: Option<&Text>) -> anyhow::Result<Loaded<RepoSettings>> {
    let service = match env.home() {
        Ok(home) => read_file(&home.join(FILE_NAME))?,
        Err(_) => None,
    };
    let sources = Sources {
        service: service.as_ref().map(Text::file),
        repository: own.map(Text::file),
        env: env.vars(),
    };
    Ok(settings::load_repo(&sources)?)
}

/// Settings from a text that is not on disk yet, under the name of its file to be.
pub fn repo_from(env: &Env, path: &Path, text: &str) -> anyhow::Result<Loaded<RepoSettings>> {
    let shown = path.display().to_string();
    repo(env, Some(&Text { path: path.to_owned(), shown, content: text.to_owned() }))
}

/// The `orch.toml` that a folder belongs to: in it or above it, up to the repository's root.
pub fn nearest_file(folder: &Path) -> Result<Option<Text>, Stop> {
    for dir in folder.ancestors() {
        if let Some(text) = read_file(&dir.join(FILE_NAME))? {
            return Ok(Some(text));
        }
        if dir.join(".git").exists() {
            break;
        }
    }
    Ok(None)
}

/// Says on stderr what was accepted but will surprise.
pub fn warn(env: &Env, warnings: &[SettingsWarning]) {
    let style = Style::for_stderr(env);
    for warning in warnings {
        note(format!("{} {}", style.yellow("warning:"), plain_lines(&warning.to_string())));
    }
}
