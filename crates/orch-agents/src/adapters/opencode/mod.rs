//! OpenCode (`opencode run --format json`): one headless run per brief, its events as JSON lines.
//!
//! It says nothing at its end: the last step does. Where an answer breaks off or is no answer at
//! all it asks again for ever, twice a second, and calls each time a step of unknown reason; those
//! are counted. Its sessions are rows of a database, so the whole folder is kept.

mod stream;

use orch_core::outcome::Demands;
use orch_core::process::{Polite, StepWatch};
use orch_core::settings::Adapter;

use super::descriptor::{AdapterConfig, Descriptor, Invocation, Session, as_found, program};
use crate::launch::{AgentError, LaunchContext};

/// OpenCode.
pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    adapter: Adapter::Opencode,
    program: "opencode",
    passes: &[
        "OPENCODE_CONFIG",
        "OPENCODE_CONFIG_CONTENT",
        "OPENCODE_CONFIG_DIR",
        "OPENCODE_AUTH_CONTENT",
        "OPENCODE_API_KEY",
        "OPENCODE_PURE",
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "OPENROUTER_API_KEY",
    ],
    keys: &[
        "OPENCODE_AUTH_CONTENT",
        "OPENCODE_CONFIG_CONTENT",
        "OPENCODE_API_KEY",
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "OPENROUTER_API_KEY",
    ],
    login_file: Some(".local/share/opencode/auth.json"),
    login_remedy: "set a provider's key for the service, or run `opencode auth login` once",
    sessions: Some(".local/share/opencode"),
    own_home: true,
    demands: Demands { closing: true, change: true },
    polite: &[Polite::Int, Polite::Term],
    version_args: &["--version"],
    native: as_found,
    launch,
    mapper: || Box::new(stream::Opencode),
    steps,
};

/// Steps of unknown reason after which it goes in circles: some come from a single broken answer.
const BROKEN_STEPS: u32 = 20;

fn launch(config: &AdapterConfig, context: &LaunchContext) -> Result<Invocation, AgentError> {
    let mut argv = program(config, context)?;
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["run", "--format", "json", "--auto"]);
    if let Some(model) = &config.model {
        add(&["--model", model]);
    }
    let session = match &context.session {
        Session::New { .. } => None,
        Session::Resume { id } => {
            add(&["--session", id]);
            Some(id.clone())
        }
    };
    argv.extend(config.args.iter().cloned());
    // Its own retries, which last a minute or as long as the provider asks for, stand in its log alone.
    let env = [
        ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1"),
        ("OPENCODE_PRINT_LOGS", "1"),
        ("OPENCODE_LOG_LEVEL", "ERROR"),
    ];
    Ok(Invocation {
        argv,
        env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        files: Vec::new(),
        session,
    })
}

fn steps(limit: Option<u32>, repeats: Option<u32>) -> Vec<StepWatch> {
    let marks = |marks: &[&str]| marks.iter().map(|mark| (*mark).to_owned()).collect();
    vec![
        StepWatch {
            marks: marks(&[r#""type":"tool_use""#]),
            same: Some("input".to_owned()),
            limit,
            repeats,
        },
        StepWatch {
            marks: marks(&[r#""type":"step_finish""#, r#""reason":"unknown""#]),
            same: None,
            limit: Some(BROKEN_STEPS),
            repeats: None,
        },
    ]
}
