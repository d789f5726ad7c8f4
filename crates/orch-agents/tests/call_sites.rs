//! Code and registry don't drift (S11): a language model is started in one place, that place needs
//! a call site, and every call site that is listed is asked for there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use orch_core::llm::CallSite;

/// The one place.
const TRANSPORT: &str = "orch-engine/src/run/launch.rs";
/// These start runs whose command lines are the user's or their own, and no model's: a deploy's
/// commands, and the trial of a supervisor.
const OTHER_STARTS: [&str; 2] =
    ["orch-engine/src/deploy/commands.rs", "orch/src/commands/doctor/supervisor.rs"];
/// Crates that are no part of the product.
const TOOLS: [&str; 4] = ["orch-bench/", "orch-sim/", "orch-testkit/", "orch-torture/"];

/// Every source file of the workspace that is part of the product, with its path in `crates`.
fn sources() -> Vec<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(&crates)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|path| path.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&crates).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(found.len() > 100, "the sources were not found");
    found
}

/// Code without its comments: what a comment speaks of is not code.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The files whose code holds one of the words, those of one crate apart.
fn holding(sources: &[(String, String)], words: &[&str], apart: &str) -> Vec<String> {
    let holds = |text: &str| words.iter().any(|word| code(text).contains(word));
    let files = sources.iter().filter(|(name, text)| !name.starts_with(apart) && holds(text));
    files.map(|(name, _)| name.clone()).collect()
}

#[test]
fn an_agent_is_planned_and_started_in_one_place() {
    let sources = sources();
    let planned =
        holding(&sources, &["orch_agents::plan", "use orch_agents::plan"], "orch-agents/");
    assert_eq!(planned, [TRANSPORT]);
    // No import hides a use from the line above.
    for (name, text) in sources.iter().filter(|(name, _)| !name.starts_with("orch-agents/")) {
        for list in code(text).split("use orch_agents::{").skip(1) {
            let list = list.split('}').next().unwrap_or_default();
            let hidden = list.split(',').any(|word| matches!(word.trim(), "plan" | "plan as"));
            assert!(!hidden, "{name} imports plan");
        }
    }
    let mut started = holding(&sources, &["orch_process::launch("], "orch-process/");
    started.retain(|name| !TOOLS.iter().any(|tool| name.starts_with(tool)));
    started.retain(|name| !OTHER_STARTS.contains(&name.as_str()));
    assert_eq!(started, [TRANSPORT], "a run starts outside of the one transport");
}

#[test]
fn no_program_of_an_agent_is_started_by_name() {
    let names = ["claude", "codex", "gemini", "opencode", "qwen", "copilot", "aider"];
    let words: Vec<String> = names.iter().map(|name| format!("Command::new(\"{name}\"")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(holding(&sources(), &words, "-"), Vec::<String>::new());
}

#[test]
fn every_listed_call_site_is_asked_for_by_the_transport() {
    let sources = sources();
    let transport = sources.iter().find(|(name, _)| name == TRANSPORT).unwrap();
    for site in CallSite::all() {
        let asked = format!("CallSite::{}(", site.purpose().word());
        assert!(code(&transport.1).contains(&asked), "{}: nobody asks for {asked}", site.id());
    }
    let makers = ["CallSite::work(", "CallSite::shadow(", "CallSite::explain("];
    let makers = holding(&sources, &makers, "orch-core/");
    assert_eq!(makers, [TRANSPORT]);
}
