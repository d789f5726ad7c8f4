use orch_core::ids::Revision;
use orch_git::{ChangeKind, DiffStat};

use crate::world::{World, commit, write};

/// What git itself makes of a revision without the folder, by way of an index.
fn by_index(world: &World, rev: &Revision) -> String {
    world.sh(&format!(
        "export GIT_DIR=mirrors/m.git GIT_INDEX_FILE=$PWD/idx; git read-tree {rev}
         git rm -rq --cached --ignore-unmatch docs/work-items >/dev/null; git write-tree; rm -f idx"
    ))
}

#[test]
fn the_code_tree_ignores_work_items_and_nothing_else() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let start = worktree.head().unwrap();
    let start_tree = worktree.code_tree(&start).unwrap();
    assert_eq!(start_tree, worktree.tree(&start).unwrap());
    for (path, same) in [
        ("docs/work-items/T-1/01-analysis.md", true),
        ("docs/work-items/T-1/06-adr/a b\nü", true),
        ("docs/work-items-2/x", false),
        ("docs/other", false),
        ("sub/docs/work-items/x", false),
        ("zz", false),
    ] {
        let before = worktree.code_tree(&worktree.head().unwrap()).unwrap();
        let after = commit(&worktree, path, "x");
        assert_eq!(worktree.code_tree(&after).unwrap() == before, same, "{path:?}");
        assert_eq!(worktree.code_tree(&after).unwrap().as_str(), by_index(&world, &after));
    }
}

#[test]
fn a_docs_folder_with_nothing_else_falls_away() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    world.sh("rm -r wt/T-1/docs");
    let without = commit(&worktree, "x", "x");
    let with = commit(&worktree, "docs/work-items/T-1/a", "x");
    assert_eq!(worktree.code_tree(&with).unwrap(), worktree.tree(&without).unwrap());
    // Nothing but work items, and a file in the folder's place.
    world.sh("cd wt/T-1 && rm -r file src x .gitignore");
    let only = commit(&worktree, "docs/work-items/T-1/b", "x");
    assert_eq!(worktree.code_tree(&only).unwrap().as_str(), by_index(&world, &only));
    world.sh("rm -r wt/T-1/docs");
    let file = commit(&worktree, "docs", "a file");
    assert_eq!(worktree.code_tree(&file).unwrap(), worktree.tree(&file).unwrap());
    let unknown = "1".repeat(40).parse().unwrap();
    assert!(worktree.code_tree(&unknown).is_err());
}

#[test]
fn differences_are_listed_with_odd_names() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let base = worktree.head().unwrap();
    write(&worktree, "a\tb\nü", "1\n2\n");
    write(&worktree, "bin", b"\0\x01");
    world.sh("cd wt/T-1 && git mv file moved && rm src/lib");
    let head = commit(&worktree, "docs/guide", "changed\n");
    let mut changes = worktree.changed_paths(&base, &head).unwrap();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    let seen: Vec<_> = changes.iter().map(|c| (c.path.as_str(), c.kind)).collect();
    assert_eq!(
        seen,
        [
            ("a\tb\nü", ChangeKind::Added),
            ("bin", ChangeKind::Added),
            ("docs/guide", ChangeKind::Modified),
            ("file", ChangeKind::Deleted),
            ("moved", ChangeKind::Added),
            ("src/lib", ChangeKind::Deleted),
        ]
    );
    let stat = worktree.diff_stat(&base, &head).unwrap();
    assert_eq!(stat, DiffStat { files: 6, insertions: 6, deletions: 5 });
    assert_eq!(worktree.commits_between(&base, &head).unwrap().len(), 1);
    assert!(worktree.commits_between(&head, &base).unwrap().is_empty());
    assert_eq!(worktree.merge_base(&base, &head).unwrap(), Some(base));
}
