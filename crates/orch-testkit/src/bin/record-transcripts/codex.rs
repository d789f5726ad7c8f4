//! Codex.

use orch_testkit::agent_clis::AgentCli;

use crate::Setting;
use crate::run::Invocation;

pub(crate) fn invocation(cli: &AgentCli, setting: &Setting<'_>) -> Invocation {
    let provider = format!(
        "model_providers.fake={{name=\"fake\",base_url=\"{}/v1\",wire_api=\"responses\",\
         env_key=\"FAKE_KEY\",request_max_retries=1,stream_max_retries=1,\
         stream_idle_timeout_ms=60000}}",
        setting.base_url
    );
    let codex_home = setting.home.join(".codex");
    std::fs::create_dir_all(&codex_home).expect("the home is a new folder");
    let invocation = Invocation::new(cli, setting.home)
        .args("exec --json --skip-git-repo-check -s workspace-write -c model_provider=\"fake\"")
        .args("-c model=\"gpt-5-codex\" -c")
        .arg(&provider)
        .env("FAKE_KEY", "sk-test")
        .env("CODEX_HOME", &codex_home.display().to_string());
    match setting.resume {
        Some(session) => invocation.args(&format!("resume {session} -")),
        None => invocation,
    }
}
