//! A bar per task with the stage it is in; plain lines where nobody watches a terminal.

use std::collections::HashMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use orch_core::ids::{EventId, TaskKey};
use orch_core::task::TaskState;
use orch_engine::Operator;
use orch_store::EventFilter;

use crate::output::note;

/// The board.
pub struct Board {
    bars: Option<Vec<(TaskKey, ProgressBar)>>,
    keys: Vec<TaskKey>,
    seen: EventId,
    stages: HashMap<TaskKey, String>,
}

impl Board {
    /// An empty board for these tasks.
    pub fn new(operator: &Operator, keys: &[TaskKey], terminal: bool) -> anyhow::Result<Self> {
        let bars = if terminal { Some(bars(operator, keys)?) } else { None };
        Ok(Self { bars, keys: keys.to_vec(), seen: EventId(0), stages: HashMap::new() })
    }

    /// Draws where the tasks are; true once all have ended.
    pub fn draw(&mut self, operator: &Operator) -> anyhow::Result<bool> {
        match self.bars.as_deref() {
            Some(bars) => draw_bars(operator, bars)?,
            None => self.print_news(operator)?,
        }
        let mut over = true;
        for key in &self.keys {
            over &= !operator.task(key)?.state.is_open();
        }
        if over && self.bars.is_none() {
            self.print_news(operator)?;
        }
        Ok(over)
    }

    /// Leaves the bars as they are.
    pub fn finish(&self) {
        for (_, bar) in self.bars.iter().flatten() {
            bar.abandon();
        }
        if self.bars.is_some() {
            note("");
        }
    }

    /// What happened since the last look, a line each, without what only machines care for.
    fn print_news(&mut self, operator: &Operator) -> anyhow::Result<()> {
        use orch_core::event::EventKind as Kind;
        for event in operator.store().events(self.seen, &EventFilter::default(), 500)? {
            self.seen = event.id;
            let Some(key) = &event.what.task else { continue };
            let telling = matches!(
                event.what.kind,
                Kind::StageEntered
                    | Kind::TaskBounced
                    | Kind::TaskRetested
                    | Kind::TaskHeld
                    | Kind::TaskMerged
                    | Kind::TaskDone
                    | Kind::JobDeferred
                    | Kind::StageRetried
            );
            if telling {
                note(format!("{key:<8} {}", event.what.message));
                self.stages.insert(key.clone(), event.what.message);
            }
        }
        Ok(())
    }
}

fn bars(operator: &Operator, keys: &[TaskKey]) -> anyhow::Result<Vec<(TaskKey, ProgressBar)>> {
    let all = MultiProgress::new();
    let style =
        ProgressStyle::with_template("{prefix:<28} {bar:21.cyan/dim} {msg}")?.progress_chars("━━─");
    let mut bars = Vec::new();
    for key in keys {
        let task = operator.task(key)?;
        let bar =
            all.add(ProgressBar::new(task.pipeline.stages.len() as u64).with_style(style.clone()));
        bar.set_prefix(format!("{key} {}", task.title));
        bars.push((key.clone(), bar));
    }
    Ok(bars)
}

fn draw_bars(operator: &Operator, bars: &[(TaskKey, ProgressBar)]) -> anyhow::Result<()> {
    for (key, bar) in bars {
        let task = operator.task(key)?;
        let place = task.pipeline.position(&task.progress.stage).unwrap_or_default() as u64;
        let (place, message) = match &task.state {
            TaskState::Done { .. } => (task.pipeline.stages.len() as u64, "done".to_owned()),
            TaskState::Cancelled { .. } => (place, "cancelled".to_owned()),
            TaskState::Open => (place, operator.why(key)?.headline),
        };
        bar.set_position(place);
        bar.set_message(message);
    }
    Ok(())
}
