//! Whether stages make a pipeline: a graph in which every stage is reached and leads to done, and
//! bounces go backwards.

use std::fmt;

use super::{MAX_ATTEMPTS, MAX_STAGES, OnFail, Pipeline, Producer, StageSpec};
use crate::ids::StageName;
use crate::stage::{CREATED, DONE, Gate};

/// A fault of a pipeline's structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The stage at fault; `None` where it is the pipeline as a whole.
    pub stage: Option<StageName>,
    /// The field at fault, as `[stage.NAME]` calls it; empty for the stage itself.
    pub field: &'static str,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stage {
            Some(stage) => write!(f, "stage {stage}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Pipeline {
    /// Every fault; none in a pipeline that was resolved.
    pub fn check(&self) -> Vec<Fault> {
        let whole = |what: &str| Fault { stage: None, field: "", what: what.to_owned() };
        if self.stages.is_empty() {
            return vec![whole("a pipeline needs at least one stage")];
        }
        if self.stages.len() > MAX_STAGES {
            return vec![whole(&format!("a pipeline has at most {MAX_STAGES} stages"))];
        }
        let mut faults = Vec::new();
        for (place, stage) in self.stages.iter().enumerate() {
            self.check_stage(place, stage, &mut faults);
        }
        if faults.is_empty() {
            self.check_way(&mut faults);
        }
        faults
    }

    fn check_stage(&self, place: usize, stage: &StageSpec, faults: &mut Vec<Fault>) {
        let mut fault = |field, what: String| {
            faults.push(Fault { stage: Some(stage.name.clone()), field, what });
        };
        if matches!(stage.name.as_str(), CREATED | DONE) {
            fault("", format!("{} is not a stage that can be worked", stage.name));
        }
        if self.position(&stage.name) != Some(place) {
            fault("", format!("{} stands twice", stage.name));
        }
        if let Some(next) = &stage.next
            && self.stage(next).is_none()
        {
            fault("next", format!("its next stage {next} is not part of the pipeline"));
        }
        if let OnFail::Bounce(to) = &stage.on_fail {
            match self.position(to) {
                None => fault(
                    "on_fail",
                    format!("it bounces to {to}, which is not part of the pipeline"),
                ),
                Some(target) if target >= place => {
                    fault("on_fail", format!("it bounces to {to}, which does not come before it"));
                }
                Some(_) => {}
            }
        }
        if !(1..=MAX_ATTEMPTS).contains(&stage.attempts) {
            fault(
                "attempts",
                format!("{} attempts are not between 1 and {MAX_ATTEMPTS}", stage.attempts),
            );
        }
        if (stage.producer == Producer::Human) != (stage.gate == Gate::HumanApproved) {
            let gate = Gate::HumanApproved.name();
            fault("gate", format!("a human producer and the gate {gate} go together"));
        }
        if stage.producer == Producer::MergeOnly && (!stage.merges || stage.gate != Gate::Merged) {
            fault("gate", format!("a stage that only merges is closed by {}", Gate::Merged.name()));
        }
    }

    /// Walks from the first stage by `next`: to done, past every stage, never in a circle, and past
    /// no more than one merging stage, after which no code is written.
    fn check_way(&self, faults: &mut Vec<Fault>) {
        let mut fault = |stage: &StageSpec, field, what: String| {
            faults.push(Fault { stage: Some(stage.name.clone()), field, what });
        };
        let mut walked: Vec<&StageSpec> = Vec::new();
        let mut merged: Option<&StageName> = None;
        let mut at = Some(self.first());
        while let Some(stage) = at {
            if walked.contains(&stage) {
                let back = walked.last().copied().unwrap_or(stage);
                let what = format!(
                    "its next stage {} leads back in a circle and never to done",
                    stage.name
                );
                fault(back, "next", what);
                return;
            }
            walked.push(stage);
            match merged {
                Some(before) if stage.merges => {
                    fault(stage, "", format!("{before} merges already"));
                }
                Some(before) if stage.writes_code => {
                    fault(stage, "writes", format!("it writes code after {before} has merged"));
                }
                _ => {}
            }
            if stage.merges {
                merged = Some(&stage.name);
            }
            at = stage.next.as_ref().and_then(|next| self.stage(next));
        }
        for stage in self.stages.iter().filter(|stage| !walked.contains(stage)) {
            fault(stage, "", "no way leads to it".to_owned());
        }
    }
}
