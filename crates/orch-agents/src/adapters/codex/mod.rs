//! Codex (`codex exec --json`): one headless run per brief, its events as JSON lines.
//!
//! Its sessions are in `.codex/sessions`; a thread resumes from there alone. The package's `codex`
//! is a wrapper that outlives nothing and is outlived by everything: the native program behind it
//! is started instead.

mod native;
mod stream;

use orch_core::outcome::Demands;
use orch_core::process::{Polite, StepWatch};
use orch_core::settings::Adapter;

use super::descriptor::{AdapterConfig, Descriptor, Invocation, Session, program};
use crate::launch::{AgentError, LaunchContext, utf8};

/// Codex.
pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    adapter: Adapter::Codex,
    program: "codex",
    passes: &["OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_API_KEY"],
    keys: &["OPENAI_API_KEY", "CODEX_API_KEY"],
    login_file: Some(".codex/auth.json"),
    login_remedy: "set OPENAI_API_KEY for the service, or run `codex login` once",
    sessions: Some(".codex/sessions"),
    own_home: true,
    demands: Demands { closing: true, change: true },
    polite: &[Polite::Int, Polite::Term],
    version_args: &["--version"],
    native: native::behind,
    launch,
    mapper: || Box::new(stream::Codex),
    steps,
};

/// The provider's address where none is given.
const OPENAI: &str = "https://api.openai.com/v1";
/// Tries again by itself, of requests and of streams: the back-off is the service's own.
const RETRIES: u32 = 1;
/// The longest silence within a stream, in milliseconds, where no stall limit bounds it.
const SILENCE_MS: u128 = 300_000;

fn launch(config: &AdapterConfig, context: &LaunchContext) -> Result<Invocation, AgentError> {
    let mut argv = program(config, context)?;
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["exec", "--json", "--skip-git-repo-check", "-s", "workspace-write"]);
    if let Some(model) = &config.model {
        add(&["-c", &format!("model={}", toml_text(model))]);
    }
    for setting in provider(context) {
        add(&["-c", &setting]);
    }
    argv.extend(config.args.iter().cloned());
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    let session = match &context.session {
        Session::New { .. } => {
            add(&["-"]);
            None
        }
        Session::Resume { id } => {
            add(&["resume", id, "-"]);
            Some(id.clone())
        }
    };
    let mut env = std::collections::BTreeMap::new();
    if let Some(home) = &context.home {
        env.insert("CODEX_HOME".to_owned(), utf8(&home.join(".codex"))?);
    }
    Ok(Invocation { argv, env, files: Vec::new(), session })
}

/// With a key, a provider of our own naming: the built-in one's retries can't be set. Without one,
/// the built-in provider with its login.
fn provider(context: &LaunchContext) -> Vec<String> {
    let given = |name: &str| context.inherited_env.get(name).filter(|value| !value.is_empty());
    let key = ["OPENAI_API_KEY", "CODEX_API_KEY"].into_iter().find(|name| given(name).is_some());
    let Some(key) = key else { return Vec::new() };
    let base = given("OPENAI_BASE_URL").map_or(OPENAI, String::as_str);
    let silence =
        context.stall.map_or(SILENCE_MS, |stall| (stall.as_millis() / 3).clamp(1000, SILENCE_MS));
    let settings = format!(
        "model_providers.orch={{name=\"orch\",base_url={},wire_api=\"responses\",env_key=\"{key}\",\
         request_max_retries={RETRIES},stream_max_retries={RETRIES},stream_idle_timeout_ms={silence}}}",
        toml_text(base)
    );
    vec!["model_provider=\"orch\"".to_owned(), settings]
}

/// A text as TOML, which is how the program reads its settings.
fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn steps(limit: Option<u32>, repeats: Option<u32>) -> Vec<StepWatch> {
    let marks = vec![r#""type":"item.started""#.to_owned()];
    vec![StepWatch { marks, same: Some("command".to_owned()), limit, repeats }]
}
