//! The serial gate (S5): per repository the oldest unfinished task goes first, the rest wait in
//! FIFO order; a paused or held task steps aside and blocks nobody.

use std::collections::BTreeSet;

use crate::ids::TaskId;

/// What the gate knows of one unfinished task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateTask {
    /// Its place in the FIFO order.
    pub id: TaskId,
    /// Higher goes first.
    pub priority: i32,
    /// It steps aside: paused by somebody, or held.
    pub aside: bool,
    /// The slot it has.
    pub slot: Option<u32>,
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
        if self.enabled { self.width.max(1) } else { u32::MAX }
    }
}

/// What has to change at the gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Admission {
    /// Tasks that give their slot back.
    pub release: Vec<TaskId>,
    /// Tasks that get a slot.
    pub admit: Vec<(TaskId, u32)>,
}

/// Decides who leaves and who enters. `tasks` are all unfinished tasks of one repository in any
/// order. Whoever is inside stays inside, also while the repository is frozen.
pub fn admit(tasks: &[GateTask], frozen: bool, policy: GatePolicy) -> Admission {
    let release =
        tasks.iter().filter(|t| t.aside && t.slot.is_some()).map(|t| t.id).collect::<Vec<_>>();
    let mut taken: BTreeSet<u32> =
        tasks.iter().filter(|t| !t.aside).filter_map(|t| t.slot).collect();
    if frozen {
        return Admission { release, admit: Vec::new() };
    }
    let mut admitted = Vec::new();
    let mut slot = 0;
    for task in waiting(tasks) {
        if taken.len() as u64 >= u64::from(policy.slots()) {
            break;
        }
        while taken.contains(&slot) {
            slot += 1;
        }
        taken.insert(slot);
        admitted.push((task.id, slot));
    }
    Admission { release, admit: admitted }
}

/// The tasks that wait outside, in the order in which they will enter.
pub fn waiting(tasks: &[GateTask]) -> Vec<&GateTask> {
    let mut waiting: Vec<_> = tasks.iter().filter(|t| !t.aside && t.slot.is_none()).collect();
    waiting.sort_by_key(|t| (std::cmp::Reverse(t.priority), t.id));
    waiting
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: GatePolicy = GatePolicy { enabled: true, width: 1 };

    fn task(id: i64, aside: bool, slot: Option<u32>) -> GateTask {
        GateTask { id: TaskId(id), priority: 0, aside, slot }
    }

    #[test]
    fn the_oldest_goes_first_and_the_rest_wait() {
        let tasks = [task(3, false, None), task(1, false, None), task(2, false, None)];
        assert_eq!(admit(&tasks, false, ONE).admit, [(TaskId(1), 0)]);
    }

    #[test]
    fn a_paused_holder_gives_its_slot_to_its_successor() {
        let tasks = [task(1, true, Some(0)), task(2, false, None)];
        let plan = admit(&tasks, false, ONE);
        assert_eq!((plan.release, plan.admit), (vec![TaskId(1)], vec![(TaskId(2), 0)]));
    }

    #[test]
    fn a_resumed_task_is_next_in_its_old_place() {
        let tasks = [task(1, false, None), task(2, false, Some(0)), task(3, false, None)];
        assert_eq!(admit(&tasks, false, ONE), Admission::default());
        let after = [task(1, false, None), task(3, false, None)];
        assert_eq!(admit(&after, false, ONE).admit, [(TaskId(1), 0)]);
    }

    #[test]
    fn frozen_lets_nobody_in_and_drives_nobody_out() {
        let tasks = [task(1, false, Some(0)), task(2, false, None)];
        let wide = GatePolicy { enabled: true, width: 2 };
        assert_eq!(admit(&tasks, true, wide), Admission::default());
    }

    #[test]
    fn priority_goes_before_age() {
        let mut urgent = task(9, false, None);
        urgent.priority = 5;
        assert_eq!(admit(&[task(1, false, None), urgent], false, ONE).admit, [(TaskId(9), 0)]);
    }

    #[test]
    fn switched_off_it_admits_everybody() {
        let tasks = [task(1, false, Some(0)), task(2, false, None), task(3, false, None)];
        let off = GatePolicy { enabled: false, width: 1 };
        assert_eq!(admit(&tasks, false, off).admit, [(TaskId(2), 1), (TaskId(3), 2)]);
    }

    fn tasks() -> impl Strategy<Value = Vec<GateTask>> {
        prop::collection::vec((0..3_i32, any::<bool>(), any::<bool>()), 0..12).prop_map(|rows| {
            let mut next_slot = 0..;
            rows.into_iter()
                .enumerate()
                .map(|(id, (priority, aside, inside))| GateTask {
                    id: TaskId(id as i64),
                    priority,
                    aside,
                    slot: inside.then(|| next_slot.next().unwrap_or_default()),
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn slots_are_unique_width_holds_and_order_is_kept(
            tasks in tasks(), frozen: bool, enabled: bool, width in 1..4_u32,
        ) {
            let policy = GatePolicy { enabled, width };
            let plan = admit(&tasks, frozen, policy);
            let mut inside: Vec<u32> = tasks.iter().filter(|t| !t.aside).filter_map(|t| t.slot).collect();
            let before = inside.len();
            inside.extend(plan.admit.iter().map(|(_, slot)| *slot));
            let unique: BTreeSet<u32> = inside.iter().copied().collect();
            prop_assert_eq!(unique.len(), inside.len());
            if enabled {
                prop_assert!(inside.len() <= before.max(width as usize));
            }
            let order: Vec<TaskId> = waiting(&tasks).iter().map(|t| t.id).collect();
            let entered: Vec<TaskId> = plan.admit.iter().map(|(id, _)| *id).collect();
            prop_assert_eq!(&order[..entered.len()], &entered[..]);
            if !frozen && inside.len() < policy.slots() as usize {
                prop_assert_eq!(entered.len(), order.len(), "somebody waits beside a free slot");
            }
        }
    }
}
