//! A git directory of a run's own: what may come back from it, and what may not.

use std::fs;
use std::path::PathBuf;

use orch_git::{TakenBack, Worktree};

use crate::world::World;

struct Lent {
    world: World,
    worktree: Worktree,
    dir: PathBuf,
}

fn lent() -> Lent {
    let world = World::new();
    let worktree = world.worktree(&world.mirror(), "ORCH-1");
    let dir = world.path("lent");
    worktree.lend(&dir, "main").unwrap();
    Lent { world, worktree, dir }
}

impl Lent {
    /// What an agent types in its worktree.
    fn agent(&self, command: &str) -> String {
        self.world.sh(&format!("cd wt/ORCH-1; {command}"))
    }

    fn commit(&self) -> String {
        self.agent("echo work > work && git add -A && git commit -qm Work && git rev-parse HEAD")
    }
}

#[test]
fn a_commit_on_top_comes_back_and_the_mirror_was_out_of_reach() {
    let lent = lent();
    let mirror = lent.worktree.mirror().git_dir().to_owned();
    let config = fs::read(mirror.join("config")).unwrap();
    assert_eq!(lent.agent("git status --porcelain"), "");
    assert_eq!(lent.agent("git rev-parse origin/main"), lent.agent("git rev-parse HEAD"));
    let made = lent.commit();
    lent.agent("git config core.fsmonitor ./evil && git config alias.x '!evil'");
    assert_eq!(fs::read(mirror.join("config")).unwrap(), config);

    let back = lent.worktree.take_back(&lent.dir).unwrap();
    assert_eq!(back, TakenBack::Moved(lent.worktree.head().unwrap()));
    assert_eq!(lent.worktree.head().unwrap().as_str(), made);
    assert!(lent.worktree.is_clean().unwrap() && !lent.dir.exists());
    assert_eq!(lent.agent("git rev-parse HEAD"), made);
    assert_eq!(lent.worktree.take_back(&lent.dir).unwrap(), TakenBack::Unchanged);
}

#[test]
fn a_commit_on_a_branch_of_the_agents_own_comes_back_too() {
    let lent = lent();
    lent.agent("git checkout -q -b elsewhere");
    let made = lent.commit();
    lent.worktree.take_back(&lent.dir).unwrap();
    assert_eq!(lent.worktree.head().unwrap().as_str(), made);
}

#[test]
fn what_is_not_on_top_or_damaged_changes_nothing_but_files() {
    let spoilers = [
        "git checkout -q --orphan new && git commit -qm New --allow-empty",
        "rm -rf .git; git init -q .",
        "d=$(git rev-parse --git-dir); rm -rf $d/objects && mkdir $d/objects",
        "d=$(git rev-parse --git-dir); echo garbage > $d/HEAD",
        "d=$(git rev-parse --git-dir); rm -rf $d/objects/info; ln -s /tmp $d/objects/info",
        "d=$(git rev-parse --git-dir); echo $(git rev-parse HEAD | tr 0-9a-f a) > $d/refs/heads/orch/ORCH-1",
    ];
    for spoiler in spoilers {
        let lent = lent();
        let before = lent.worktree.head().unwrap();
        lent.agent(&format!("echo kept > kept; {spoiler}"));
        lent.worktree.take_back(&lent.dir).unwrap();
        assert_eq!(lent.worktree.head().unwrap(), before, "{spoiler}");
        assert!(lent.worktree.path().join("kept").exists(), "{spoiler}");
        assert!(!lent.worktree.is_clean().unwrap(), "{spoiler}");
        assert!(!PathBuf::from("/tmp/alternates").exists(), "{spoiler}");
    }
}

#[test]
fn configuration_and_hooks_of_the_lent_directory_are_not_obeyed() {
    let lent = lent();
    let made = lent.commit();
    let touched = lent.world.path("touched");
    let evil = format!("touch {}", touched.display());
    lent.agent(&format!(
        "d=$(git rev-parse --git-dir); mkdir -p $d/hooks
         for hook in post-checkout reference-transaction pre-commit; do
           printf '#!/bin/sh\\n{evil}\\n' > $d/hooks/$hook; chmod +x $d/hooks/$hook; done
         git config core.fsmonitor '{evil}'; git config uploadpack.packObjectsHook '{evil}'
         git config core.hooksPath $d/hooks; git config remote.origin.uploadpack '{evil}'"
    ));
    // The agent's own shell may have run them by now.
    let _ = fs::remove_file(&touched);
    lent.worktree.take_back(&lent.dir).unwrap();
    assert_eq!(lent.worktree.head().unwrap().as_str(), made);
    assert!(!touched.exists(), "something of the run's was executed");
}
