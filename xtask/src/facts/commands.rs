//! Commands of `orch` that the documentation names.

use std::collections::BTreeMap;

use super::markdown::all_pages;
use super::source;

/// Every command with its subcommands, which are none for most.
fn commands() -> BTreeMap<String, Vec<String>> {
    let cli = source("crates/orch/src/cli.rs");
    let mut commands = BTreeMap::new();
    for (name, argument) in variants(&cli, "pub enum Command {") {
        let module = argument.split("::").next().unwrap_or_default().to_owned();
        let subcommands = if argument.ends_with("::Command") {
            let found = variants(&module_source(&module), "enum Command {");
            found.into_iter().map(|(name, _)| name).collect()
        } else {
            Vec::new()
        };
        commands.insert(name, subcommands);
    }
    commands
}

/// Where a command's own arguments stand; the module of `orch self` has another name.
fn module_source(module: &str) -> String {
    let folder = crate::root().join("crates/orch/src/commands").join(module);
    let path = if folder.is_dir() { format!("{module}/mod.rs") } else { format!("{module}.rs") };
    source(&format!("crates/orch/src/commands/{path}"))
}

/// The variants of an enum in a source text, as the command line spells them, each with its type.
fn variants(text: &str, opening: &str) -> Vec<(String, String)> {
    let body = text.split_once(opening).map(|(_, rest)| rest).unwrap_or_default();
    let body = body.split("\n}").next().unwrap_or_default();
    let mut given = None;
    let mut found = Vec::new();
    for line in body.lines().map(str::trim) {
        if let Some((_, rest)) =
            line.split_once("name = \"").filter(|_| line.starts_with("#[command("))
        {
            given = rest.split('"').next().map(ToOwned::to_owned);
        } else if line.starts_with(char::is_uppercase) {
            let (name, rest) = line.split_once(['(', ' ', ',']).unwrap_or((line, ""));
            let name = given.take().unwrap_or_else(|| kebab(name));
            found.push((name, rest.split(')').next().unwrap_or_default().to_owned()));
        }
    }
    found
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// What is wrong with a command line such as `orch task add "x"`; `None` where nothing is.
fn fault(line: &str, commands: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let mut words = line.strip_prefix("orch ")?.split_whitespace();
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let command = words.next().filter(|word| is_name(word) && !word.starts_with('-'))?;
    let Some(subcommands) = commands.get(command) else {
        return Some(format!("there is no command `{command}`"));
    };
    let subcommand = words.next().filter(|word| is_name(word) && !word.starts_with('-'))?;
    let unknown = !subcommands.is_empty() && !subcommands.iter().any(|known| known == subcommand);
    unknown.then(|| format!("`{command}` has no subcommand `{subcommand}`"))
}

#[test]
fn every_command_that_is_named_exists() {
    let commands = commands();
    assert!(commands.contains_key("check-gate"), "{commands:?}");
    assert!(commands["task"].iter().any(|sub| sub == "add"), "{commands:?}");
    let mut seen = 0;
    for page in all_pages() {
        let blocks = page.lines().into_iter().filter(|(code, _)| code.as_deref() == Some("sh"));
        let typed = blocks.map(|(_, line)| line.trim().to_owned());
        for line in typed.chain(page.code_spans()).filter(|line| line.starts_with("orch ")) {
            seen += 1;
            let fault = fault(&line, &commands);
            assert_eq!(fault, None, "{}: {line}", page.path);
        }
    }
    assert!(seen > 50, "only {seen} commands were found");
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let commands = commands();
    for line in ["orch tasks", "orch task make x", "orch gate stop"] {
        assert!(fault(line, &commands).is_some(), "{line}");
    }
    for line in ["orch", "orch 0.1.0 serves", "orch task", "orch why KEY", "orch task add \"x\""] {
        assert_eq!(fault(line, &commands), None, "{line}");
    }
}
