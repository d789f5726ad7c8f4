use std::fs;

use orch_git::{CommitScope, GitError, Worktree};

use crate::world::{World, commit, key, read, write};

#[test]
fn a_new_worktree_stands_on_the_base_and_copies_no_objects() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    assert_eq!(worktree.head().unwrap(), world.rev("user", "main"));
    assert_eq!(read(&worktree, "src/lib"), "lib\n");
    assert!(worktree.is_clean().unwrap());
    assert!(worktree.path().join(".git").is_file());
    assert_eq!(world.sh("find mirrors/m.git/worktrees -name objects"), "");
    assert_eq!(mirror.branch_head(&key("T-1")).unwrap(), Some(worktree.head().unwrap()));
    let unknown = "1".repeat(40).parse().unwrap();
    let error = mirror.ensure_worktree(&key("T-2"), &world.path("wt/T-2"), &unknown).unwrap_err();
    assert!(matches!(error, GitError::NoSuchRef { .. }), "{error:?}");
}

#[test]
fn an_existing_branch_is_taken_up_where_it_is() {
    let world = World::new();
    let mirror = world.mirror();
    let own = commit(&world.worktree(&mirror, "T-1"), "own", "x");
    // Another machine pushed T-2; here it exists on origin only.
    world.sh("cd user && git commit -q --allow-empty -m other && git push -q origin HEAD:orch/T-2");
    mirror.fetch().unwrap();
    assert_eq!(world.worktree(&mirror, "T-2").head().unwrap(), world.rev("user", "HEAD"));
    // T-1's folder vanished; its branch is the mirror's.
    fs::remove_dir_all(world.path("wt/T-1")).unwrap();
    assert_eq!(world.worktree(&mirror, "T-1").head().unwrap(), own);
    // Reuse keeps what is not committed.
    let worktree = world.worktree(&mirror, "T-1");
    write(&worktree, "half", "done");
    assert_eq!(read(&world.worktree(&mirror, "T-1"), "half"), "done");
    assert_eq!(mirror.worktrees().unwrap().len(), 2);
}

#[test]
fn whatever_breaks_a_worktree_it_is_usable_again() {
    const ADMIN: &str = "mirrors/m.git/worktrees/T-1";
    // Damage, and whether the uncommitted file survives the repair.
    for (damage, survives) in [
        ("rm -r wt/T-1", false),
        ("rm wt/T-1/.git", true),
        ("echo 'gitdir: /nowhere' >wt/T-1/.git", true),
        ("rm wt/T-1/.git && git init -q wt/T-1", true),
        ("rm -r ADMIN", false),
        ("rm ADMIN/HEAD", false),
        ("rm ADMIN/commondir", false),
        ("rm ADMIN/index", true),
        ("echo garbage >ADMIN/index", true),
        (": >ADMIN/HEAD", false),
        ("rm ADMIN/gitdir", false),
        ("touch ADMIN/index.lock ADMIN/HEAD.lock mirrors/m.git/refs/heads/orch/T-1.lock", true),
        ("git -C wt/T-1 worktree lock . && rm -r wt/T-1", false),
        ("git -C wt/T-1 checkout -q --detach", true),
        ("git -C wt/T-1 checkout -q -b mine", true),
        ("git -C wt/T-1 checkout -q --orphan mine", true),
        ("git -C wt/T-1 branch -m mine", true),
        ("rm -r wt/T-1 && mkdir wt/T-1", false),
    ] {
        let world = World::new();
        let mirror = world.mirror();
        let head = commit(&world.worktree(&mirror, "T-1"), "own", "x");
        write(&world.worktree(&mirror, "T-1"), "half", "done");
        world.sh(&damage.replace("ADMIN", ADMIN));
        let worktree = world.worktree(&mirror, "T-1");
        assert_eq!(worktree.head().unwrap(), head, "{damage}");
        assert_eq!(worktree.path().join("half").exists(), survives, "{damage}");
        let next = commit(&worktree, "next", "x");
        assert_eq!(mirror.branch_head(&key("T-1")).unwrap(), Some(next), "{damage}");
        assert!(worktree.is_clean().unwrap(), "{damage}");
        assert_eq!(read(&worktree, "own"), "x", "{damage}");
        assert_eq!(mirror.worktrees().unwrap().len(), 1, "{damage}");
    }
}

#[test]
fn a_branch_deleted_under_its_worktree_begins_again_with_the_files() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let base = worktree.head().unwrap();
    write(&worktree, "half", "done");
    mirror.delete_branches([key("T-1")].iter()).unwrap();
    let worktree = world.worktree(&mirror, "T-1");
    assert_eq!((worktree.head().unwrap(), read(&worktree, "half").as_str()), (base, "done"));
}

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let world = World::new();
    let mirror = world.mirror();
    let base = mirror.remote_head("main").unwrap().unwrap();
    world.sh("mkdir -p wt/T-1 && echo dear >wt/T-1/letter");
    for place in ["wt/T-1", "user"] {
        let error = mirror.ensure_worktree(&key("T-1"), &world.path(place), &base).unwrap_err();
        assert!(matches!(error, GitError::Occupied { .. }), "{error:?}");
    }
    assert_eq!(world.sh("cat wt/T-1/letter"), "dear");
}

#[test]
fn commits_take_everything_or_only_the_artifacts() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let base = worktree.head().unwrap();
    assert_eq!(worktree.commit("x", CommitScope::All).unwrap(), None);
    let dir = key("T-1").artifact_dir();
    let under = CommitScope::Under(&dir);
    assert_eq!(worktree.commit("x", under).unwrap(), None);
    write(&worktree, "file", "changed");
    write(&worktree, "target/out", "built");
    write(&worktree, "docs/work-items/T-1/.gitignore", "*");
    write(&worktree, "docs/work-items/T-1/01 ü\n", "x");
    world.sh("cd wt/T-1 && git add file");
    let first = worktree.commit("# artifacts\n\nbody", under).unwrap().unwrap();
    let paths = |a, b| -> Vec<String> {
        worktree.changed_paths(a, b).unwrap().into_iter().map(|c| c.path).collect()
    };
    let expected = ["docs/work-items/T-1/.gitignore", "docs/work-items/T-1/01 ü\n"];
    assert_eq!(paths(&base, &first), expected);
    assert_eq!(worktree.commit("x", under).unwrap(), None);
    write(&worktree, "docs/work-items/T-1/02", "x");
    let second = worktree.commit("", CommitScope::All).unwrap().unwrap();
    assert_eq!(paths(&first, &second), ["docs/work-items/T-1/02", "file"]);
    world.sh("rm -r wt/T-1/docs/work-items");
    let third = worktree.commit("gone", under).unwrap().unwrap();
    assert_eq!(paths(&second, &third).len(), 3);
    assert!(worktree.is_clean().unwrap());
    assert!(worktree.path().join("target/out").exists());
    let log = worktree.commits_between(&base, &third).unwrap();
    let seen: Vec<_> = log.iter().map(|c| (c.subject.as_str(), c.author.as_str())).collect();
    let by = "Orchestrator";
    assert_eq!(seen, [("gone", by), ("", by), ("# artifacts", by)]);
    for bad in ["/etc", "..", ""] {
        assert!(worktree.commit("x", CommitScope::Under(bad)).is_err());
    }
}

#[test]
fn odd_leavings_of_an_agent_are_committed() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let script = "cd wt/T-1; git init -q nested; echo x >nested/f; ln -s /etc/passwd link
        printf x >-rf; mkdir 'a b'; printf x >'a b/:(top)'; rm -r src; echo file >src
        touch $(git rev-parse --git-dir)/index.lock
        git config core.hooksPath $PWD/hooks; mkdir hooks
        printf '#!/bin/sh\\nexit 1\\n' >hooks/pre-commit; chmod +x hooks/pre-commit";
    world.sh(script);
    let base = worktree.head().unwrap();
    let head = worktree.commit("odd", CommitScope::All).unwrap().unwrap();
    let mut paths: Vec<_> =
        worktree.changed_paths(&base, &head).unwrap().into_iter().map(|c| c.path).collect();
    paths.sort();
    assert_eq!(paths, ["-rf", "a b/:(top)", "hooks/pre-commit", "link", "src", "src/lib"]);
}

#[test]
fn commits_made_elsewhere_are_taken_over_only_if_they_build_on_the_task() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    commit(&worktree, "own", "x");
    world.sh("cd wt/T-1 && git checkout -q -b mine && git commit -q --allow-empty -m on-top");
    let on_top = world.rev("wt/T-1", "HEAD");
    let head = commit(&worktree, "more", "x");
    assert!(worktree.is_ancestor(&on_top, &head).unwrap());
    assert_eq!(mirror.branch_head(&key("T-1")).unwrap(), Some(head.clone()));
    world.sh("cd wt/T-1 && git checkout -q --detach HEAD~2 && git commit -q --allow-empty -m side");
    worktree.recover().unwrap();
    assert_eq!(worktree.head().unwrap(), head);
}

#[test]
fn discarding_keeps_build_output_and_drops_all_else() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let head = worktree.head().unwrap();
    mess(&world, &worktree);
    worktree.discard_all().unwrap();
    assert!(worktree.is_clean().unwrap());
    assert_eq!(worktree.head().unwrap(), head);
    assert!(worktree.path().join("target/out").exists());
    assert!(!worktree.path().join("nested").exists());
}

#[test]
fn discarding_outside_keeps_the_folder() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    mess(&world, &worktree);
    let dir = key("T-1").artifact_dir();
    write(&worktree, "docs/work-items/T-1/01", "kept");
    write(&worktree, "docs/work-items/T-10/01", "another's");
    let mut dropped = worktree.discard_outside(&dir).unwrap();
    dropped.sort();
    let expected = [
        "docs/guide",
        "docs/work-items/T-10/01",
        "file",
        "file/x\ny",
        "nested/",
        "src/lib",
        "staged",
    ];
    assert_eq!(dropped, expected);
    let left: Vec<_> =
        worktree.status_paths().unwrap().iter().map(orch_git::StatusEntry::path).collect();
    assert_eq!(left, ["docs/work-items/T-1/01"]);
    assert_eq!(read(&worktree, "file"), "one\ntwo\nthree\n");
    assert!(worktree.path().join("target/out").exists());
    assert!(worktree.discard_outside(&dir).unwrap().is_empty());
    assert!(worktree.commit("x", CommitScope::Under(&dir)).unwrap().is_some());
    assert!(worktree.is_clean().unwrap());
}

/// Changes of every kind.
fn mess(world: &World, worktree: &Worktree) {
    write(worktree, "target/out", "built");
    write(worktree, "docs/guide", "changed");
    write(worktree, "staged", "x");
    world.sh("cd wt/T-1; git add staged; rm src/lib; git init -q nested; touch nested/f");
    // A folder in a file's place.
    world.sh("cd wt/T-1; rm file; mkdir file");
    write(worktree, "file/x\ny", "x");
}

#[test]
fn removing_leaves_the_branch_and_nothing_else() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let head = commit(&worktree, "own", "x");
    worktree.clone().remove().unwrap();
    worktree.remove().unwrap();
    assert!(!world.path("wt/T-1").exists());
    assert!(mirror.worktrees().unwrap().is_empty());
    assert_eq!(world.worktree(&mirror, "T-1").head().unwrap(), head);
}
