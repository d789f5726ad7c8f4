//! One task of one agent program: a repository, the service, the provider.

use std::path::PathBuf;

use orch_testkit::provider::FakeProvider;
use orch_testkit::{Orch, Repository, agent_clis, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// The key under which the provider keeps a bed's requests.
pub const KEY: &str = "bed";
/// A key that must stand in no file that outlives its run.
pub const SECRET: &str = "sk-test-0123456789abcdef";

/// The programs that every machine has.
pub const CLIS: [&str; 2] = ["claude", "codex"];

/// The stages of a small pipeline.
pub const DEVELOPMENT: &str = r#"["development"]"#;

/// What stands around one task.
pub struct Bed {
    pub root: tempfile::TempDir,
    pub repository: Repository,
    pub provider: FakeProvider,
    pub orch: Orch,
}

impl Bed {
    /// A repository whose roles are worked by `cli`, against the provider's `scenario`.
    pub fn new(cli: &str, scenario: &str, stages: &str, more: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let program = agent_clis::agent_cli(cli).program.display().to_string();
        let settings = format!(
            "[repository]\nname = \"hello\"\nkey_prefix = \"HELLO\"\n[pipeline]\nstages = {stages}\n\
             [agents.default]\nadapter = \"{cli}\"\ncommand = [\"{program}\"]\nmodel = \"{}\"\n{more}\n\
             [budgets]\nbackoff_base = \"50ms\"\nbackoff_cap = \"100ms\"\ninfra = 1\n",
            if cli == "claude" { "claude-sonnet-4-5" } else { "gpt-5-codex" },
        );
        let files = [("orch.toml", settings.as_str()), ("hello.txt", "hello\n")];
        let repository = Repository::make(root.path(), "hello", &files);
        let provider = FakeProvider::start();
        let base = provider.base_url(scenario, KEY);
        let orch = Orch::new(PROGRAM, root.path())
            .with("ANTHROPIC_API_KEY", SECRET)
            .with("ANTHROPIC_BASE_URL", &base)
            .with("OPENAI_API_KEY", SECRET)
            .with("OPENAI_BASE_URL", &format!("{base}/v1"))
            .with("IS_SANDBOX", "1");
        orch.ok(&repository.checkout, &["init"]);
        Self { root, repository, provider, orch }
    }

    /// Submits a task whose body scripts the model.
    pub fn submit(&self, script: &str) {
        let body = self.root.path().join("body.md");
        std::fs::write(&body, script).unwrap();
        let body = body.display().to_string();
        self.orch.ok(&self.repository.checkout, &["task", "add", "A task", "--body", &body]);
    }

    /// Waits until the task is in one of these states; gives what `orch why` says.
    pub fn until(&self, states: &[&str]) -> Value {
        until(&format!("HELLO-1 to be {states:?}"), || {
            let why = self.why();
            states.contains(&why["state"].as_str().unwrap_or_default()).then_some(why)
        })
    }

    pub fn why(&self) -> Value {
        self.orch.json(&["why", "HELLO-1", "--json"])
    }

    /// The runs of the task, oldest first.
    pub fn runs(&self) -> Vec<Value> {
        let task = self.orch.json(&["task", "show", "HELLO-1", "--json"]);
        task["runs"].as_array().unwrap().clone()
    }

    /// The outcomes of the ended runs, oldest first.
    pub fn outcomes(&self) -> Vec<String> {
        let word = |run: &Value| run["outcome"].as_str().map(ToOwned::to_owned);
        self.runs().iter().filter_map(word).collect()
    }

    /// The directory of a run.
    pub fn run_dir(&self, run: &Value) -> PathBuf {
        self.orch.home().join("runs").join(run["run_id"].as_str().unwrap())
    }
}

/// A script that does the development stage's work, after `first`.
pub fn work(first: &str) -> String {
    format!(
        "{first}[[write said/{{task}}.txt|hello]]\n\
         [[bash mkdir -p {{artifacts}} && printf -- '---\\nstatus: ready\\n---\\n' > \
         {{artifacts}}/11-implementation.md]]\n[[say All done.]]\n"
    )
}
