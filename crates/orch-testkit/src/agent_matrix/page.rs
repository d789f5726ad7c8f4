//! The page that people read.

use std::fmt::Write as _;

use super::Observation;

const HEAD: &str = "# Agent programs in every situation

Observed, not read: each row is a task of one stage, worked by the real program of the named version
under the real service against a provider on loopback that fails as the situation says. It is made by

```sh
.ci/agent-clis wider
cargo build -p orch && cargo run -p orch-testkit --features provider --bin agent-matrix [PROGRAM[/SITUATION]…]
```

which fails where something comes to another end than is expected. `runs` are the outcomes of the
task's runs in order ([what they mean](../guide/agents.md)); `session` says whether the second of two
runs went on in the session of the first; `asked` is how often the model was asked in all of them. The
reasons are `orch why`'s, shortened. A task that is deferred is tried again within `[budgets] infra`,
then held; the observation ends at its first defer. A tool can't be denied to a program that the Agent
Client Protocol drives: the client grants what is asked.
";

/// The page of these observations.
///
/// # Panics
/// Never: a text takes what is written to it.
pub fn page(observed: &[Observation]) -> String {
    let mut page = HEAD.to_owned();
    let mut programs: Vec<_> = observed.iter().map(|one| &one.program).collect();
    programs.dedup();
    let unseen: Vec<_> = crate::agent_clis::all().into_iter().map(|cli| cli.name).collect();
    let unseen: Vec<_> =
        unseen.into_iter().filter(|name| !programs.iter().any(|seen| seen == name)).collect();
    if !unseen.is_empty() {
        write!(page, "\nNot observed in full, so not here: {}.\n", unseen.join(", ")).unwrap();
    }
    for program in programs {
        let rows: Vec<_> = observed.iter().filter(|one| one.program == *program).collect();
        let version = &rows[0].version;
        write!(
            page,
            "\n## {program} {version}\n\n\
             | situation | runs | comes to rest | why | next | session | asked |\n\
             | --- | --- | --- | --- | --- | --- | --- |\n"
        )
        .unwrap();
        for row in &rows {
            writeln!(
                page,
                "| {} | {} | {} | {} | {} | {} | {} |",
                row.situation,
                row.outcomes.join(", "),
                row.state,
                cell(&row.why),
                cell(&row.next),
                row.session,
                row.requests,
            )
            .unwrap();
        }
        let peculiar: Vec<_> = rows.iter().filter(|row| !row.because.is_empty()).collect();
        if !peculiar.is_empty() {
            page.push_str("\nOtherwise than elsewhere:\n\n");
        }
        for row in peculiar {
            writeln!(page, "- {}: {}.", row.situation, row.because).unwrap();
        }
    }
    page
}

/// The most of a cell, in characters.
const MAX_CELL: usize = 160;

fn cell(text: &str) -> String {
    let plain = text.replace('|', "\\|").replace('\n', " ");
    let short: String = plain.chars().take(MAX_CELL).collect();
    if short.len() < plain.len() { short + "…" } else { short }
}
