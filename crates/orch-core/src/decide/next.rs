//! Which job follows: the shared half of every decision that moves a task.

use jiff::Timestamp;

use super::{Alert, Decision, NextJob, Situation, Start, Step, TaskEnd};
use crate::event::{EventKind, NewEvent};
use crate::ids::{AgentName, StageName};
use crate::job::{Hold, HoldKind, JobResult};
use crate::pipeline::{Producer, StageSpec};
use crate::stage::MERGE_GATE;
use crate::task::Progress;

/// Bounces of a task from which on each is told of.
const REPEATED: u32 = 2;

/// The first job of a stage that a task enters: the merge gate where the stage merges and nothing
/// has landed yet, else the stage's producer; a human stage waits for approval.
pub fn first_job(
    stage: &StageSpec,
    merged: bool,
    now: Timestamp,
    reason: Option<String>,
) -> NextJob {
    let start = Start::Queued { available_at: now, reason };
    let labels = stage.labels.clone();
    if stage.merges && !merged {
        return NextJob { stage: stage.name.clone(), agent: merge_gate(), labels, start };
    }
    let (agent, start) = match &stage.producer {
        Producer::Agent(name) | Producer::Runner(name) => (name.clone(), start),
        Producer::Human => {
            let reason = format!("{} waits for a human's approval", stage.name);
            (human(), Start::Held(Hold { kind: HoldKind::Approval, reason }))
        }
        Producer::MergeOnly => (merge_gate(), start),
    };
    NextJob { stage: stage.name.clone(), agent, labels, start }
}

fn merge_gate() -> AgentName {
    AgentName::new(MERGE_GATE).expect("the reserved names are valid agent names")
}

fn human() -> AgentName {
    AgentName::new("human").expect("`human` is a valid agent name")
}

impl Situation<'_> {
    /// The stage's gate passed: on to the next stage, or to the end.
    pub(super) fn advance(&self, stage: &StageSpec, mut progress: Progress) -> Decision {
        progress.attempts = 0;
        progress.feedback.clear();
        let Some(next) = stage.next.as_ref().and_then(|name| self.task.pipeline.stage(name)) else {
            let done = self.event(EventKind::TaskDone, "done");
            return Decision {
                step: Step::End(TaskEnd::Done),
                progress,
                events: vec![done],
                alerts: vec![],
            };
        };
        progress.stage = next.name.clone();
        let job = first_job(next, progress.merged.is_some(), self.now, None);
        self.to(JobResult::Succeeded, None, progress, job, vec![])
    }

    /// The same stage once more, with the findings in the brief, until its attempts are used up.
    pub(super) fn retry(&self, stage: &StageSpec, mut progress: Progress, why: &str) -> Decision {
        progress.attempts += 1;
        let mut job = first_job(stage, progress.merged.is_some(), self.now, Some(why.to_owned()));
        if progress.attempts >= stage.attempts {
            let reason =
                format!("{} attempts at {} are used up; last: {why}", stage.attempts, stage.name);
            job.start = Start::Held(Hold { kind: HoldKind::Budget, reason });
        }
        let event = self.event(EventKind::StageRetried, format!("{} again: {why}", stage.name));
        self.to(JobResult::Failed, Some(why.to_owned()), progress, job, vec![event])
    }

    /// Back to an earlier stage because the code was found wanting; the one way to burn a bounce.
    pub(super) fn bounce(
        &self,
        to: &StageName,
        mut progress: Progress,
        limit: u32,
        why: &str,
    ) -> Decision {
        let Some(target) = self.task.pipeline.stage(to) else {
            let reason = format!("the pipeline of this task has no stage {to} to go back to");
            return self.hold(progress, Hold { kind: HoldKind::Config, reason });
        };
        progress.stage = target.name.clone();
        progress.attempts = 0;
        progress.tested = None;
        progress.bounces += 1;
        let from = &self.job.stage;
        let mut job = first_job(target, false, self.now, Some(format!("back from {from}: {why}")));
        if progress.bounces > limit {
            let reason = format!("{limit} bounces are used up; last, from {from}: {why}");
            job.start = Start::Held(Hold { kind: HoldKind::Budget, reason });
        }
        let event = self.event(EventKind::TaskBounced, format!("{from} → {to}: {why}"));
        let times = progress.bounces;
        let mut decision =
            self.to(JobResult::Failed, Some(why.to_owned()), progress, job, vec![event]);
        // A hold is told of anyway; a first return is everyday business.
        if times >= REPEATED && decision.alerts.is_empty() {
            let key = &self.task.key;
            decision.alerts.push(Alert {
                dedup_key: format!("bounced:{key}"),
                message: format!("{key} came back to {to} {times} times; last, from {from}: {why}"),
            });
        }
        decision
    }

    /// A new job of the same task, with the events that every such move records.
    pub(super) fn to(
        &self,
        result: JobResult,
        reason: Option<String>,
        progress: Progress,
        job: NextJob,
        mut events: Vec<NewEvent>,
    ) -> Decision {
        if job.stage != self.job.stage {
            events.push(self.event(EventKind::StageEntered, format!("enters {}", job.stage)));
        }
        let mut alerts = Vec::new();
        if let Start::Held(hold) = &job.start {
            let message = format!("held at {}: {}", job.stage, hold.reason);
            alerts.push(Alert {
                dedup_key: format!("held:{}:{}", self.task.key, job.stage),
                message: format!("{} is {message}", self.task.key),
            });
            events.push(self.event(EventKind::TaskHeld, message));
        }
        Decision { step: Step::Next { result, reason, job }, progress, events, alerts }
    }
}
