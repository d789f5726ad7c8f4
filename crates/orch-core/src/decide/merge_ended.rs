//! The merge gate ended: what it found decides whether the branch landed, is tested again, or
//! goes back (S8).

use super::{Counts, Decision, NextJob, Policy, Situation, Start};
use crate::event::EventKind;
use crate::ids::Revision;
use crate::job::{Hold, HoldKind, JobResult};
use crate::outcome::Outcome;
use crate::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use crate::stage::Gate;
use crate::verdict::Finding;

/// What the merge gate came to.
#[derive(Debug, Clone, PartialEq)]
pub enum MergeResult {
    /// The branch is part of the default branch now, or was already.
    Landed {
        /// The branch's tip as landed.
        commit: Revision,
    },
    /// Rebased cleanly, but the files are not the files that were tested.
    NotTested {
        /// The rebased tip.
        head: Revision,
    },
    /// The rebase met conflicts, or a guard found what a textual merge can't see.
    Rejected {
        /// What was found, hunks included.
        findings: Vec<Finding>,
        /// The tip of the branch, as pushed.
        head: Revision,
    },
    /// The default branch moved between the test and the push; look again at once.
    Moved,
    /// git, the network or the disk failed.
    Infra(Outcome),
}

/// Decides after the merge gate.
pub fn merge_ended(
    at: Situation<'_>,
    result: MergeResult,
    policy: &Policy,
    random: u64,
) -> Decision {
    let mut progress = at.task.progress.clone();
    let Some(stage) = at.task.pipeline.stage(&at.job.stage) else {
        let reason = format!("the pipeline of this task has no stage {}", at.job.stage);
        return at.hold(progress, Hold { kind: HoldKind::Config, reason });
    };
    match result {
        MergeResult::Landed { commit } => {
            let merged = at.event(EventKind::TaskMerged, format!("landed as {}", commit.short()));
            progress.merged = Some(commit);
            let mut decision = at.landed(stage, progress);
            decision.events.insert(0, merged);
            decision
        }
        MergeResult::NotTested { head } => {
            progress.head = Some(head);
            at.test_again(stage, progress, policy)
        }
        MergeResult::Rejected { findings, head } => {
            progress.head = Some(head);
            let why = findings.first().map_or_else(|| "rejected".to_owned(), ToString::to_string);
            progress.feedback = findings;
            match code_stage(&at.task.pipeline, stage) {
                Some(code) => at.bounce(&code.name.clone(), progress, policy.bounces, &why),
                None => at.hold(progress, Hold { kind: HoldKind::Budget, reason: why }),
            }
        }
        MergeResult::Moved => {
            let reason = "the default branch moved during the merge".to_owned();
            at.requeue(progress, at.now, reason, Counts::Nothing)
        }
        MergeResult::Infra(outcome) => at.infrastructure(progress, &outcome, policy, random),
    }
}

/// Where code goes back to from a stage: its own bounce target, else the last stage before it
/// that writes code.
fn code_stage<'a>(pipeline: &'a Pipeline, stage: &StageSpec) -> Option<&'a StageSpec> {
    if let OnFail::Bounce(to) = &stage.on_fail {
        return pipeline.stage(to);
    }
    let here = pipeline.position(&stage.name)?;
    pipeline.stages[..here].iter().rev().find(|spec| spec.writes_code)
}

/// Where tests are run again: the first stage whose gate is the tests'.
fn test_stage(pipeline: &Pipeline) -> Option<&StageSpec> {
    pipeline.stages.iter().find(|spec| spec.gate == Gate::TestsPassed)
}

impl Situation<'_> {
    fn landed(&self, stage: &StageSpec, progress: crate::task::Progress) -> Decision {
        if matches!(stage.producer, Producer::MergeOnly) {
            return self.advance(stage, progress);
        }
        let job = super::first_job(stage, true, self.now, None);
        self.to(JobResult::Succeeded, None, progress, job, vec![])
    }

    fn test_again(
        &self,
        stage: &StageSpec,
        mut progress: crate::task::Progress,
        policy: &Policy,
    ) -> Decision {
        let Some(test) = test_stage(&self.task.pipeline) else {
            let reason =
                format!("{} asks for a test of the rebased tree, but no stage tests", stage.name);
            return self.hold(progress, Hold { kind: HoldKind::Config, reason });
        };
        progress.retests += 1;
        progress.tested = None;
        progress.attempts = 0;
        progress.stage = test.name.clone();
        let why = "the default branch moved: the rebased tree is not the tested tree";
        let mut job: NextJob = super::first_job(test, false, self.now, Some(why.to_owned()));
        if progress.retests > policy.retests {
            let reason = format!(
                "tested again {} times, and the default branch moved each time",
                policy.retests
            );
            job.start = Start::Held(Hold { kind: HoldKind::Budget, reason });
        }
        let event = self.event(EventKind::TaskRetested, format!("{} again: {why}", test.name));
        self.to(JobResult::Failed, Some(why.to_owned()), progress, job, vec![event])
    }
}
