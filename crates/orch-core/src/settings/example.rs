//! What is generated from the table: `.env.example` and the reference.

use std::fmt::Write as _;

use super::key::{Key, Section};
use super::table::SECTIONS;

/// The text of `.env.example`: every variable, empty, which counts as unset; so a copy of the file
/// overrides nothing.
pub fn env_example() -> String {
    let mut text = String::from(
        "# Every setting of Orchestrator as an environment variable; `orch config env-example` \
         prints this file.\n# A variable wins over orch.toml. An empty one counts as unset: then \
         orch.toml or the default holds.\n",
    );
    for section in SECTIONS {
        let header = header(section);
        let _ = write!(text, "\n# {}{}\n", header.unwrap_or_default(), section.doc);
        if let Some(note) = instance_note(section) {
            let _ = writeln!(text, "# {note}");
        }
        for key in section.keys {
            let default = if key.default.is_empty() {
                String::new()
            } else {
                format!(". Default: {}", key.default)
            };
            let instance = section.instance.map(example_instance);
            let _ = writeln!(text, "# {}{default}.", key.doc);
            let _ = writeln!(text, "{}=", key.variable(instance));
        }
    }
    text
}

fn header(section: &Section) -> Option<String> {
    match section.instance {
        _ if section.name.is_empty() => None,
        None => Some(format!("[{}] ", section.name)),
        Some(word) => Some(format!("[{}.{word}] ", section.name)),
    }
}

/// The instance that stands for all in `.env.example`.
fn example_instance(word: &str) -> &'static str {
    if word == "ROLE" { "default" } else { "development" }
}

fn instance_note(section: &Section) -> Option<String> {
    let word = section.instance?;
    let given = example_instance(word).to_uppercase();
    let other = if word == "ROLE" { "REVIEWER" } else { "DEPLOY_STAGING" };
    Some(format!("In place of {given} stands any {word}, such as {other}."))
}

/// The reference of all settings as Markdown, one table a section.
pub fn reference_markdown() -> String {
    let mut text = String::from(
        "# Settings\n\nA setting comes from its environment variable, else from the repository's \
         `orch.toml`, else from `orch.toml` in `ORCH_HOME`, else it has its default. An empty \
         variable counts as unset. Unknown keys are errors.\n",
    );
    for section in SECTIONS {
        let title = match section.instance {
            _ if section.name.is_empty() => "Environment only".to_owned(),
            None => format!("`[{}]`", section.name),
            Some(word) => format!("`[{}.{word}]`", section.name),
        };
        let _ = write!(text, "\n## {title}\n\n{}.\n\n", section.doc);
        text.push_str(
            "| key | environment | value | default | |\n| --- | --- | --- | --- | --- |\n",
        );
        for key in section.keys {
            text.push_str(&row(section, key));
        }
    }
    text
}

fn row(section: &Section, key: &Key) -> String {
    let name = if section.name.is_empty() { "—".to_owned() } else { format!("`{}`", key.name) };
    let default =
        if key.default.is_empty() { "—".to_owned() } else { format!("`{}`", key.default) };
    let env = key.variable(section.instance);
    let form = key.kind.form();
    format!("| {name} | `{env}` | {form} | {default} | {} |\n", key.doc)
}
