//! Claude Code (`claude`): one headless run per brief, its stream as JSON lines.
//!
//! Its home keeps sessions in `.claude/projects`; a session resumes from there alone, also in
//! another home. Its `result` says how it ended; an exit code of 0 does not.

pub(super) mod stream;

use orch_core::outcome::Demands;
use orch_core::process::Polite;
use orch_core::settings::Adapter;

use super::descriptor::{
    AdapterConfig, Descriptor, Invocation, as_found, claude_steps, named_session, program,
};
use crate::launch::{AgentError, LaunchContext};

/// Claude Code.
pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    adapter: Adapter::Claude,
    program: "claude",
    passes: &[
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "CLAUDE_CODE_OAUTH_TOKEN",
    ],
    keys: &["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
    login_file: Some(".claude/.credentials.json"),
    login_remedy: "set ANTHROPIC_API_KEY for the service, or run `claude` once and log in",
    sessions: Some(".claude/projects"),
    own_home: true,
    demands: Demands { closing: true, change: true },
    polite: &[Polite::Int, Polite::Term],
    version_args: &["--version"],
    native: as_found,
    launch,
    mapper: || Box::new(stream::Claude),
    steps: claude_steps,
};

/// Tries again by itself: the back-off is the service's own (by itself it goes on for three
/// minutes, also against a refused login).
const RETRIES: &str = "2";
/// How long it waits for an answer where no stall limit bounds it, in milliseconds: its own default.
const ANSWER_MS: u128 = 600_000;

fn launch(config: &AdapterConfig, context: &LaunchContext) -> Result<Invocation, AgentError> {
    let mut argv = program(config, context)?;
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["-p", "--output-format", "stream-json", "--verbose"]);
    add(&["--permission-mode", "acceptEdits", "--allowedTools", "Bash"]);
    if let Some(model) = &config.model {
        add(&["--model", model]);
    }
    let session = named_session(&mut argv, &context.session);
    argv.extend(config.args.iter().cloned());
    // Two of its waits have to fit into the silence that is allowed, so that it says why.
    let answer =
        context.stall.map_or(ANSWER_MS, |stall| (stall.as_millis() / 3).clamp(1000, ANSWER_MS));
    let env = [
        ("CLAUDE_CODE_MAX_RETRIES", RETRIES.to_owned()),
        ("API_TIMEOUT_MS", answer.to_string()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
    ];
    Ok(Invocation {
        argv,
        env: env.map(|(name, value)| (name.to_owned(), value)).into(),
        files: Vec::new(),
        session: Some(session),
    })
}
