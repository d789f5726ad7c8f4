//! Starting over after a conflict: whoever can edit a file can resolve it, and the branch rebases
//! cleanly afterwards.

use orch_git::{CommitScope, Mirror, Rebase, Worktree};

use crate::world::{World, commit, read, write};

fn conflicting() -> (World, Mirror, Worktree, orch_core::ids::Revision) {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    commit(&worktree, "shared", "ours\n");
    commit(&worktree, "own", "own\n");
    let onto = world.advance("echo theirs >shared");
    mirror.fetch().unwrap();
    assert!(matches!(worktree.rebase(&onto).unwrap(), Rebase::Conflict { .. }));
    (world, mirror, worktree, onto)
}

#[test]
fn the_work_is_laid_on_the_target_with_the_conflicts_marked() {
    let (_world, _mirror, worktree, onto) = conflicting();
    assert_eq!(worktree.starts_over_from().unwrap(), None);
    let tip = worktree.head().unwrap();
    worktree.want_start_over().unwrap();
    worktree.start_over(&onto).unwrap();
    assert_eq!(
        (worktree.head().unwrap(), worktree.starts_over_from().unwrap()),
        (onto.clone(), Some(tip.clone()))
    );
    let marked = read(&worktree, "shared");
    assert!(
        marked.contains("ours") && marked.contains("theirs") && marked.contains("<<<<<<<"),
        "{marked}"
    );
    assert_eq!(read(&worktree, "own"), "own\n");

    // Cut off in the middle and begun anew, it comes to the same.
    write(&worktree, "shared", "half resolved\n");
    write(&worktree, "stray", "x\n");
    worktree.want_start_over().unwrap();
    worktree.start_over(&onto).unwrap();
    assert_eq!(read(&worktree, "shared"), marked);
    assert!(!worktree.path().join("stray").exists());
    assert_eq!(worktree.starts_over_from().unwrap(), Some(tip));

    write(&worktree, "shared", "both\n");
    worktree.commit("resolved", CommitScope::All).unwrap().unwrap();
    worktree.finished_starting_over().unwrap();
    worktree.finished_starting_over().unwrap();
    assert_eq!(worktree.starts_over_from().unwrap(), None);
    assert_eq!(worktree.rebase(&onto).unwrap(), Rebase::UpToDate);
    assert_eq!(worktree.commits_between(&onto, &worktree.head().unwrap()).unwrap().len(), 1);
    // Without a note there is nothing to start over.
    let head = worktree.head().unwrap();
    worktree.start_over(&onto).unwrap();
    assert_eq!(worktree.head().unwrap(), head);
}

#[test]
fn a_deletion_against_a_change_leaves_a_file_to_decide_about() {
    let world = World::new();
    let mirror = world.mirror();
    world.advance("echo first >shared");
    mirror.fetch().unwrap();
    let worktree = world.worktree(&mirror, "T-1");
    std::fs::remove_file(worktree.path().join("shared")).unwrap();
    worktree.commit("drop it", CommitScope::All).unwrap();
    let onto = world.advance("echo second >shared");
    mirror.fetch().unwrap();
    assert!(matches!(worktree.rebase(&onto).unwrap(), Rebase::Conflict { .. }));
    worktree.want_start_over().unwrap();
    worktree.start_over(&onto).unwrap();
    assert_eq!(read(&worktree, "shared"), "second\n");
    assert!(worktree.commit("resolved", CommitScope::All).is_ok());
}

#[test]
fn a_rewritten_branch_gets_its_base_back_and_keeps_its_files() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    commit(&worktree, "a", "a\n");
    let base = worktree.head().unwrap();
    world.sh(
        "cd wt/T-1 && git reset -q --hard HEAD~1 && echo b >b && git add b && git commit -qm other",
    );
    worktree.keep_base(&base).unwrap();
    assert_eq!(worktree.head().unwrap(), base);
    assert_eq!(read(&worktree, "b"), "b\n");
    let later = {
        commit(&worktree, "c", "c\n");
        worktree.head().unwrap()
    };
    worktree.keep_base(&base).unwrap();
    assert_eq!(worktree.head().unwrap(), later);
}

#[test]
fn a_worktree_is_removed_in_whatever_state_it_is() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    assert!(worktree.tracked_files().unwrap() > 0);
    std::fs::remove_file(worktree.path().join(".git")).unwrap();
    mirror.remove_worktree(worktree.path()).unwrap();
    mirror.remove_worktree(worktree.path()).unwrap();
    assert!(!worktree.path().exists());
    assert_eq!(mirror.worktrees().unwrap().iter().filter(|w| w.key().is_some()).count(), 0);
    assert!(mirror.branch_head(worktree.key()).unwrap().is_some());
}
