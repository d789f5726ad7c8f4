//! The artifact of a runner: the verdict in its front matter, the evidence beside it, the end of
//! the output in its body.

use std::fmt::Write as _;

use orch_core::artifact::{EvidenceFields, render_with};
use orch_core::ids::{Revision, TreeId};
use orch_core::process::RunExit;
use orch_core::suite::SuiteReport;
use orch_core::verdict::{Finding, tail};

use super::RunnerKind;
use crate::repo_config::RepoConfig;
use crate::run::Owned;

/// Output quoted in an artifact; the whole of it is in the run's log.
const QUOTED: usize = 8 * 1024;

/// What is quoted of one failing test; forty of them have room in a front matter, whatever they hold.
const QUOTED_FAILURE: usize = 1024;

/// A suite that came to its own end.
#[derive(Debug, Clone, Copy)]
pub struct SuiteEnd<'a> {
    /// The end of its process.
    pub exit: &'a RunExit,
    /// The exit code that counts.
    pub exit_code: i32,
    /// What its output says.
    pub suite: &'a SuiteReport,
    /// What a look from outside found wanting after it; empty where all was well.
    pub found: &'a [Finding],
}

/// Renders the artifact of a suite that ran.
pub fn artifact(
    kind: RunnerKind,
    config: &RepoConfig,
    owned: &Owned,
    base: &Revision,
    code_tree: &TreeId,
    end: &SuiteEnd<'_>,
) -> String {
    let SuiteEnd { exit, exit_code, suite, found } = *end;
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
    fields.extend(figures(suite));
    let mut findings = if exit_code == 0 { Vec::new() } else { findings(suite) };
    findings.extend_from_slice(found);
    render_with(&fields, &findings, &body(kind, end, word))
}

/// How many tests came to which end, where a runner said and none is counted twice.
fn figures(suite: &SuiteReport) -> Vec<(String, String)> {
    let Some(counts) = suite.counts.filter(|_| !suite.run_again) else { return Vec::new() };
    [
        ("tests_total", counts.total()),
        ("tests_passed", counts.passed),
        ("tests_failed", counts.failed),
        ("tests_skipped", counts.skipped),
    ]
    .map(|(name, number)| (name.to_owned(), number.to_string()))
    .into()
}

/// Each failing test with its end: the gate's findings, and so the next brief's.
fn findings(suite: &SuiteReport) -> Vec<Finding> {
    let failed = suite.failures.iter().map(|failed| {
        let title = format!("{} failed", failed.name);
        Finding::new(title).with_detail(tail(&failed.detail, QUOTED_FAILURE))
    });
    let more = (suite.failures_left_out > 0)
        .then(|| Finding::new(format!("{} more failing tests", suite.failures_left_out)));
    failed.chain(more).collect()
}

fn body(kind: RunnerKind, end: &SuiteEnd<'_>, word: &str) -> String {
    let SuiteEnd { exit, suite, .. } = *end;
    let title = match kind {
        RunnerKind::Test => "Test report",
        RunnerKind::Staging => "Staging log",
        RunnerKind::Deploy => "Deploy log",
    };
    let mut text = format!("# {title}: {word}\n");
    if let Some(counts) = suite.counts {
        let _ = write!(text, "\n{counts} ({})\n", suite.runners.join(", "));
    }
    if !suite.failures.is_empty() {
        text.push_str("\n## Failing tests\n\n");
        for failed in &suite.failures {
            text.push_str(&indented(&failed.name));
        }
    }
    if !end.found.is_empty() {
        text.push_str("\n## Found from outside\n\n");
        for finding in end.found {
            text.push_str(&indented(&finding.title));
        }
    }
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
