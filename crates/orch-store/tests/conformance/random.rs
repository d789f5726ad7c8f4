//! Random sequences of operations: whatever the order, the state stays lawful, a lost fence stays
//! lost, and nothing is claimed twice.

use orch_core::decide::{Loss, Policy, cancelled, retried, run_lost};
use orch_core::ids::StageName;
use orch_core::job::{Fence, Job, JobState};
use orch_core::outcome::Outcome;
use orch_core::serial_gate::{GatePolicy, PASSAGE};
use orch_core::task::Task;
use orch_store::{Claim, DueTasks, Guard, StoreError};
use proptest::prelude::*;

use crate::Engine;
use crate::engine::{at, fence, repo_name, revision, situation};

/// The stages that the gate guards; none named means all.
const GUARDED: [&[&str]; 4] = [&[], &["development"], &["testing"], &["development", "testing"]];

const REPOS: [&str; 2] = ["hello", "world"];

#[derive(Debug, Clone)]
enum Op {
    Submit(usize, i32),
    Claim,
    Pass(usize),
    Fail(usize),
    Infra(usize, bool),
    Lost(usize),
    Cancel(usize),
    Retry(usize),
    Pause(usize),
    Resume(usize),
    Freeze(usize),
    Unfreeze(usize),
    Tick,
    Prune(u32),
}

fn op() -> impl Strategy<Value = Op> {
    let n = 0..8_usize;
    prop_oneof![
        3 => (0..2_usize, 0..3_i32).prop_map(|(repo, priority)| Op::Submit(repo, priority)),
        5 => Just(Op::Claim),
        4 => n.clone().prop_map(Op::Pass),
        2 => n.clone().prop_map(Op::Fail),
        2 => (n.clone(), any::<bool>()).prop_map(|(n, permanent)| Op::Infra(n, permanent)),
        1 => n.clone().prop_map(Op::Lost),
        1 => n.clone().prop_map(Op::Cancel),
        2 => n.clone().prop_map(Op::Retry),
        2 => n.clone().prop_map(Op::Pause),
        2 => n.clone().prop_map(Op::Resume),
        1 => (0..2_usize).prop_map(Op::Freeze),
        1 => (0..2_usize).prop_map(Op::Unfreeze),
        1 => Just(Op::Tick),
        2 => (1..30_u32).prop_map(Op::Prune),
    ]
}

struct World {
    engine: Engine,
    tasks: Vec<Task>,
    running: Vec<Claim>,
    lost: Vec<Fence>,
    guarded: &'static [&'static str],
}

impl World {
    fn new(gate: GatePolicy) -> Self {
        let engine = Engine::memory(gate);
        engine.register("world");
        Self { engine, tasks: vec![], running: vec![], lost: vec![], guarded: &[] }
    }

    fn guard(&mut self, stages: &'static [&'static str]) {
        let names = stages.iter().map(|name| StageName::new(*name).unwrap()).collect();
        self.engine.store.guard_stages(&names).unwrap();
        self.guarded = stages;
    }

    /// Whoever is not aside passes by exactly where the gate does not guard.
    fn check_passages(&self, gate: GatePolicy) {
        for task in &self.tasks {
            let (task, job) = self.engine.store.standing(&task.key).unwrap();
            let Some(job) = job else { continue };
            if task.paused.is_some() || matches!(job.state, JobState::Held { .. }) {
                assert_eq!(task.gate_slot, None, "{task:?}");
                continue;
            }
            let stage = task.progress.stage.as_str();
            let passes = !self.guarded.is_empty() && !self.guarded.contains(&stage);
            let passage = task.gate_slot.is_some_and(|slot| slot >= PASSAGE);
            assert!(!gate.enabled || passes == passage, "{task:?}");
        }
    }

    fn step(&mut self, op: &Op) {
        match op {
            Op::Submit(repo, priority) => {
                self.tasks.push(self.engine.submit_to(REPOS[*repo], *priority));
            }
            Op::Claim => {
                // Late enough that every deferred job is due.
                let request = self.engine.request(1_000);
                self.running.extend(self.engine.store.claim(at(90_000), &request).unwrap());
            }
            Op::Pass(n) => self.end(*n, Engine::pass),
            Op::Fail(n) => self.end(*n, Engine::fail),
            Op::Infra(n, permanent) => {
                let reason = "no network".to_owned();
                let outcome = if *permanent {
                    Outcome::PermanentEnv { reason }
                } else {
                    Outcome::TransientInfra { reason }
                };
                self.end(*n, |engine, claim| engine.infra(claim, outcome.clone()));
            }
            Op::Lost(n) => self.end(*n, |engine, claim| {
                let loss = Loss::Vanished { reason: "gone".to_owned() };
                let at_hand = situation(&claim.task, &claim.job);
                let decision = run_lost(at_hand, &loss, &Policy::default());
                engine.store.apply(at(30), &Guard::Run(fence(claim)), &decision, None).unwrap();
            }),
            Op::Cancel(n) => self.cancel(*n),
            Op::Retry(n) => self.retry(*n),
            Op::Pause(n) => {
                self.on_task(*n, |engine, task| engine.store.pause(at(5), &task.key, None));
            }
            Op::Resume(n) => self.on_task(*n, |engine, task| engine.store.resume(at(5), &task.key)),
            Op::Freeze(n) => {
                self.engine.store.freeze(at(5), &repo_name(REPOS[*n]), None).map(drop).unwrap();
            }
            Op::Unfreeze(n) => {
                self.engine.store.unfreeze(at(5), &repo_name(REPOS[*n])).map(drop).unwrap();
            }
            Op::Prune(rows) => self.prune(*rows),
            Op::Tick => {
                assert_eq!(self.engine.store.sanitize(at(6)).unwrap(), 0);
                assert_eq!(self.engine.store.readmit(at(6)).unwrap(), 0, "everybody is in already");
            }
        }
    }

    fn end(&mut self, n: usize, how: impl Fn(&Engine, &Claim)) {
        if self.running.is_empty() {
            return;
        }
        let mut claim = self.running.remove(n % self.running.len());
        let (job, task) = self.engine.store.job_with_task(claim.job.id).unwrap();
        (claim.job, claim.task) = (job, task);
        how(&self.engine, &claim);
        self.lost.push(fence(&claim));
    }

    fn standing(&self, n: usize) -> Option<(Task, Job)> {
        let task = self.tasks.get(n % self.tasks.len().max(1))?;
        let (task, job) = self.engine.store.standing(&task.key).unwrap();
        Some((task, job?))
    }

    fn cancel(&mut self, n: usize) {
        let Some((task, job)) = self.standing(n) else { return };
        let decision = cancelled(situation(&task, &job), "not needed").unwrap();
        let guard = Guard::Any { job_id: job.id, run_epoch: job.run_epoch };
        self.engine.store.apply(at(30), &guard, &decision, None).unwrap();
        if matches!(job.state, JobState::Running(_)) {
            self.running.retain(|claim| claim.job.id != job.id);
            self.lost.push(crate::engine::fence_of(&job));
        }
    }

    fn retry(&mut self, n: usize) {
        let Some((task, job)) = self.standing(n) else { return };
        let Ok(decision) = retried(situation(&task, &job)) else { return };
        let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
        self.engine.store.apply(at(30), &guard, &decision, None).unwrap();
    }

    /// Deletes what is over, or a part of it.
    fn prune(&mut self, rows: u32) {
        let due = DueTasks { before: at(60), keep: 1 };
        let ids: Vec<_> =
            self.engine.store.due_tasks(due, None, 9).unwrap().iter().map(|task| task.id).collect();
        let open = |world: &Self| world.tasks.iter().filter(|task| world.is_open(task)).count();
        let before = open(self);
        self.engine.store.prune_tasks(due.before, &ids, rows).unwrap();
        assert_eq!(open(self), before, "an open task is never deleted");
        self.tasks.retain(|task| self.engine.store.task(&task.key).is_ok());
    }

    fn is_open(&self, task: &Task) -> bool {
        self.engine.store.task(&task.key).is_ok_and(|task| task.state.is_open())
    }

    fn on_task(&self, n: usize, what: impl Fn(&Engine, &Task) -> orch_store::Result<bool>) {
        let Some(task) = self.tasks.get(n % self.tasks.len().max(1)) else { return };
        let result = what(&self.engine, task);
        assert!(matches!(result, Ok(_) | Err(StoreError::Conflict { .. })), "{result:?}");
    }

    fn check(&self, gate: GatePolicy) {
        assert_eq!(self.engine.violations(), []);
        self.check_passages(gate);
        let running = self.engine.store.running(None).unwrap();
        assert_eq!(running.len(), self.running.len(), "what runs is what was claimed");
        for repo in REPOS {
            let view = self.engine.store.gate_view(&repo_name(repo)).unwrap();
            assert!(!gate.enabled || view.holders.len() <= gate.width as usize, "{view:?}");
            assert_eq!(view.waiting.len() as u64, view.waiting_total);
            let full = gate.enabled && view.holders.len() == gate.width as usize;
            let closed = full || view.frozen.is_some();
            assert!(
                closed || view.waiting.is_empty(),
                "somebody waits beside a free slot: {view:?}"
            );
        }
        for fence in &self.lost {
            let stale = self.engine.store.stamp_base(fence, &revision('d'));
            assert!(matches!(stale, Err(StoreError::Fenced { .. })), "{fence:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_keeps_the_laws(
        ops in prop::collection::vec(op(), 1..60), enabled: bool, width in 1..3_u32,
        guarded in 0..4_usize,
    ) {
        let gate = GatePolicy { enabled, width };
        let mut world = World::new(gate);
        world.guard(GUARDED[guarded]);
        for op in &ops {
            world.step(op);
            world.check(gate);
        }
    }
}
