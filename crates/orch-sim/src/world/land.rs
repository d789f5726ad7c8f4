//! The merge gate in the simulated git: look, rebase, look whether it was tested, push.

use orch_core::decide::MergeResult;
use orch_core::stage::Gate;
use orch_core::verdict::Finding;

use super::drive::Halt;
use super::git::{Branch, Landing, Rebase, mix, number, revision, tree_id};
use super::node::{Driver, Phase};
use super::settle::{Ended, Report};
use super::truth::Fact;
use super::{Broken, World};
use crate::directive::Worker;
use crate::plant::Plant;

/// What the first half of the merge gate came to.
enum Looked {
    Before(u64),
    Conflict(u64),
    NotTested(u64),
    Ready(Branch),
}

impl World {
    /// Fetches, looks whether it landed before, rebases, pushes the branch.
    pub fn rebase(&mut self, worker: Worker, driver: &Driver) -> Result<Phase, Halt> {
        let task = driver.task.clone();
        let blind = self.plant() == Some(Plant::DoubleMerge);
        let looked = self.git(worker, |world| {
            let gone = || Broken::Other(format!("git: the branch of {} is gone", task.key));
            let remote = world.remotes.get_mut(&task.repo).ok_or_else(gone)?;
            let mut branch = remote.branches.get(&task.key).cloned().ok_or_else(gone)?;
            if remote.holds(branch.head()) && !blind {
                return Ok(Looked::Before(branch.head()));
            }
            let again = blind && remote.holds(branch.head());
            if again {
                branch.commits.push(mix(branch.head(), 9));
            }
            let seen = Some(remote.branches.get(&task.key).map_or(0, Branch::head));
            let rebase = remote.rebase(&mut branch);
            let head = branch.head();
            if !remote.push_branch(&task.key, &branch, seen) {
                return Err(Broken::Other("git: the branch has moved".to_owned()));
            }
            if let Some(node) = world.node_mut(worker) {
                node.machine.worktrees.insert(task.key.clone());
                node.machine.seen.insert(task.key.clone(), Some(head));
                node.machine.branches.insert(task.key.clone(), branch.clone());
            }
            if rebase == Rebase::Conflict {
                return Ok(Looked::Conflict(head));
            }
            let tests = task.pipeline.stages.iter().any(|s| s.gate == Gate::TestsPassed);
            let tested = task.progress.tested.as_ref().map(|tested| &tested.code_tree);
            if tests && tested != Some(&tree_id(branch.tree())) && !again {
                return Ok(Looked::NotTested(head));
            }
            Ok(Looked::Ready(branch))
        })?;
        Ok(match looked {
            Looked::Ready(branch) => Phase::LookBeforePush(branch),
            Looked::Before(head) => {
                merged(MergeResult::Landed { commit: revision(head) }, Fact::Landed)
            }
            Looked::Conflict(head) => {
                let findings = vec![Finding::new("the branch conflicts with main")];
                let result = MergeResult::Rejected { findings, head: revision(head) };
                merged(result, Fact::Rejected)
            }
            Looked::NotTested(head) => {
                merged(MergeResult::NotTested { head: revision(head) }, Fact::NotTested)
            }
        })
    }

    /// The one act that can't be taken back.
    pub fn push_main(
        &mut self,
        worker: Worker,
        driver: &Driver,
        branch: &Branch,
    ) -> Result<Phase, Halt> {
        let (repo, key) = (driver.task.repo.clone(), driver.key().clone());
        let landing = self.git(worker, |world| {
            let gone = || Broken::Other("git: no remote".to_owned());
            let remote = world.remotes.get_mut(&repo).ok_or_else(gone)?;
            Ok(remote.push_main(&key, branch, branch.base))
        })?;
        Ok(match landing {
            Landing::Landed => {
                merged(MergeResult::Landed { commit: revision(branch.head()) }, Fact::Landed)
            }
            Landing::Moved => merged(MergeResult::Moved, Fact::Moved),
        })
    }

    /// The number of what a task's record says has landed.
    pub fn landed_number(task: &orch_core::task::Task) -> Option<u64> {
        task.progress.merged.as_ref().and_then(|merged| number(merged.as_str()))
    }
}

fn merged(result: MergeResult, fact: Fact) -> Phase {
    Phase::Settle(Box::new(Ended { report: Report::Merged(result), fact }))
}
