//! Operators: what people do through the API, each wish repeated until its answer arrives.

use orch_core::decide::{
    Decision, NotAllowed, Situation, Submission, answered, approved, cancelled, retried,
};
use orch_core::ids::TaskKey;
use orch_store::{Guard, IdempotencyKey, StoreError};

use super::truth::Fact;
use super::{Broken, World, setup};
use crate::directive::{Directive, Place};

/// Tries of one wish: more than faults can be armed against it.
const TRIES: u32 = 8;

impl World {
    /// Does what an operator wishes, as far as it is allowed.
    pub fn operate(&mut self, wish: &Directive) {
        use Directive as D;
        let refused = match wish {
            D::Submit { repo, priority } => self.submit(repo, *priority),
            D::Pause(key) => self.insist(|store, now| {
                store.pause(now, key, Some("an operator wishes it")).map(drop)
            }),
            D::Resume(key) => self.insist(|store, now| store.resume(now, key).map(drop)),
            D::Freeze(repo) => {
                self.insist(|store, now| store.freeze(now, repo, Some("a release")).map(drop))
            }
            D::Unfreeze(repo) => self.insist(|store, now| store.unfreeze(now, repo).map(drop)),
            D::Cancel(key) => {
                self.decide(key, true, Fact::Infra, |at| cancelled(at, "not wanted any more"))
            }
            D::Retry(key) => self.decide(key, false, Fact::SetGoing, retried),
            D::Approve(key) => {
                self.decide(key, false, Fact::Approved, |at| approved(at, "an operator"))
            }
            D::Answer(key) => {
                self.decide(key, false, Fact::SetGoing, |at| answered(at, "do it so"))
            }
            _ => Ok(()),
        };
        if let Err(reason) = refused {
            self.say(format!("  not done: {reason}"));
        }
        if let D::Pause(key) = wish {
            self.spoil_pause(key);
        }
    }

    fn submit(&mut self, repo: &orch_core::ids::RepoName, priority: i32) -> Result<(), String> {
        if !self.remotes.contains_key(repo) {
            return Err(format!("there is no repository {repo}"));
        }
        self.truth.submitted += 1;
        let number = self.truth.submitted;
        let submission = Submission {
            repo: repo.clone(),
            title: format!("task {number}"),
            body: String::new(),
            priority,
            pipeline: setup::pipeline(repo),
        };
        let idempotency = IdempotencyKey {
            scope: "api".to_owned(),
            key: number.to_string(),
            body_hash: number.to_string(),
        };
        let answer =
            self.insist(|store, now| store.submit(now, &submission, Some(&idempotency)).map(drop));
        self.spoil_gate();
        answer
    }

    /// Writes until the answer arrives.
    fn insist(
        &mut self,
        write: impl Fn(&orch_store::Store, jiff::Timestamp) -> Result<(), StoreError>,
    ) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.write(Place::Api, &write) {
                Ok(()) => return Ok(()),
                Err(Broken::Store(StoreError::Engine { source, .. })) => last = source.to_string(),
                Err(broken) => return Err(broken.words()),
            }
        }
        Err(last)
    }

    /// Reads the task and its job, decides, applies; looks again where something was quicker.
    fn decide(
        &mut self,
        key: &TaskKey,
        whoever: bool,
        fact: Fact,
        decide: impl Fn(Situation<'_>) -> Result<Decision, NotAllowed>,
    ) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            let (task, job) = match self.read(Place::Api, |store| store.standing(key)) {
                Ok((task, Some(job))) => (task, job),
                Ok((task, None)) => {
                    return Err(format!("{key} is over ({})", task.state.status()));
                }
                Err(broken) => return Err(broken.words()),
            };
            let now = self.clock(Place::Api);
            let decision = decide(Situation { task: &task, job: &job, now })
                .map_err(|refused| refused.to_string())?;
            let (job_id, run_epoch) = (job.id, job.run_epoch);
            let guard = if whoever {
                Guard::Any { job_id, run_epoch }
            } else {
                Guard::Idle { job_id, run_epoch }
            };
            let accepted = std::cell::Cell::new(false);
            let answer = self.write(Place::Api, |store, now| {
                let answer = store.apply(now, &guard, &decision, None);
                accepted.set(accepted.get() || answer.is_ok());
                answer
            });
            if accepted.get() {
                self.truth.became(key, job_id, fact);
            }
            match answer {
                Ok(_) => return Ok(()),
                Err(Broken::Store(StoreError::Fenced { .. })) => {
                    last = format!("{key} changes too quickly");
                }
                Err(Broken::Store(StoreError::Engine { source, .. })) => last = source.to_string(),
                Err(broken) => return Err(broken.words()),
            }
        }
        Err(last)
    }
}
