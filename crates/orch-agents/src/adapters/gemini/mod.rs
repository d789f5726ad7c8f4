//! Gemini CLI (`gemini --output-format stream-json`): one headless run per brief, its events as
//! JSON lines.
//!
//! Without settings that say how to log in it ends at once, so they are written into its home. It
//! starts itself once more unless told not to, and that child would outlive it.

mod stream;

use orch_core::outcome::Demands;
use orch_core::process::{Polite, StepWatch};
use orch_core::settings::Adapter;

use super::descriptor::{AdapterConfig, Descriptor, Invocation, as_found, named_session, program};
use crate::launch::{AgentError, LaunchContext};

/// Gemini CLI.
pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    adapter: Adapter::Gemini,
    program: "gemini",
    passes: &["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_CLOUD_PROJECT"],
    keys: &["GEMINI_API_KEY"],
    login_file: Some(".gemini/oauth_creds.json"),
    login_remedy: "set GEMINI_API_KEY for the service, or run `gemini` once and log in",
    sessions: Some(".gemini"),
    own_home: true,
    demands: Demands { closing: true, change: true },
    polite: &[Polite::Int, Polite::Term],
    version_args: &["--version"],
    native: as_found,
    launch,
    mapper: || Box::new(stream::Gemini::default()),
    steps,
};

/// Attempts at one answer: the back-off is the service's own (by itself it makes ten, which take
/// four minutes).
const ATTEMPTS: u32 = 2;

fn launch(config: &AdapterConfig, context: &LaunchContext) -> Result<Invocation, AgentError> {
    let mut argv = program(config, context)?;
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["--output-format", "stream-json", "--approval-mode", "yolo", "--skip-trust"]);
    if let Some(model) = &config.model {
        add(&["-m", model]);
    }
    let session = named_session(&mut argv, &context.session);
    argv.extend(config.args.iter().cloned());
    let keyed = context.inherited_env.get("GEMINI_API_KEY").is_some_and(|key| !key.is_empty());
    let login = if keyed { "gemini-api-key" } else { "oauth-personal" };
    let settings = serde_json::json!({
        "security": {"auth": {"selectedType": login}},
        "general": {"maxAttempts": ATTEMPTS, "disableAutoUpdate": true},
    });
    Ok(Invocation {
        argv,
        env: [("GEMINI_CLI_NO_RELAUNCH".to_owned(), "true".to_owned())].into(),
        files: vec![(".gemini/settings.json".into(), settings.to_string())],
        session: Some(session),
    })
}

fn steps(limit: Option<u32>, repeats: Option<u32>) -> Vec<StepWatch> {
    let marks = vec![r#""type":"tool_use""#.to_owned()];
    vec![StepWatch { marks, same: Some("parameters".to_owned()), limit, repeats }]
}
