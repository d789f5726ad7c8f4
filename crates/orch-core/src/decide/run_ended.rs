//! A run ended: its outcome and its gate's verdict decide what its task does next.

use super::{Counts, Decision, Policy, Situation, Step, delay};
use crate::event::EventKind;
use crate::ids::Revision;
use crate::job::{Hold, HoldKind};
use crate::outcome::{Outcome, Stuck};
use crate::pipeline::{OnFail, StageSpec};
use crate::settings::format_size;
use crate::stage::{Gate, RESERVED_AGENTS};
use crate::task::{Progress, Tested};
use crate::verdict::{Finding, Verdict};

/// What a run left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// What its end means.
    pub outcome: Outcome,
    /// What the stage's gate said; looked at only where the work ran to its own end.
    pub verdict: Verdict,
    /// The tip of the task's branch, as pushed.
    pub head: Option<Revision>,
    /// What a passing suite ran on.
    pub tested: Option<Tested>,
}

/// Runs of a job stopped from outside before its task is held. It burns no budget, because nobody
/// knows a fault; and it is bounded, because an agent may be what stops its own supervisor.
const STOPS: u32 = 10;

/// Decides after a producer's run. Only a verdict on work that really ran can advance, retry or
/// bounce; every infrastructure outcome defers or holds and burns nothing of the task's.
pub fn run_ended(at: Situation<'_>, report: RunReport, policy: &Policy, random: u64) -> Decision {
    let mut progress = at.task.progress.clone();
    progress.head = report.head.or(progress.head);
    let Some(stage) = at.task.pipeline.stage(&at.job.stage) else {
        let reason = format!("the pipeline of this task has no stage {}", at.job.stage);
        return at.hold(progress, Hold { kind: HoldKind::Config, reason });
    };
    let mut decision = match report.outcome {
        Outcome::SuiteRan { .. } => {
            if matches!(report.verdict, Verdict::Pass { .. }) {
                progress.tested = report.tested.or(progress.tested);
            }
            at.judged(stage, progress, &report.verdict, policy)
        }
        ref infra => at.infrastructure(progress, infra, policy, random),
    };
    decision
        .events
        .insert(0, at.event(EventKind::RunEnded, format!("run ended: {}", report.outcome.kind())));
    decision
}

impl Situation<'_> {
    fn judged(
        &self,
        stage: &StageSpec,
        mut progress: Progress,
        verdict: &Verdict,
        policy: &Policy,
    ) -> Decision {
        let word = verdict.word();
        let lines = verdict.lines();
        let summary = lines.first().map_or("no reason given", String::as_str).to_owned();
        let mut judged = self
            .event(EventKind::GateJudged, format!("{} says {word}: {summary}", stage.gate.name()));
        judged.data = serde_json::json!({
            "stage": stage.name, "gate": stage.gate, "verdict": word, "reasons": lines,
        });
        let mut decision = match verdict {
            Verdict::Pass { .. } => self.advance(stage, progress),
            Verdict::Refused { reasons } => {
                progress.feedback = reasons.iter().map(Finding::new).collect();
                self.retry(stage, progress, &summary)
            }
            Verdict::Fail { findings } => {
                progress.feedback.clone_from(findings);
                match &stage.on_fail {
                    OnFail::Retry => self.retry(stage, progress, &summary),
                    OnFail::Bounce(to) => self.bounce(to, progress, policy.bounces, &summary),
                    OnFail::Hold => {
                        let reason = format!("{}: {summary}", stage.gate.name());
                        let deploys = stage.gate == Gate::DeployStatus;
                        let kind = if deploys { HoldKind::Deploy } else { HoldKind::Budget };
                        self.hold(progress, Hold { kind, reason })
                    }
                }
            }
        };
        decision.events.insert(0, judged);
        decision
    }

    /// Infrastructure ended the run: wait, or park with the reason (S7's two-level outcome). Each
    /// sort of fault is taken from a budget of its own.
    pub(super) fn infrastructure(
        &self,
        progress: Progress,
        outcome: &Outcome,
        policy: &Policy,
        random: u64,
    ) -> Decision {
        if let Some(reason) = &policy.reroute {
            return self.requeue(progress, self.now, reason.clone(), Counts::Nothing);
        }
        match outcome {
            Outcome::PermanentEnv { reason } | Outcome::Unproven { reason } => {
                self.hold(progress, Hold { kind: HoldKind::Infra, reason: reason.clone() })
            }
            Outcome::NeedsInput { question } => {
                let asked = self.event(EventKind::TaskAsked, format!("asked: {question}"));
                let hold = Hold { kind: HoldKind::Question, reason: question.clone() };
                let mut decision = self.hold(progress, hold);
                decision.events.insert(0, asked);
                decision
            }
            Outcome::OverBudget { reason } => {
                self.hold(progress, Hold { kind: HoldKind::Spend, reason: reason.clone() })
            }
            Outcome::OverDisk { limit_bytes, used_bytes } => {
                self.over_disk(progress, *limit_bytes, *used_bytes)
            }
            Outcome::RateLimited { until } => {
                let reason = format!("rate limited until {until}");
                self.requeue(progress, (*until).max(self.now), reason, Counts::Nothing)
            }
            Outcome::Lost { reason } => self.crashed(progress, reason, policy),
            Outcome::AgentStuck { how, reason, again } => {
                self.stuck(progress, *how, reason, *again, policy, random)
            }
            Outcome::TransientInfra { .. }
            | Outcome::Unknown { .. }
            | Outcome::TimedOut { .. }
            | Outcome::Stalled { .. }
            | Outcome::Cancelled
            | Outcome::SuiteRan { .. } => self.try_again(progress, outcome, policy, random),
        }
    }

    /// Once more after a while, until the budget of this sort of fault is used up.
    fn try_again(
        &self,
        progress: Progress,
        outcome: &Outcome,
        policy: &Policy,
        random: u64,
    ) -> Decision {
        let what = match outcome {
            Outcome::TransientInfra { reason } | Outcome::Unknown { reason } => reason.clone(),
            Outcome::TimedOut { limit_ms } => format!("timed out after {} s", limit_ms / 1000),
            Outcome::Stalled { limit_ms } => format!("printed nothing for {} s", limit_ms / 1000),
            Outcome::SuiteRan { exit_code } => format!("exit code {exit_code}"),
            _ => "the run was stopped from outside".to_owned(),
        };
        let counts = self.counts(outcome);
        let (used, limit) = match counts {
            Counts::Unknown => (self.job.unknowns, policy.unknowns),
            Counts::Stop => (self.job.stops, STOPS),
            _ => (self.job.defers, policy.defers),
        };
        if used < limit {
            let available_at = self.now + delay(policy, used, random);
            return self.requeue(progress, available_at, what, counts);
        }
        let reason = match counts {
            Counts::Unknown => match used {
                0 => format!("nobody can tell what failed: {what}"),
                _ => format!("nobody can tell what failed, {} times; last: {what}", used + 1),
            },
            Counts::Stop => format!("it was stopped from outside {} times", used + 1),
            _ => format!("{limit} defers are used up; last: {what}"),
        };
        self.hold(progress, Hold { kind: HoldKind::Infra, reason })
    }

    /// Which budget an end is taken from. A suite that did not come to its end within the limits
    /// proves nothing: the code may hang, the machine may be slow, and running it again takes as
    /// long. An agent hangs because its provider does.
    fn counts(&self, outcome: &Outcome) -> Counts {
        match outcome {
            Outcome::Unknown { .. } => Counts::Unknown,
            Outcome::TimedOut { .. } | Outcome::Stalled { .. }
                if RESERVED_AGENTS.contains(&self.job.agent.as_str()) =>
            {
                Counts::Unknown
            }
            Outcome::Cancelled => Counts::Stop,
            _ => Counts::Defer,
        }
    }

    /// The agent got nowhere: once more, in a session of its own; then somebody has to look.
    fn stuck(
        &self,
        mut progress: Progress,
        how: Stuck,
        reason: &str,
        again: bool,
        policy: &Policy,
        random: u64,
    ) -> Decision {
        if again || self.job.defers >= policy.defers {
            let what = if again { "the same in a fresh session" } else { "the defers are used up" };
            let reason = format!("{reason}; {what}");
            return self.hold(progress, Hold { kind: HoldKind::Budget, reason });
        }
        if how == Stuck::NothingDone && progress.feedback.is_empty() {
            progress.feedback.push(Finding::new(reason));
        }
        let available_at = self.now + delay(policy, self.job.defers, random);
        let reason = format!("{reason}; once more in a fresh session");
        self.requeue(progress, available_at, reason, Counts::Defer)
    }

    /// The run filled the disk: whoever works next would do it again, so somebody has to look.
    fn over_disk(&self, mut progress: Progress, limit: u64, used: u64) -> Decision {
        let used = match used {
            u64::MAX => "more than can be counted".to_owned(),
            used => format_size(used),
        };
        let reason = format!(
            "the run took up {used} of the disk, and {} are allowed ([sandbox] disk); it was killed, \
             and what it did is thrown away",
            format_size(limit)
        );
        progress.feedback.push(Finding::new(&reason));
        self.hold(progress, Hold { kind: HoldKind::Budget, reason })
    }

    /// The job was lost with its worker: once more, until its crashes are used up.
    pub(super) fn crashed(&self, progress: Progress, reason: &str, policy: &Policy) -> Decision {
        let crashes = self.job.crashes.saturating_add(1);
        if crashes >= policy.crashes {
            let times = if crashes == 1 { "once".to_owned() } else { format!("{crashes} times") };
            let reason = format!("it was lost with its worker {times}; last: {reason}");
            return self.hold(progress, Hold { kind: HoldKind::Infra, reason });
        }
        self.requeue(progress, self.now, reason.to_owned(), Counts::Crash)
    }

    pub(super) fn requeue(
        &self,
        progress: Progress,
        available_at: jiff::Timestamp,
        reason: String,
        counts: Counts,
    ) -> Decision {
        let event = self.event(
            EventKind::JobDeferred,
            format!("{} back in the queue: {reason}", self.job.stage),
        );
        Decision {
            step: Step::Requeue { available_at, reason, counts },
            progress,
            events: vec![event],
            alerts: vec![],
        }
    }
}
