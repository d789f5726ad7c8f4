//! The text of a fresh `orch.toml`: what was detected, said plainly, with what was left out and
//! why.

use std::fmt::Write;

use super::agents::{self, AgentCli};
use super::tests_of::Found;

/// The rehearsal's script, relative to the repository.
pub const REHEARSAL: &str = ".orch/rehearsal.toml";

/// A script that passes every stage and leaves one line per task in a file of its own.
pub const REHEARSAL_SCRIPT: &str = r#"# What the scripted agent does: it rehearses the pipeline and calls no model.
# The first [[on]] that fits role, stage, task and attempt is played. Where none fits, the agent
# writes the passing artifacts of its stage.
default_artifacts = true

[[on]]
role = "developer"
[[on.step]]
append = "REHEARSAL.md"
text = "- {{ task }}, attempt {{ attempt }}: {{ title }}\n"
[[on.step]]
artifact = "11-implementation.md"
text = """
---
status: ready
---
One line in REHEARSAL.md.
"""

# To see a bounce, let the reviewer ask for changes once:
# [[on]]
# role = "reviewer"
# attempt = 1
# [[on.step]]
# artifact = "12-review.md"
# text = """
# ---
# verdict: REQUEST_CHANGES
# findings:
#   - {severity: P1, status: open, title: no tests}
# ---
# """
"#;

/// Who works the agent stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultAgent {
    /// A coding agent found on `PATH`.
    Cli(AgentCli),
    /// The built-in scripted agent, following [`REHEARSAL`].
    Rehearsal,
    /// Nobody yet: the file names the likeliest, for the user to install or replace.
    Nobody,
}

/// What the file says.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The repository's name.
    pub name: &'a str,
    /// A remote's name, URL or path.
    pub remote: &'a str,
    /// The branch that work lands on.
    pub default_branch: &'a str,
    /// The prefix of task keys.
    pub key_prefix: &'a str,
    /// Who works the agent stages.
    pub agent: &'a DefaultAgent,
    /// Other agents found on `PATH`.
    pub other_agents: &'a [AgentCli],
    /// Test commands, the likeliest first.
    pub tests: &'a [Found],
}

/// The stages that the facts allow.
pub fn stages(facts: &Facts<'_>) -> Vec<&'static str> {
    let mut stages = vec!["analysis", "architecture", "development", "review"];
    if !facts.tests.is_empty() {
        stages.push("testing");
    }
    stages.push("merge");
    stages
}

/// The stages of the standard pipeline that are left out, each with its reason.
pub fn left_out(facts: &Facts<'_>) -> Vec<(&'static str, &'static str)> {
    let mut out = Vec::new();
    if facts.tests.is_empty() {
        out.push(("testing", "no [test_runner] command"));
    }
    out.push(("deploy-staging", "no [staging_runner] command"));
    out.push(("deploy", "no [deploy] command; `merge` lands the branch instead"));
    out
}

/// The whole text.
pub fn orch_toml(facts: &Facts<'_>) -> String {
    let mut text = String::from(
        "# What Orchestrator knows of this repository. Written by `orch init`; yours to change.\n\
         # Every key with its default: `orch config env-example`. In force: `orch config show`.\n\n",
    );
    repository(&mut text, facts);
    pipeline(&mut text, facts);
    agent(&mut text, facts);
    test_runner(&mut text, facts);
    text.push_str(OPTIONAL);
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// `key = value` lines end here; writing to a `String` can't fail, so results are dropped.
macro_rules! put {
    ($text:expr, $($arg:tt)*) => {{ let _ = writeln!($text, $($arg)*); }};
}

fn repository(text: &mut String, facts: &Facts<'_>) {
    put!(text, "[repository]");
    put!(text, "name = {}", quoted(facts.name));
    put!(text, "remote = {:<24} # a remote's name, a URL or a path", quoted(facts.remote));
    put!(text, "default_branch = {:<16} # where merged work lands", quoted(facts.default_branch));
    let prefix = facts.key_prefix;
    put!(text, "key_prefix = {:<20} # tasks become {prefix}-1, {prefix}-2, …\n", quoted(prefix));
}

fn pipeline(text: &mut String, facts: &Facts<'_>) {
    put!(text, "[pipeline]");
    let stages: Vec<String> = stages(facts).into_iter().map(quoted).collect();
    put!(text, "stages = [{}]", stages.join(", "));
    for (stage, reason) in left_out(facts) {
        put!(text, "# left out: {stage} ({reason})");
    }
    put!(text, "");
}

/// The setting of `[agents.default]` that works an agent.
fn adapter(agent: &AgentCli) -> String {
    format!("adapter = {}", quoted(agent.program))
}

fn agent(text: &mut String, facts: &Facts<'_>) {
    put!(
        text,
        "# Who works the agent stages: the brief comes on stdin, the work is left in the worktree."
    );
    put!(text, "# A role of its own: [agents.developer], [agents.reviewer], …");
    match facts.agent {
        DefaultAgent::Cli(agent) => {
            put!(text, "[agents.default]\n{}", adapter(agent));
        }
        DefaultAgent::Rehearsal => {
            put!(
                text,
                "[agents.default]\nadapter = \"scripted\"           # plays a script, calls no model"
            );
            put!(text, "script = {}", quoted(REHEARSAL));
        }
        DefaultAgent::Nobody => {
            put!(text, "# No coding agent was found on PATH. Install this one, or name your own:");
            let agent = &agents::KNOWN[0];
            put!(text, "[agents.default]\n{}", adapter(agent));
        }
    }
    for other in facts.other_agents {
        put!(text, "# also found: {}", adapter(other));
    }
    put!(
        text,
        "# timeout = \"30m\"              # an attempt ends after this\n# stall = \"5m\"                 # or after this long without output\n"
    );
}

fn test_runner(text: &mut String, facts: &Facts<'_>) {
    let Some((first, others)) = facts.tests.split_first() else {
        put!(text, "# No test suite was recognised. Name yours and add \"testing\" to the stages:");
        put!(text, "# [test_runner]\n# command = \"make test\"\n");
        return;
    };
    put!(text, "[test_runner]");
    put!(text, "command = {:<23} # told from {}", quoted(&first.command), first.because);
    for other in others {
        put!(
            text,
            "# also found: command = {} (told from {})",
            quoted(&other.command),
            other.because
        );
    }
    put!(text, "# timeout = \"20m\"\n");
}

const OPTIONAL: &str = "\
# With a staging suite, add \"deploy-staging\" before \"merge\":
# [staging_runner]
# command = \"docker exec staging run-suite\"
# ssh_target = \"deploy@staging.example\"

# With a deployment, put \"deploy\" in the place of \"merge\": it lands the branch too.
# [deploy]
# command = \"./deploy.sh\"
# rollback_command = \"./rollback.sh\"
# health_url = \"http://127.0.0.1:9000/health\"

# Confines agents and the test suite to the task's files; `orch doctor` says what this machine has.
# [sandbox]
# profile = \"auto\"
# writable = []                  # caches that your build writes to, such as \"~/.cache/pip\"

# [budgets]
# development = 3                # times a task's code may come back before it is held
# infra = 3                      # infrastructure faults per stage before it is held
";

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(agent: &'a DefaultAgent, tests: &'a [Found]) -> Facts<'a> {
        Facts {
            name: "hello",
            remote: "origin",
            default_branch: "main",
            key_prefix: "HELLO",
            agent,
            other_agents: &[],
            tests,
        }
    }

    #[test]
    fn hostile_names_stay_values() {
        let tests = [Found { command: "say \"hi\\n\" # x".into(), because: "a".into() }];
        let agent = DefaultAgent::Nobody;
        let mut facts = facts(&agent, &tests);
        facts.remote = "/tmp/it's \"odd\"\n[agents.x]";
        let parsed: toml::Table = toml::from_str(&orch_toml(&facts)).unwrap();
        assert_eq!(parsed["repository"]["remote"].as_str(), Some(facts.remote));
        assert_eq!(parsed["test_runner"]["command"].as_str(), Some("say \"hi\\n\" # x"));
        assert_eq!(parsed["agents"].as_table().map(toml::Table::len), Some(1));
    }

    #[test]
    fn what_is_left_out_is_said_with_its_reason() {
        let text = orch_toml(&facts(&DefaultAgent::Rehearsal, &[]));
        for line in [
            "# left out: testing (no [test_runner] command)",
            "# left out: deploy-staging (no [staging_runner] command)",
            "# left out: deploy (no [deploy] command; `merge` lands the branch instead)",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }

    #[test]
    fn the_rehearsal_can_be_played() {
        orch_agents::scripted::Script::parse(REHEARSAL_SCRIPT).unwrap();
        let example = REHEARSAL_SCRIPT.lines().skip_while(|line| !line.starts_with("# [[on]]"));
        let shown: Vec<&str> =
            example.map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
        let shown = shown.join("\n");
        let script = orch_agents::scripted::Script::parse(&shown).unwrap();
        assert_eq!(script.entries.len(), 1);
    }

    #[test]
    fn a_found_agent_becomes_its_adapter() {
        for agent in agents::KNOWN {
            let default = DefaultAgent::Cli(agent);
            let parsed: toml::Table = toml::from_str(&orch_toml(&facts(&default, &[]))).unwrap();
            let table = parsed["agents"]["default"].as_table().unwrap();
            assert_eq!(table["adapter"].as_str(), Some(agent.program));
            assert_eq!(table.len(), 1, "{table:?}");
        }
    }

    /// An agent that is offered has an adapter, which starts that program.
    #[test]
    fn what_is_offered_is_there() {
        for agent in agents::KNOWN {
            let adapter = orch_core::settings::Adapter::by_name(agent.program).unwrap();
            let descriptor = orch_agents::descriptor(adapter).unwrap();
            assert_eq!(descriptor.program, agent.program);
        }
    }
}
