//! How each program is configured.

use std::path::Path;

use orch_testkit::agent_clis::{self, AgentCli};
use serde_json::json;

/// A program, driven in one way.
#[derive(Clone)]
pub(crate) struct Program {
    /// The program's name, `+acp` after it where the protocol drives it.
    pub(crate) name: String,
    pub(crate) cli: AgentCli,
    protocol: bool,
}

/// The key that every provider takes.
const KEY: &str = "sk-test";

/// Every program that is here, in each way it can be driven.
pub(crate) fn installed() -> Vec<Program> {
    let ways = |cli: AgentCli| -> Vec<Program> {
        let own = Program { name: cli.name.to_owned(), cli: cli.clone(), protocol: false };
        let protocol = Program { name: format!("{}+acp", cli.name), cli, protocol: true };
        match own.cli.name {
            "claude" | "codex" => vec![own],
            "claude-acp" | "codex-acp" => vec![Program { name: own.name, ..protocol }],
            _ => vec![own, protocol],
        }
    };
    agent_clis::installed().into_iter().flat_map(ways).collect()
}

impl Program {
    /// The table `[agents.default]`; silence is ended after `stall` seconds.
    pub(crate) fn settings(&self, stall: u32, more: &str) -> String {
        let mut argv = vec![self.cli.program.display().to_string()];
        let adapter = if self.protocol { "acp" } else { self.cli.name };
        if self.protocol {
            argv.extend(self.protocol_words().iter().map(|word| (*word).to_owned()));
        }
        let model = match (self.protocol, self.cli.name) {
            (true, _) => "",
            (_, "claude") => "model = \"claude-sonnet-4-5\"\n",
            (_, "codex") => "model = \"gpt-5-codex\"\n",
            (_, "gemini") => "model = \"gemini-2.5-flash\"\n",
            (_, "opencode") => "model = \"fake/fake-model\"\n",
            _ => "model = \"fake-model\"\n",
        };
        let passed: Vec<String> =
            self.environment("").into_iter().map(|(name, _)| name.to_owned()).collect();
        format!(
            "[agents.default]\nadapter = \"{adapter}\"\ncommand = {argv:?}\n{model}\
             stall = \"{stall}s\"\nenv = {passed:?}\n{more}\n"
        )
    }

    fn protocol_words(&self) -> &'static [&'static str] {
        match self.cli.name {
            "gemini" | "qwen" => &["--acp"],
            "opencode" => &["acp"],
            _ => &[],
        }
    }

    /// What the service's environment holds for it.
    pub(crate) fn environment(&self, base: &str) -> Vec<(&'static str, String)> {
        let v1 = format!("{base}/v1");
        let key = || KEY.to_owned();
        match self.cli.name {
            "claude" | "claude-acp" => vec![
                ("ANTHROPIC_API_KEY", key()),
                ("ANTHROPIC_BASE_URL", base.to_owned()),
                ("IS_SANDBOX", "1".to_owned()),
                ("CLAUDE_CODE_MAX_RETRIES", "2".to_owned()),
            ],
            "codex" | "codex-acp" => vec![("OPENAI_API_KEY", key()), ("OPENAI_BASE_URL", v1)],
            "gemini" => vec![
                ("GEMINI_API_KEY", key()),
                ("GOOGLE_GEMINI_BASE_URL", base.to_owned()),
                ("GEMINI_CLI_NO_RELAUNCH", "true".to_owned()),
            ],
            "opencode" => vec![
                ("OPENCODE_CONFIG_CONTENT", opencode(&v1)),
                ("OPENCODE_PURE", "1".to_owned()),
                ("OPENCODE_DISABLE_AUTOUPDATE", "1".to_owned()),
                ("OPENCODE_DISABLE_MODELS_FETCH", "1".to_owned()),
            ],
            _ => vec![
                ("OPENAI_API_KEY", key()),
                ("OPENAI_BASE_URL", v1),
                ("OPENAI_MODEL", "fake-model".to_owned()),
            ],
        }
    }

    /// Writes what it wants to find in the user's home.
    pub(crate) fn furnish(&self, home: &Path, base: &str) {
        let file = |path: &str, text: String| {
            let path = home.join(path);
            std::fs::create_dir_all(path.parent().expect("it was joined")).expect("a new home");
            std::fs::write(path, text).expect("a new home");
        };
        match (self.protocol, self.cli.name) {
            (true, "gemini") => {
                let login = json!({"security": {"auth": {"selectedType": "gemini-api-key"}},
                    "general": {"maxAttempts": 2}});
                file(".gemini/settings.json", login.to_string());
            }
            (true, "qwen") => {
                let login = json!({"security": {"auth": {"selectedType": "openai"}},
                    "model": {"generationConfig": {"maxRetries": 1}}});
                file(".qwen/settings.json", login.to_string());
            }
            (true, "codex-acp") => file(".codex/config.toml", codex(base)),
            _ => {}
        }
    }
}

fn opencode(v1: &str) -> String {
    json!({
        "autoupdate": false, "share": "disabled",
        "model": "fake/fake-model", "small_model": "fake/fake-model",
        "provider": {"fake": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": v1, "apiKey": KEY},
            "models": {"fake-model": {"limit": {"context": 128_000, "output": 8192}}},
        }},
        "permission": {"bash": {"*": "allow", "curl *": "deny"}},
    })
    .to_string()
}

fn codex(base: &str) -> String {
    format!(
        "model = \"gpt-5-codex\"\nmodel_provider = \"fake\"\n[model_providers.fake]\n\
         name = \"fake\"\nbase_url = \"{base}/v1\"\nwire_api = \"responses\"\n\
         env_key = \"OPENAI_API_KEY\"\nrequest_max_retries = 1\nstream_max_retries = 1\n"
    )
}
