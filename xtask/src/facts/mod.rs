//! Facts that the documentation states, held against the code: settings, commands, routes, gates,
//! stages, states, links. A fact that has no home in a library is read from the source text.

mod commands;
mod markdown;
mod tree;

use std::collections::BTreeSet;
use std::fs;

use orch_core::artifact::VerdictWord;
use orch_core::job::HoldKind;
use orch_core::settings::{Adapter, SECTIONS};
use orch_core::stage::{DefaultOnFail, Gate, STAGE_TRANSITIONS};

use markdown::{Markdown, all_pages, page};

fn source(path: &str) -> String {
    let full = crate::root().join(path);
    fs::read_to_string(&full).unwrap_or_else(|error| panic!("{}: {error}", full.display()))
}

/// What a run finds in its environment, as the code that sets it spells it.
fn given_to_runs() -> BTreeSet<String> {
    let agents = source("crates/orch-agents/src/launch.rs");
    let runners = source("crates/orch-engine/src/runners/mod.rs");
    let deploys = source("crates/orch-engine/src/deploy/commands.rs");
    markdown::words(&format!("{agents}{runners}{deploys}"), "ORCH_").collect()
}

#[test]
fn every_variable_that_is_named_is_a_setting_or_given_to_runs() {
    let given = given_to_runs();
    assert!(given.contains("ORCH_TASK") && given.contains("ORCH_REVISION"), "{given:?}");
    let is_setting = |word: &str| {
        SECTIONS.iter().flat_map(|section| section.keys).any(|key| match key.env.split_once('*') {
            None => key.env == word,
            Some((start, end)) => {
                word.len() > start.len() + end.len()
                    && word.starts_with(start)
                    && word.ends_with(end)
            }
        })
    };
    for page in all_pages() {
        for word in markdown::words(&page.text, "ORCH_") {
            assert!(is_setting(&word) || given.contains(&word), "{}: {word}", page.path);
        }
    }
}

#[test]
fn the_guide_names_everything_that_an_agent_gets() {
    let agents: BTreeSet<String> =
        markdown::words(&source("crates/orch-agents/src/launch.rs"), "ORCH_").collect();
    for path in ["README.md", "docs/guide/agents.md"] {
        let named: BTreeSet<String> = markdown::words(&page(path).text, "ORCH_").collect();
        let missing: Vec<_> = agents.difference(&named).collect();
        assert!(missing.is_empty(), "{path}: {missing:?}");
    }
}

#[test]
fn routes_of_the_api_page_are_the_routes_of_the_table() {
    let table = source("crates/orch-http/src/routes/mod.rs");
    let table = table.split_once("pub const ROUTES").expect("the table of routes is there").1;
    let table = table.split_once("\n];").expect("the table of routes ends").0;
    let routes: BTreeSet<String> = [("read(", "GET"), ("probe(", "GET"), ("change(", "POST")]
        .iter()
        .flat_map(|(call, method)| {
            table.match_indices(call).map(move |(at, _)| {
                let literal = table[at..].split('"').nth(1).unwrap_or_default();
                format!("{method} {literal}")
            })
        })
        .collect();
    assert!(routes.len() > 20, "{routes:?}");
    let told: BTreeSet<String> =
        page("docs/operations/api.md").rows().filter_map(|row| request(&row[0])).collect();
    assert_eq!(told, routes);
    for page in all_pages() {
        for request in page.code_spans().iter().filter_map(|span| request(&format!("`{span}`"))) {
            assert!(routes.contains(&request), "{}: {request}", page.path);
        }
    }
}

/// A code span such as `` `GET /tasks` ``; `KEY` in a path stands for `{key}`.
fn request(text: &str) -> Option<String> {
    let span = text.strip_prefix('`')?.strip_suffix('`')?;
    let (method, path) = span.split_once(' ')?;
    let path = path.split(['?', ' ']).next()?;
    let known = matches!(method, "GET" | "POST") && path.starts_with('/');
    known.then(|| format!("{method} {}", path.replace("/KEY", "/{key}")))
}

#[test]
fn every_gate_that_is_named_exists_and_each_is_explained() {
    for page in all_pages() {
        for word in markdown::words(&page.text, "check_") {
            assert!(Gate::by_name(&word).is_some(), "{}: {word}", page.path);
        }
    }
    let explained: BTreeSet<String> =
        markdown::words(&page("docs/guide/artifacts.md").text, "check_").collect();
    assert_eq!(explained, Gate::ALL.iter().map(|gate| gate.name().to_owned()).collect());
}

#[test]
fn the_table_of_stages_in_the_concepts_is_the_table_in_the_code() {
    let concepts = page("docs/guide/concepts.md");
    let rows: Vec<Vec<String>> = concepts.rows().filter(|row| row[3].contains("check_")).collect();
    let stages: Vec<_> = STAGE_TRANSITIONS.iter().filter(|row| row.work.is_some()).collect();
    assert_eq!(rows.len(), stages.len());
    for (told, row) in rows.iter().zip(stages) {
        let Some(work) = row.work else { continue };
        assert_eq!(told[0], format!("`{}`", row.stage));
        assert!(told[1].contains(&format!("`{}`", work.producer)), "{told:?}");
        for artifact in work.artifacts {
            assert!(told[2].contains(artifact), "{artifact} is not in {told:?}");
        }
        assert_eq!(told[3], format!("`{}`", work.gate.name()));
        let on_fail = match work.on_fail {
            DefaultOnFail::Retry => "retry".to_owned(),
            DefaultOnFail::Bounce(to) => format!("bounce to `{to}`"),
            DefaultOnFail::Hold => "hold".to_owned(),
        };
        assert_eq!(told[4], on_fail);
    }
}

#[test]
fn troubleshooting_has_every_state_and_every_kind_of_hold() {
    let text = source("crates/orch-core/src/why/mod.rs");
    let body = text.split_once("pub fn word(self)").expect("states have words").1;
    let body = body.split_once("\n    }\n}").expect("the words end").0;
    let states = body.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
    let kinds = HoldKind::ALL.map(HoldKind::word);
    let expected: Vec<String> = states.chain(kinds).map(|word| format!("`{word}`")).collect();
    assert!(expected.len() > kinds.len() + 5, "{expected:?}");
    let told: Vec<String> = page("docs/operations/troubleshooting.md")
        .rows()
        .map(|row| row[0].clone())
        .filter(|cell| cell.starts_with('`'))
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn the_guide_has_every_step_of_a_script_every_adapter_and_every_verdict_word() {
    let agents = page("docs/guide/agents.md");
    let steps = source("crates/orch-agents/src/adapters/scripted/step.rs");
    let table = steps.split_once("const ACTIONS").expect("one table names all steps").1;
    let table = table.split_once("];").expect("the table ends").0;
    let names: Vec<&str> = table
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next())
        .collect();
    assert!(names.len() > 10, "the table of steps was not understood: {names:?}");
    for step in names {
        assert!(agents.text.contains(&format!("`{step} = ")), "no step {step}");
    }
    for (_, adapter) in Adapter::ALL {
        assert!(agents.text.contains(&format!("`{adapter}`")), "no adapter {adapter}");
    }
    let artifacts = page("docs/guide/artifacts.md");
    for word in VerdictWord::known().split([' ', ';']).filter(|w| w.chars().all(is_word)) {
        assert!(artifacts.text.contains(&format!("`{word}`")), "no word {word}");
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter == '_'
}

/// The two commands of a newcomer stand first, each alone in its block.
#[test]
fn the_readme_begins_with_the_demo_and_the_tests() {
    let readme: Markdown = page("README.md");
    let blocks: Vec<String> = readme.blocks("sh").into_iter().take(2).collect();
    assert_eq!(blocks, ["cargo run -p orch -- demo\n", ".ci/needs && cargo test --workspace\n"]);
}
