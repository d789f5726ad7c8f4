//! OpenCode.

use orch_testkit::agent_clis::AgentCli;
use serde_json::json;

use crate::Setting;
use crate::run::Invocation;

pub(crate) fn invocation(cli: &AgentCli, setting: &Setting<'_>) -> Invocation {
    let config = json!({
        "autoupdate": false, "share": "disabled",
        "model": "fake/fake-model", "small_model": "fake/fake-model",
        "provider": {"fake": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": format!("{}/v1", setting.base_url), "apiKey": "sk-test"},
            "models": {"fake-model": {"limit": {"context": 128_000, "output": 8192}}},
        }},
    });
    let invocation = Invocation::new(cli, setting.home)
        .args("run --format json --auto")
        .env("OPENCODE_CONFIG_CONTENT", &config.to_string())
        .env("OPENCODE_DISABLE_AUTOUPDATE", "1")
        .env("OPENCODE_DISABLE_DEFAULT_PLUGINS", "1")
        .env("OPENCODE_PURE", "1")
        .env("OPENCODE_DISABLE_MODELS_FETCH", "1");
    match setting.resume {
        Some(session) => invocation.args(&format!("--session {session}")),
        None => invocation,
    }
}
