//! Qwen Code.

use orch_testkit::agent_clis::AgentCli;
use serde_json::json;

use crate::Setting;
use crate::run::Invocation;

pub(crate) fn invocation(cli: &AgentCli, setting: &Setting<'_>) -> Invocation {
    let folder = setting.home.join(".qwen");
    std::fs::create_dir_all(&folder).expect("the home is a new folder");
    let settings = json!({"model": {"generationConfig": {"maxRetries": 1}}});
    std::fs::write(folder.join("settings.json"), settings.to_string())
        .expect("the home is a new folder");
    let invocation = Invocation::new(cli, setting.home)
        .args("--output-format stream-json --approval-mode yolo --auth-type openai")
        .env("OPENAI_BASE_URL", &format!("{}/v1", setting.base_url))
        .env("OPENAI_API_KEY", "sk-test")
        .env("OPENAI_MODEL", "fake-model");
    match setting.resume {
        Some(session) => invocation.args(&format!("--resume {session}")),
        None => invocation,
    }
}
