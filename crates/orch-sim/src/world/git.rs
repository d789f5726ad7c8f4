//! Simulated git: a remote with its default branch and the branches of tasks. Contents are
//! numbers: a tree is made of the patches that it holds.

use std::collections::BTreeMap;

use orch_core::ids::{Revision, TaskKey, TreeId};

/// A remote repository.
#[derive(Debug, Clone, Default)]
pub struct Remote {
    /// The default branch, oldest first; never empty.
    pub main: Vec<Commit>,
    /// The pushed branches of tasks.
    pub branches: BTreeMap<TaskKey, Branch>,
    /// What was deployed from it, in order.
    pub deployed: Vec<u64>,
}

/// A commit of the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its revision.
    pub head: u64,
    /// Its files, artifacts left out.
    pub tree: u64,
    /// The task that landed as it; `None` where somebody else pushed.
    pub by: Option<TaskKey>,
    /// It touches the files that tasks touch.
    pub clash: bool,
}

/// A task's branch: its patches on top of a commit of the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The commit it stands on.
    pub base: u64,
    /// That commit's files.
    pub base_tree: u64,
    /// The code it adds.
    pub patches: Vec<u64>,
    /// Runs whose work is committed, artifacts alone included.
    pub commits: Vec<u64>,
    /// A rebase met conflicts: the next development begins on top of the default branch.
    pub start_over: bool,
}

/// What a rebase came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebase {
    /// The branch stands on the tip of the default branch now.
    Clean,
    /// Both touch the same files.
    Conflict,
}

/// What a push to the default branch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// It is there.
    Landed,
    /// The default branch had moved.
    Moved,
}

impl Branch {
    /// A branch that begins at a commit.
    pub fn at(tip: &Commit) -> Self {
        Self {
            base: tip.head,
            base_tree: tip.tree,
            patches: Vec::new(),
            commits: Vec::new(),
            start_over: false,
        }
    }

    /// Its tip.
    pub fn head(&self) -> u64 {
        let parts = self.patches.iter().chain(&self.commits);
        parts.fold(mix(self.base, 1), |head, part| mix(head, *part))
    }

    /// Its files without artifacts.
    pub fn tree(&self) -> u64 {
        self.patches.iter().fold(self.base_tree, |tree, patch| mix(tree, *patch))
    }

    fn onto(&mut self, tip: &Commit) {
        self.base = tip.head;
        self.base_tree = tip.tree;
        self.start_over = false;
    }
}

impl Remote {
    /// A remote with one commit.
    pub fn new(seed: u64) -> Self {
        let first = Commit { head: mix(seed, 2), tree: mix(seed, 3), by: None, clash: false };
        Self { main: vec![first], ..Self::default() }
    }

    /// The tip of the default branch.
    ///
    /// # Panics
    /// Never: a remote is made with one commit and loses none.
    pub fn tip(&self) -> &Commit {
        self.main.last().expect("a remote is made with one commit and loses none")
    }

    /// Somebody else pushes to the default branch.
    pub fn push_foreign(&mut self, salt: u64, clash: bool) {
        let tip = self.tip();
        let head = mix(mix(tip.head, 4), salt);
        let tree = mix(tip.tree, head);
        self.main.push(Commit { head, tree, by: None, clash });
    }

    /// Whether the default branch holds that revision.
    pub fn holds(&self, head: u64) -> bool {
        self.main.iter().any(|commit| commit.head == head)
    }

    /// Puts a branch on the tip of the default branch.
    pub fn rebase(&self, branch: &mut Branch) -> Rebase {
        let since = self.main.iter().skip_while(|commit| commit.head != branch.base).skip(1);
        if !branch.patches.is_empty() && since.clone().any(|commit| commit.clash) {
            branch.start_over = true;
            return Rebase::Conflict;
        }
        if branch.base != self.tip().head {
            branch.onto(self.tip());
        }
        Rebase::Clean
    }

    /// Puts a branch's work on top of the default branch, its conflicts for the developer to
    /// resolve.
    pub fn start_over(&self, branch: &mut Branch) {
        branch.onto(self.tip());
    }

    /// Pushes a task's branch where the remote's is the one last seen, or the same.
    pub fn push_branch(&mut self, key: &TaskKey, branch: &Branch, seen: Option<u64>) -> bool {
        let there = self.branches.get(key).map(Branch::head);
        if there != seen && there != Some(branch.head()) {
            return false;
        }
        self.branches.insert(key.clone(), branch.clone());
        true
    }

    /// Pushes a branch to the default branch, fast-forward, with a lease on its tip.
    pub fn push_main(&mut self, key: &TaskKey, branch: &Branch, lease: u64) -> Landing {
        if self.holds(branch.head()) {
            return Landing::Landed;
        }
        if self.tip().head != lease || branch.base != lease {
            return Landing::Moved;
        }
        self.main.push(Commit {
            head: branch.head(),
            tree: branch.tree(),
            by: Some(key.clone()),
            // Tasks of one repository touch files of their own here; only others' pushes clash.
            clash: false,
        });
        Landing::Landed
    }
}

/// Mixes two numbers into one; the same on every machine.
pub fn mix(a: u64, b: u64) -> u64 {
    let mut x = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number as a revision.
///
/// # Panics
/// Never: forty hexadecimal digits are a revision.
pub fn revision(number: u64) -> Revision {
    Revision::new(format!("{number:040x}")).expect("forty hexadecimal digits are a revision")
}

/// A number as a tree.
///
/// # Panics
/// Never: forty hexadecimal digits are a tree id.
pub fn tree_id(number: u64) -> TreeId {
    TreeId::new(format!("{number:040x}")).expect("forty hexadecimal digits are a tree id")
}

/// A revision as its number; `None` where it is not one of this world.
pub fn number(revision: &str) -> Option<u64> {
    u64::from_str_radix(revision.trim_start_matches('0'), 16).ok()
}
