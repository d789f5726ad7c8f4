//! `orch config`: what is in force and where it came from.

use std::path::PathBuf;
use std::process::ExitCode;

use orch_core::settings::{Setting, SettingsWarning, Source, env_example};
use serde_json::json;

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::{Out, Table};
use crate::settings::{self, Text};

/// Show or check the settings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show every effective setting and where it came from.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check the service's settings and those of a repository; exit 2 where something is wrong.
    Check {
        /// The orch.toml to check; without it that of the current repository.
        file: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a .env.example with every key, its default and its meaning.
    EnvExample,
}

/// Runs the command.
pub fn run(command: Command, env: &Env) -> anyhow::Result<ExitCode> {
    match command {
        Command::Show { json } => show(json, env),
        Command::Check { file, json } => check(file, json, env),
        Command::EnvExample => {
            Out::new(env).raw(env_example().as_bytes())?;
            Ok(Exit::Done.into())
        }
    }
}

/// Everything in force here, and what is worth a warning.
struct InForce {
    file: Option<Text>,
    settings: Vec<Setting>,
    warnings: Vec<SettingsWarning>,
}

fn in_force(file: Option<Text>, env: &Env) -> anyhow::Result<InForce> {
    let service = settings::service(env)?;
    let repo = settings::repo(env, file.as_ref())?;
    let mut all = service.settings;
    all.extend(repo.settings);
    let mut warnings = service.warnings;
    warnings.extend(repo.warnings);
    Ok(InForce { file, settings: all, warnings })
}

fn show(as_json: bool, env: &Env) -> anyhow::Result<ExitCode> {
    let found = in_force(settings::nearest_file(env.cwd())?, env)?;
    let out = Out::new(env);
    settings::warn(env, &found.warnings);
    if as_json {
        let rows: Vec<_> = found.settings.iter().map(row_json).collect();
        out.json(&rows)?;
        return Ok(Exit::Done.into());
    }
    let mut table = Table::new(&["KEY", "VALUE", "SOURCE", "ENVIRONMENT"]);
    for setting in &found.settings {
        table.row([
            setting.key.clone(),
            setting.value.clone().unwrap_or_else(|| "-".to_owned()),
            setting.source.to_string(),
            setting.env.clone(),
        ]);
    }
    out.table(&table, "no settings")?;
    Ok(Exit::Done.into())
}

fn row_json(setting: &Setting) -> serde_json::Value {
    let source = match &setting.source {
        Source::Default => json!({ "kind": "default" }),
        Source::File { path, line } => json!({ "kind": "file", "path": path, "line": line }),
        Source::Env(name) => json!({ "kind": "environment", "name": name }),
    };
    json!({ "key": setting.key, "env": setting.env, "value": setting.value, "source": source })
}

fn check(file: Option<PathBuf>, as_json: bool, env: &Env) -> anyhow::Result<ExitCode> {
    let file = match file {
        None => settings::nearest_file(env.cwd())?,
        Some(path) => Some(settings::read_file(&env.cwd().join(&path))?.ok_or_else(|| {
            Stop::not_found(format!("{}: no such file", path.display()))
                .hint("name an orch.toml, or run `orch init` in the repository")
        })?),
    };
    let found = in_force(file, env)?;
    super::pipeline::resolve(env, found.file.as_ref())?;
    let out = Out::new(env);
    let shown = found.file.as_ref().map(|file| file.path.display().to_string());
    if as_json {
        let warnings: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
        out.json(&json!({ "ok": true, "file": shown, "warnings": warnings }))?;
        return Ok(Exit::Done.into());
    }
    settings::warn(env, &found.warnings);
    let what =
        shown.unwrap_or_else(|| "no orch.toml here; the environment and defaults".to_owned());
    out.line(format!("{} {what}", out.style.green("ok:")))?;
    Ok(Exit::Done.into())
}
