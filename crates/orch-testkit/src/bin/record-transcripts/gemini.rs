//! Gemini CLI.

use orch_testkit::agent_clis::AgentCli;
use serde_json::json;

use crate::Setting;
use crate::run::Invocation;

pub(crate) fn invocation(cli: &AgentCli, setting: &Setting<'_>) -> Invocation {
    let folder = setting.home.join(".gemini");
    std::fs::create_dir_all(&folder).expect("the home is a new folder");
    let settings = json!({
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"maxAttempts": 2},
    });
    std::fs::write(folder.join("settings.json"), settings.to_string())
        .expect("the home is a new folder");
    let invocation = Invocation::new(cli, setting.home)
        .args("--output-format stream-json --approval-mode yolo --skip-trust -m gemini-2.5-flash")
        .env("GOOGLE_GEMINI_BASE_URL", setting.base_url)
        .env("GEMINI_API_KEY", "sk-test")
        .env("GEMINI_CLI_NO_RELAUNCH", "true");
    match setting.resume {
        Some(session) => invocation.args(&format!("--resume {session}")),
        None => invocation,
    }
}
