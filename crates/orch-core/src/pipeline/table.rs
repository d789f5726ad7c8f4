//! A pipeline as a table, for people.

use std::fmt::Write as _;

use super::{OnFail, Pipeline, Producer, StageSpec};
use crate::stage::{DONE, STAGE_TRANSITIONS};

/// The pipeline as lines of text: a row a stage, then what is left out and why.
pub fn render_table(pipeline: &Pipeline) -> String {
    let head = ["STAGE", "PRODUCER", "ARTIFACT", "GATE", "ON FAIL", "NEXT"].map(str::to_owned);
    let rows: Vec<[String; 6]> =
        std::iter::once(head).chain(pipeline.stages.iter().map(row)).collect();
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    for left in &pipeline.left_out {
        let _ = writeln!(text, "left out: {} ({})", left.stage, left.reason);
    }
    text
}

fn row(stage: &StageSpec) -> [String; 6] {
    let producer = match &stage.producer {
        Producer::Agent(name) => format!("agent {name}"),
        Producer::Runner(name) if stage.merges => format!("merge gate, runner {name}"),
        Producer::Runner(name) => format!("runner {name}"),
        Producer::Human => "human".to_owned(),
        Producer::MergeOnly => "merge gate".to_owned(),
    };
    let on_fail = match &stage.on_fail {
        OnFail::Retry => "retry".to_owned(),
        OnFail::Bounce(to) => format!("bounce to {to}"),
        OnFail::Hold => "hold".to_owned(),
    };
    let next = stage.next.as_ref().map_or(DONE, |next| next.as_str());
    [
        stage.name.to_string(),
        producer,
        artifact(stage),
        stage.gate.name().to_owned(),
        on_fail,
        next.to_owned(),
    ]
}

fn artifact(stage: &StageSpec) -> String {
    let work =
        STAGE_TRANSITIONS.iter().filter_map(|row| row.work).find(|work| work.gate == stage.gate);
    work.and_then(|work| work.artifacts.first())
        .map_or_else(|| "-".to_owned(), |name| (*name).to_owned())
}
