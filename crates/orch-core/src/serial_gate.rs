//! The serial gate (S5): per repository the oldest unfinished task goes first, the rest wait in
//! FIFO order; a paused or held task steps aside and blocks nobody.
//!
//! The gate may guard only some stages. A task at a stage that it does not guard passes it by: it
//! has a *passage*, a slot beyond all that the gate has to give, which uses up no width. At the
//! first stage that is guarded it gives the passage back and waits in line.

use std::collections::BTreeSet;

use crate::ids::TaskId;

/// The first of the slots beyond the gate; more than any width.
pub const PASSAGE: u32 = 1 << 20;

/// What the gate knows of one unfinished task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateTask {
    /// Its place in the FIFO order.
    pub id: TaskId,
    /// Higher goes first.
    pub priority: i32,
    /// It steps aside: paused by somebody, or held.
    pub aside: bool,
    /// It stands at a stage that the gate does not guard.
    pub outside: bool,
    /// The slot it has; a passage from [`PASSAGE`] on.
    pub slot: Option<u32>,
}

impl GateTask {
    /// Whether it has one of the gate's own slots.
    fn is_inside(&self) -> bool {
        self.slot.is_some_and(|slot| slot < PASSAGE)
    }

    /// Whether it keeps what it has: one of the gate's slots at a guarded stage, a passage at any
    /// other.
    fn keeps(&self) -> bool {
        !self.aside && self.slot.is_some() && self.is_inside() != self.outside
    }
}

/// How many tasks of one repository are inside at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatePolicy {
    /// Off: everybody is admitted.
    pub enabled: bool,
    /// Slots per repository; at least 1.
    pub width: u32,
}

impl GatePolicy {
    /// The slots there are under this policy.
    fn slots(self) -> u32 {
        if self.enabled { self.width.max(1) } else { PASSAGE }
    }
}

/// What has to change at the gate. All releases go before all admissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Admission {
    /// Tasks that give their slot, or their passage, back.
    pub release: Vec<TaskId>,
    /// Tasks that get one of the gate's slots.
    pub admit: Vec<(TaskId, u32)>,
    /// Tasks that get a passage.
    pub pass: Vec<(TaskId, u32)>,
}

/// Decides who leaves and who enters. `tasks` are all unfinished tasks of one repository in any
/// order. Whoever is inside stays inside until it leaves the guarded stages, also while the
/// repository is frozen: then nobody enters, and those at other stages go on.
pub fn admit(tasks: &[GateTask], frozen: bool, policy: GatePolicy) -> Admission {
    let release = tasks.iter().filter(|t| t.slot.is_some() && !t.keeps()).map(|t| t.id).collect();
    let pass = tasks
        .iter()
        .filter(|t| t.outside && !t.aside && !t.keeps())
        .map(|t| (t.id, passage(t.id)))
        .collect();
    let mut admission = Admission { release, admit: Vec::new(), pass };
    if frozen {
        return admission;
    }
    let mut taken: BTreeSet<u32> =
        tasks.iter().filter(|t| t.keeps() && t.is_inside()).filter_map(|t| t.slot).collect();
    let mut slot = 0;
    for task in waiting(tasks) {
        if taken.len() as u64 >= u64::from(policy.slots()) {
            break;
        }
        while taken.contains(&slot) {
            slot += 1;
        }
        taken.insert(slot);
        admission.admit.push((task.id, slot));
    }
    admission
}

/// The tasks that wait outside, in the order in which they will enter.
pub fn waiting(tasks: &[GateTask]) -> Vec<&GateTask> {
    let mut waiting: Vec<_> =
        tasks.iter().filter(|t| !t.aside && !t.outside && !t.keeps()).collect();
    waiting.sort_by_key(|t| (std::cmp::Reverse(t.priority), t.id));
    waiting
}

/// The passage of a task: a number of its own, as long as a repository's tasks are fewer than four
/// thousand million.
fn passage(id: TaskId) -> u32 {
    let beyond = u64::from(u32::MAX - PASSAGE);
    let offset = u32::try_from(id.0.unsigned_abs() % beyond).unwrap_or(0);
    PASSAGE + offset
}

#[cfg(test)]
mod tests;
