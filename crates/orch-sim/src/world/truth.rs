//! What really happened in the world, written down where it happens: the judge compares the
//! records of the store with it.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::ids::{JobId, RunId, TaskKey};
use orch_core::job::Fence;

use super::setup::Setup;
use crate::directive::{End, Worker};

/// What really became of a run, whatever was decided about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The work ran to its own end, and a gate may pass it.
    Passed,
    /// The work ran to its own end and was found wanting, or could not be judged.
    Wanting,
    /// Infrastructure failed for a moment; counts against the budget of defers.
    Waits,
    /// Infrastructure failed in another way, or nobody is at fault.
    Infra,
    /// The branch landed.
    Landed,
    /// The rebased branch is not what was tested.
    NotTested,
    /// The branch was rejected.
    Rejected,
    /// The default branch had moved.
    Moved,
    /// An operator set the task going.
    SetGoing,
    /// An operator approved.
    Approved,
}

impl Fact {
    /// How an end of work counts.
    pub fn of(end: End) -> Self {
        match end {
            End::Pass => Self::Passed,
            End::Fail | End::Refused => Self::Wanting,
            End::Transient | End::Ssh | End::Timeout | End::Stall | End::Killed => Self::Waits,
            End::Permanent | End::RateLimit | End::Lost => Self::Infra,
        }
    }
}

/// What really happened.
#[derive(Debug, Default)]
pub struct Truth {
    /// Writes by runs that the store accepted in this step.
    pub accepted: Vec<Fence>,
    /// What became of tasks in this step, as far as the store accepted it.
    pub facts: Vec<(TaskKey, Fact)>,
    /// Runs that gave their jobs back by themselves in this step, and where they ran.
    pub settled: Vec<(Worker, RunId)>,
    /// Workers whose reconcilers looked at everything in this step without a fault.
    pub reconciled: Vec<Worker>,
    /// Files on which a suite of that task passed.
    pub tested: BTreeMap<TaskKey, BTreeSet<u64>>,
    /// Ends that count against the budget of defers, per job, since it was last set going.
    pub waits: BTreeMap<JobId, u32>,
    /// Channels that are paused although a run that was let through came to its own end, in this
    /// step.
    pub unreleased: Vec<String>,
    /// Tasks that were asked for.
    pub submitted: u64,
}

impl Truth {
    /// Forgets what belongs to the last step.
    pub fn begin_step(&mut self) {
        self.accepted.clear();
        self.facts.clear();
        self.settled.clear();
        self.reconciled.clear();
        self.unreleased.clear();
    }

    /// Notes what became of a task's job, once the store has accepted it.
    pub fn became(&mut self, key: &TaskKey, job: JobId, fact: Fact) {
        match fact {
            Fact::Waits => *self.waits.entry(job).or_default() += 1,
            Fact::SetGoing => {
                self.waits.remove(&job);
            }
            _ => {}
        }
        self.facts.push((key.clone(), fact));
    }

    /// The most ends of that kind that a job may have without a hold.
    pub fn most_waits(setup: &Setup) -> u32 {
        setup.defers + super::setup::UNKNOWNS
    }
}
