//! Whether stages make a pipeline: a graph in which every stage is reached and leads to done, and
//! bounces go backwards.

use std::fmt;

use super::{MAX_ATTEMPTS, MAX_STAGES, OnFail, Pipeline, Producer, StageSpec};
use crate::ids::StageName;
use crate::stage::{CREATED, DEPLOY_FINALIZER, DONE, Gate, STAGING_RUNNER, TEST_RUNNER};

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
        if let OnFail::Bounce(to) = &stage.on_fail
            && self.stage(to).is_none()
        {
            fault("on_fail", format!("it bounces to {to}, which is not part of the pipeline"));
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
        if let Some(what) = mismatch(stage) {
            fault("gate", what);
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
            if let Some(before) = merged {
                if stage.producer == Producer::MergeOnly {
                    fault(stage, "", format!("{before} merges already"));
                }
                if stage.writes_code {
                    fault(stage, "writes", format!("it writes code after {before} has merged"));
                }
            }
            if let OnFail::Bounce(to) = &stage.on_fail {
                if stage.merges || merged.is_some() {
                    let what = "it bounces although the branch may have landed; let it hold";
                    fault(stage, "on_fail", what.to_owned());
                } else if !walked[..walked.len() - 1].iter().any(|earlier| earlier.name == *to) {
                    fault(
                        stage,
                        "on_fail",
                        format!("it bounces to {to}, which does not come before it"),
                    );
                }
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

/// Which producer can be closed by which gate, where not every gate fits.
fn mismatch(stage: &StageSpec) -> Option<String> {
    let wanted = match &stage.producer {
        Producer::MergeOnly => Gate::Merged,
        Producer::Runner(runner) => match runner.as_str() {
            TEST_RUNNER => Gate::TestsPassed,
            STAGING_RUNNER => Gate::StagingStatus,
            DEPLOY_FINALIZER => Gate::DeployStatus,
            other => return Some(format!("{other} works no stage")),
        },
        Producer::Agent(agent) if stage.gate == Gate::Merged => {
            return Some(format!(
                "{agent} lands nothing: {} is the merge gate's",
                stage.gate.name()
            ));
        }
        Producer::Agent(_) | Producer::Human => return None,
    };
    let alone = stage.producer == Producer::MergeOnly && !stage.merges;
    (stage.gate != wanted || alone).then(|| {
        format!("its producer is closed by {}, not by {}", wanted.name(), stage.gate.name())
    })
}
