//! The artifact of a runner: the verdict in its front matter, the evidence beside it, the end of
//! the output in its body.

use std::fmt::Write as _;

use orch_core::artifact::{EvidenceFields, render};
use orch_core::ids::{Revision, TreeId};
use orch_core::process::RunExit;
use orch_core::verdict::tail;

use super::RunnerKind;
use crate::repo_config::RepoConfig;
use crate::run::Owned;

/// Output quoted in an artifact; the whole of it is in the run's log.
const QUOTED: usize = 8 * 1024;

/// Renders the artifact of a suite that ran.
pub fn artifact(
    kind: RunnerKind,
    config: &RepoConfig,
    owned: &Owned,
    base: &Revision,
    code_tree: &TreeId,
    exit: &RunExit,
    exit_code: i32,
) -> String {
    let (field, good, bad) = kind.verdict_field();
    let word = if exit_code == 0 { good } else { bad };
    let evidence = EvidenceFields {
        task: owned.task.key.clone(),
        run_id: owned.owner.run_id.clone(),
        commit: base.clone(),
        code_tree: Some(code_tree.clone()),
        started_at: exit.started_at,
        duration_s: exit.finished_at.duration_since(exit.started_at).as_secs_f64(),
        command: config.suite(kind).map(|suite| suite.command.to_string()).unwrap_or_default(),
        exit_code,
    };
    let mut fields = vec![(field.to_owned(), word.to_owned())];
    fields.extend(evidence.fields());
    render(&fields, &body(kind, exit, word))
}

fn body(kind: RunnerKind, exit: &RunExit, word: &str) -> String {
    let title = match kind {
        RunnerKind::Test => "Test report",
        RunnerKind::Staging => "Staging log",
        RunnerKind::Deploy => "Deploy log",
    };
    let mut text = format!("# {title}: {word}\n");
    for (name, output) in
        [("Standard output", &exit.stdout_tail), ("Standard error", &exit.stderr_tail)]
    {
        if !output.trim().is_empty() {
            let _ = write!(text, "\n## {name}, its end\n\n{}", indented(tail(output, QUOTED)));
        }
    }
    text
}

/// As an indented block: no content can close it, unlike a fence.
fn indented(text: &str) -> String {
    text.lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") })
        .collect()
}
