//! What stands on the default branches and on the hosts, against the records.

use std::collections::BTreeMap;

use orch_core::audit::State;
use orch_core::ids::TaskKey;
use orch_core::stage::Gate;
use orch_core::task::Task;

use super::Violation;
use crate::world::World;

pub fn judge(world: &World, state: &State, found: &mut Vec<Violation>) {
    let tasks: BTreeMap<&TaskKey, &Task> = state.tasks.iter().map(|t| (&t.key, t)).collect();
    for (repo, remote) in &world.remotes {
        let mut landed: BTreeMap<&TaskKey, u32> = BTreeMap::new();
        for key in remote.main.iter().filter_map(|commit| commit.by.as_ref()) {
            *landed.entry(key).or_default() += 1;
        }
        for (key, times) in landed {
            if times > 1 {
                let what = format!("{key} landed {times} times on {repo}");
                found.push(Violation::new("a_task_lands_once", what));
            }
        }
        for commit in &remote.main {
            let Some(key) = &commit.by else { continue };
            let tests = tasks.get(key).is_some_and(|task| {
                task.pipeline.stages.iter().any(|stage| stage.gate == Gate::TestsPassed)
            });
            let tested = world.truth.tested.get(key).is_some_and(|t| t.contains(&commit.tree));
            if tests && !tested {
                let what = format!("{key} landed on {repo} with files that no suite passed on");
                found.push(Violation::new("what_lands_was_tested", what));
            }
        }
        for deployed in &remote.deployed {
            if !remote.holds(*deployed) {
                let what = format!("{deployed:x} is deployed and not on {repo}'s default branch");
                found.push(Violation::new("what_is_deployed_has_landed", what));
            }
        }
    }
    for task in &state.tasks {
        let Some(merged) = World::landed_number(task) else { continue };
        if !world.remotes.get(&task.repo).is_some_and(|remote| remote.holds(merged)) {
            let what = format!("{} is recorded as landed and is not there", task.key);
            found.push(Violation::new("recorded_merges_are_true", what));
        }
    }
}
