//! Directives become acts.

use orch_core::ids::TaskKey;
use orch_core::job::JobState;
use orch_core::stage::{DEPLOY_FINALIZER, STAGING_RUNNER, TEST_RUNNER};
use orch_store::ClaimRequest;

use super::World;
use super::node::{Driver, Phase};
use crate::directive::{Directive, End, Place, Worker};

/// How long a claim holds without a heartbeat, as the engine has it.
const LEASE: std::time::Duration = std::time::Duration::from_secs(45);

/// Does what a directive says.
pub fn perform(world: &mut World, directive: &Directive) {
    use Directive as D;
    match directive {
        D::Claim(w) | D::Beat(w) | D::Reap(w) | D::Reconcile(w) | D::Step(w, _)
            if !acts(world, *w) =>
        {
            world.say(format!("  {w} does nothing: its service or its machine is down"));
        }
        D::Claim(w) => claim(world, *w),
        D::Step(w, key) => world.step(*w, key),
        D::Beat(w) => beat(world, *w),
        D::Reap(w) => world.reap(*w),
        D::Reconcile(w) => world.reconcile(*w),
        D::Crash(w) => down(world, *w),
        D::Start(w) => start(world, *w),
        D::Reboot(w) | D::Container(w) => restart(world, *w, matches!(directive, D::Reboot(_))),
        D::Kill(w, key) => kill(world, *w, key),
        D::Suspend(w) | D::Wake(w) => suspend(world, *w, matches!(directive, D::Suspend(_))),
        D::Partition(w) | D::Heal(w) => cut(world, *w, matches!(directive, D::Partition(_))),
        D::Skew(w, span) => {
            if let Some(node) = world.node_mut(*w) {
                node.skew_ms += span.0;
                if span.0 != 0 {
                    world.counts.struck("clock-jump");
                }
            }
        }
        D::Calm(place) => match place {
            Place::Api => world.api_faults.clear(),
            Place::At(w) => {
                if let Some(node) = world.node_mut(*w) {
                    node.faults.clear();
                }
            }
        },
        D::Arm(place, fault) => match place {
            Place::Api => world.api_faults.push_back(*fault),
            Place::At(w) => {
                if let Some(node) = world.node_mut(*w) {
                    node.faults.push_back(*fault);
                }
            }
        },
        D::Exit(w, key, end) => exit(world, *w, key, *end),
        D::Push { repo, clash } => {
            let salt = world.random();
            if let Some(remote) = world.remotes.get_mut(repo) {
                remote.push_foreign(salt, *clash);
                world.counts.struck(if *clash { "clashing-push" } else { "foreign-push" });
            }
        }
        D::Advance(span) => world.advance(span.0),
        D::Submit { .. }
        | D::Pause(_)
        | D::Resume(_)
        | D::Cancel(_)
        | D::Retry(_)
        | D::Approve(_)
        | D::Answer(_)
        | D::Freeze(_)
        | D::Unfreeze(_) => world.operate(directive),
        // Made of many steps, each judged by itself: the runner takes them apart.
        D::Run(..) | D::Drain | D::Show | D::Why(_) | D::Expect(_) => {}
    }
}

fn acts(world: &World, worker: Worker) -> bool {
    world.node(worker).is_some_and(super::Node::acts)
}

fn claim(world: &mut World, worker: Worker) {
    let Some(node) = world.node(worker) else { return };
    if node.drivers.len() >= world.setup.capacity as usize || world.phantom(worker) {
        world.say(format!("  {worker} has no room"));
        return;
    }
    let worker_id = node.id.clone();
    let place = Place::At(worker);
    let request = ClaimRequest {
        worker_id,
        run_id: world.run_id(place),
        lease: LEASE,
        labels: std::collections::BTreeSet::new(),
        max_running: world.setup.capacity,
        max_per_repo: None,
        max_per_agent: None,
    };
    match world.write(place, |store, now| store.claim(now, &request)) {
        Ok(None) => world.say("  nothing to claim"),
        Err(broken) => world.say(format!("  the claim failed: {}", broken.words())),
        Ok(Some(claim)) => {
            let JobState::Running(owner) = claim.job.state.clone() else { return };
            let merges = claim.job.agent.as_str() == orch_core::stage::MERGE_GATE;
            let phase = if merges { Phase::Rebase } else { Phase::Prepare };
            let driver =
                Driver { job: claim.job, task: claim.task, owner, base: None, lost: false, phase };
            if let Some(node) = world.node_mut(worker) {
                node.drivers.push(driver);
            }
        }
    }
}

fn beat(world: &mut World, worker: Worker) {
    let Some(node) = world.node(worker) else { return };
    let fences: Vec<_> = node.drivers.iter().map(Driver::fence).collect();
    let id = node.id.clone();
    match world.write(Place::At(worker), |store, now| store.heartbeat(now, &id, LEASE, &fences)) {
        Err(broken) => world.say(format!("  the heartbeat failed: {}", broken.words())),
        Ok(lost) => {
            let held = fences.iter().filter(|fence| !lost.contains(fence)).cloned();
            world.truth.accepted.extend(held);
            let Some(node) = world.node_mut(worker) else { return };
            let mut told = Vec::new();
            for driver in &mut node.drivers {
                if !driver.lost && lost.contains(&driver.fence()) {
                    driver.lost = true;
                    told.push(format!("  {worker} learns that {} is lost to it", driver.key()));
                }
            }
            for line in told {
                world.say(line);
            }
        }
    }
}

fn down(world: &mut World, worker: Worker) {
    if world.node(worker).is_some_and(|node| node.up) {
        world.crash(worker);
        world.counts.struck("crash");
    }
}

fn start(world: &mut World, worker: Worker) {
    let Some(node) = world.node_mut(worker) else { return };
    if node.up || node.suspended {
        world.say(format!("  {worker} can't start: it runs, or its machine sleeps"));
        return;
    }
    node.up = true;
    world.reap(worker);
    if acts(world, worker) {
        world.reconcile(worker);
    }
}

fn restart(world: &mut World, worker: Worker, boots: bool) {
    world.crash(worker);
    let Some(node) = world.node_mut(worker) else { return };
    node.suspended = false;
    if boots {
        node.machine.reboot();
    } else {
        node.machine.restart_container();
    }
    world.counts.restarts += 1;
    world.counts.struck(if boots { "reboot" } else { "container-restart" });
}

fn kill(world: &mut World, worker: Worker, key: &TaskKey) {
    let Some(node) = world.node_mut(worker) else { return };
    let Some(run) = node.machine.worked(key) else {
        world.say(format!("  nothing is supervised on {worker} for {key}"));
        return;
    };
    node.machine.kill_supervisor(&run);
    world.counts.struck("supervisor-killed");
}

fn suspend(world: &mut World, worker: Worker, sleeps: bool) {
    let Some(node) = world.node_mut(worker) else { return };
    if std::mem::replace(&mut node.suspended, sleeps) != sleeps && sleeps {
        world.counts.struck("suspend");
    }
}

fn cut(world: &mut World, worker: Worker, away: bool) {
    let Some(node) = world.node_mut(worker) else { return };
    if std::mem::replace(&mut node.partitioned, away) != away && away {
        world.counts.struck("partition");
    }
}

fn exit(world: &mut World, worker: Worker, key: &TaskKey, end: End) {
    let now = world.clock(Place::At(worker));
    let Some(node) = world.node_mut(worker) else { return };
    let Some(run) = node.machine.worked(key).filter(|_| !node.suspended) else {
        world.say(format!("  nothing works on {worker} for {key}"));
        return;
    };
    let agent = world.store.run(&run).map(|run| run.agent.to_string()).unwrap_or_default();
    let suite = [TEST_RUNNER, STAGING_RUNNER, DEPLOY_FINALIZER].contains(&agent.as_str());
    let Some(node) = world.node_mut(worker) else { return };
    node.machine.exit(&run, end, suite, now);
    let tree = node.machine.runs.get(&run).map_or(0, |dir| dir.tree);
    world.counts.ends += 1;
    if end != End::Pass && end != End::Fail {
        world.counts.struck(&format!("end-{end}"));
    }
    if end == End::Pass && agent == TEST_RUNNER {
        world.truth.tested.entry(key.clone()).or_default().insert(tree);
    }
    if end == End::Pass && agent == DEPLOY_FINALIZER {
        world.deploy(key);
    }
}
