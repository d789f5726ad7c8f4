//! What was observed of real agent programs under the service: program, situation, outcome, next
//! step. The observations are kept as they were made; the page is made from them.

mod page;

use std::path::PathBuf;

use serde_json::{Value, json};

pub use page::page;

/// One situation that a program was put through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The program, as in `.ci/agent-clis.txt`; `+acp` after it where it was driven by the protocol.
    pub program: String,
    /// Its version.
    pub version: String,
    /// What it was put through.
    pub situation: String,
    /// The outcome of each run, oldest first.
    pub outcomes: Vec<String>,
    /// The task's state in the end.
    pub state: String,
    /// What `orch why` says, in one line.
    pub why: String,
    /// What moves it next.
    pub next: String,
    /// What became of the session of the run before the last one; a dash where there was none.
    pub session: String,
    /// Why it is not what the situation comes to elsewhere; empty where it is, and not kept.
    pub because: String,
    /// How often the model was asked.
    pub requests: usize,
}

/// Where the observations are: a file per program, a line each.
pub fn observed_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("observed")
}

/// Where the page is.
pub fn page_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/agent-matrix.md")
}

/// All observations, by program.
///
/// # Panics
/// When a file can't be read.
pub fn observed() -> Vec<Observation> {
    let mut files: Vec<_> = std::fs::read_dir(observed_dir())
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    files.sort();
    let text = files.into_iter().map(|file| std::fs::read_to_string(file).unwrap());
    text.flat_map(|text| text.lines().map(Observation::read).collect::<Vec<_>>()).collect()
}

/// Keeps an observation in place of an earlier one of the same program and situation.
///
/// # Panics
/// When the file can't be written.
pub fn keep(new: &Observation) {
    let file = observed_dir().join(format!("{}.jsonl", new.program));
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let mut all: Vec<_> = text
        .lines()
        .map(Observation::read)
        .filter(|old| old.version == new.version && old.situation != new.situation)
        .collect();
    all.push(new.clone());
    all.sort_by(|a, b| a.situation.cmp(&b.situation));
    let lines: String = all.iter().map(|one| one.line() + "\n").collect();
    std::fs::create_dir_all(observed_dir()).unwrap();
    std::fs::write(file, lines).unwrap();
}

impl Observation {
    fn line(&self) -> String {
        json!({"program": self.program, "version": self.version, "situation": self.situation,
            "outcomes": self.outcomes, "state": self.state, "why": self.why, "next": self.next,
            "session": self.session, "requests": self.requests})
        .to_string()
    }

    fn read(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        let outcomes = value["outcomes"].as_array().unwrap().iter();
        Self {
            program: text("program"),
            version: text("version"),
            situation: text("situation"),
            outcomes: outcomes.map(|one| one.as_str().unwrap().to_owned()).collect(),
            state: text("state"),
            why: text("why"),
            next: text("next"),
            session: text("session"),
            because: String::new(),
            requests: value["requests"].as_u64().unwrap() as usize,
        }
    }
}
