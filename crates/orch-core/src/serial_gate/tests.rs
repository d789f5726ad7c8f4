use proptest::prelude::*;

use super::*;

const ONE: GatePolicy = GatePolicy { enabled: true, width: 1 };

fn task(id: i64, aside: bool, slot: Option<u32>) -> GateTask {
    GateTask { id: TaskId(id), priority: 0, aside, outside: false, slot }
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

/// The same at a stage that the gate does not guard.
fn outside(id: i64, aside: bool, slot: Option<u32>) -> GateTask {
    GateTask { outside: true, ..task(id, aside, slot) }
}

#[test]
fn stages_that_are_not_guarded_use_up_no_width() {
    let tasks = [
        outside(1, false, None),
        task(2, false, None),
        outside(3, false, None),
        task(4, false, None),
        outside(5, true, None),
    ];
    let plan = admit(&tasks, false, ONE);
    assert_eq!(plan.pass, [(TaskId(1), PASSAGE + 1), (TaskId(3), PASSAGE + 3)]);
    assert_eq!((plan.admit, plan.release), (vec![(TaskId(2), 0)], vec![]));
    let plan = admit(&tasks, true, ONE);
    assert_eq!(plan.pass.len(), 2, "a freeze holds nobody up who does not enter");
    assert_eq!(plan.admit, []);
}

#[test]
fn the_first_guarded_stage_takes_the_passage_back_and_the_last_gives_the_slot_free() {
    // 1 comes from a stage before the gate while 2 is inside and 3, younger, waits.
    let coming = [task(1, false, Some(PASSAGE + 1)), task(2, false, Some(0)), task(3, false, None)];
    let plan = admit(&coming, false, ONE);
    assert_eq!((plan.release, plan.admit), (vec![TaskId(1)], vec![]));
    // 2 has passed the last guarded stage: the slot goes to the oldest who waits.
    let gone = [task(1, false, None), outside(2, false, Some(0)), task(3, false, None)];
    let plan = admit(&gone, false, ONE);
    assert_eq!(plan.release, [TaskId(2)]);
    assert_eq!(plan.pass, [(TaskId(2), PASSAGE + 2)]);
    assert_eq!(plan.admit, [(TaskId(1), 0)]);
    // It arrives at the gate while a slot is free.
    let free = [task(1, false, Some(PASSAGE + 1))];
    let plan = admit(&free, false, ONE);
    assert_eq!((plan.release, plan.admit), (vec![TaskId(1)], vec![(TaskId(1), 0)]));
}

/// A task as a row may have it, lawful or not.
fn tasks() -> impl Strategy<Value = Vec<GateTask>> {
    let row = (0..3_i32, any::<bool>(), any::<bool>(), 0..3_u8);
    prop::collection::vec(row, 0..14).prop_map(|rows| {
        let mut next_slot = 0..;
        let make = |(id, (priority, aside, outside, slot)): (usize, (i32, bool, bool, u8))| {
            let id = TaskId(id as i64);
            let slot = match slot {
                0 => None,
                1 => next_slot.next(),
                _ => Some(passage(id)),
            };
            GateTask { id, priority, aside, outside, slot }
        };
        rows.into_iter().enumerate().map(make).collect()
    })
}

/// The tasks after a plan was carried out.
fn after(tasks: &[GateTask], plan: &Admission) -> Vec<GateTask> {
    let mut tasks = tasks.to_vec();
    for task in &mut tasks {
        if plan.release.contains(&task.id) {
            task.slot = None;
        }
        for (id, slot) in plan.admit.iter().chain(&plan.pass) {
            if *id == task.id {
                assert_eq!(task.slot, None, "a slot is given to one that has one");
                task.slot = Some(*slot);
            }
        }
    }
    tasks
}

fn inside(tasks: &[GateTask]) -> Vec<&GateTask> {
    tasks.iter().filter(|t| t.is_inside()).collect()
}

proptest! {
    #[test]
    fn slots_are_unique_width_holds_and_order_is_kept(
        tasks in tasks(), frozen: bool, enabled: bool, width in 1..4_u32,
    ) {
        let policy = GatePolicy { enabled, width };
        let plan = admit(&tasks, frozen, policy);
        let then = after(&tasks, &plan);
        let slots: Vec<u32> = then.iter().filter_map(|t| t.slot).collect();
        let unique: BTreeSet<u32> = slots.iter().copied().collect();
        prop_assert_eq!(unique.len(), slots.len());
        let before = inside(&tasks).iter().filter(|t| t.keeps()).count();
        if enabled {
            prop_assert!(inside(&then).len() <= before.max(width as usize));
        }
        let order: Vec<TaskId> = waiting(&tasks).iter().map(|t| t.id).collect();
        let entered: Vec<TaskId> = plan.admit.iter().map(|(id, _)| *id).collect();
        prop_assert_eq!(&order[..entered.len()], &entered[..]);
        if !frozen && inside(&then).len() < policy.slots() as usize {
            prop_assert_eq!(entered.len(), order.len(), "somebody waits beside a free slot");
        }
        if frozen {
            prop_assert!(entered.is_empty());
        }
    }

    /// Nobody is driven out from inside, nobody aside keeps anything, nobody outside the guarded
    /// stages waits or uses up width, and nobody at a guarded stage passes by.
    #[test]
    fn everybody_has_what_their_stage_gives(
        tasks in tasks(), frozen: bool, enabled: bool, width in 1..4_u32,
    ) {
        let plan = admit(&tasks, frozen, GatePolicy { enabled, width });
        for (was, is) in tasks.iter().zip(after(&tasks, &plan)) {
            if was.keeps() {
                prop_assert_eq!(was.slot, is.slot);
            }
            prop_assert!(!is.aside || is.slot.is_none(), "{is:?}");
            if !is.aside && is.outside {
                prop_assert_eq!(is.slot, Some(passage(is.id)));
            }
            if !is.outside {
                prop_assert!(is.slot.is_none_or(|slot| slot < PASSAGE), "{is:?}");
            }
        }
    }

    /// Carried out, a plan leaves nothing to do: a tick that finds no change makes none.
    #[test]
    fn a_plan_is_carried_out_once(tasks in tasks(), frozen: bool, enabled: bool, width in 1..4_u32) {
        let policy = GatePolicy { enabled, width };
        let then = after(&tasks, &admit(&tasks, frozen, policy));
        prop_assert_eq!(admit(&then, frozen, policy), Admission::default());
    }

    /// Whoever steps aside and comes back enters before everybody younger of its priority.
    #[test]
    fn whoever_comes_back_has_the_old_place(tasks in tasks(), who in 0..14_usize) {
        let mut line = tasks;
        let Some(task) = line.get_mut(who) else { return Ok(()) };
        (task.aside, task.outside, task.slot) = (true, false, None);
        let (id, priority) = (task.id, task.priority);
        let plan = admit(&line, false, ONE);
        let mut line = after(&line, &plan);
        line[who].aside = false;
        let ahead = waiting(&line).into_iter().take_while(|t| t.id != id);
        for other in ahead {
            prop_assert!((other.priority, id) > (priority, other.id), "{other:?}");
        }
    }
}
