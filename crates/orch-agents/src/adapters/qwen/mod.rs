//! Qwen Code (`qwen --output-format stream-json`): one headless run per brief. It speaks Claude
//! Code's stream in the main.

mod stream;

use orch_core::outcome::Demands;
use orch_core::process::Polite;
use orch_core::settings::Adapter;

use super::descriptor::{
    AdapterConfig, Descriptor, Invocation, as_found, claude_steps, named_session, program,
};
use crate::launch::{AgentError, LaunchContext};

/// Qwen Code.
pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    adapter: Adapter::Qwen,
    program: "qwen",
    passes: &["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "DASHSCOPE_API_KEY"],
    keys: &["OPENAI_API_KEY"],
    login_file: Some(".qwen/oauth_creds.json"),
    login_remedy: "set OPENAI_API_KEY and OPENAI_BASE_URL for the service, or run `qwen` once and \
                   log in",
    sessions: Some(".qwen"),
    own_home: true,
    demands: Demands { closing: true, change: true },
    polite: &[Polite::Int, Polite::Term],
    version_args: &["--version"],
    native: as_found,
    launch,
    mapper: || Box::new(stream::Qwen::default()),
    steps: claude_steps,
};

/// Tries again by itself, beside six that no setting takes from it and that last over a minute: the
/// back-off is the service's own (by itself it makes ten of these, each a minute and more apart).
const RETRIES: u32 = 0;

fn launch(config: &AdapterConfig, context: &LaunchContext) -> Result<Invocation, AgentError> {
    let mut argv = program(config, context)?;
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["--output-format", "stream-json", "--approval-mode", "yolo"]);
    let keyed = context.inherited_env.get("OPENAI_API_KEY").is_some_and(|key| !key.is_empty());
    add(&["--auth-type", if keyed { "openai" } else { "qwen-oauth" }]);
    if let Some(model) = &config.model {
        add(&["-m", model]);
    }
    let session = named_session(&mut argv, &context.session);
    argv.extend(config.args.iter().cloned());
    let settings = serde_json::json!({
        "general": {"disableAutoUpdate": true},
        "model": {"generationConfig": {"maxRetries": RETRIES}},
    });
    Ok(Invocation {
        argv,
        env: [("QWEN_CODE_SUPPRESS_YOLO_WARNING".to_owned(), "1".to_owned())].into(),
        files: vec![(".qwen/settings.json".into(), settings.to_string())],
        session: Some(session),
    })
}
