//! Claude Code.

use orch_testkit::agent_clis::AgentCli;

use crate::Setting;
use crate::run::Invocation;

pub(crate) fn invocation(cli: &AgentCli, setting: &Setting<'_>) -> Invocation {
    let args = "-p --output-format stream-json --verbose --permission-mode acceptEdits \
                --allowedTools Bash --model claude-sonnet-4-5";
    let invocation = Invocation::new(cli, setting.home)
        .args(args)
        .env("ANTHROPIC_BASE_URL", setting.base_url)
        .env("ANTHROPIC_API_KEY", "sk-test")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("CLAUDE_CODE_MAX_RETRIES", "2")
        .env("API_TIMEOUT_MS", "60000");
    match setting.resume {
        Some(session) => invocation.args(&format!("--resume {session}")),
        None => invocation,
    }
}
