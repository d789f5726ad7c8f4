use std::fs;

use orch_git::{CommitRange, EntryKind, GitError, Mirror};

use crate::world::{World, commit, key};

#[test]
fn opening_makes_it_once_and_keeps_it() {
    let world = World::new();
    let mirror = world.mirror();
    let main = mirror.remote_head("main").unwrap().unwrap();
    assert_eq!(main, world.rev("user", "main"));
    assert_eq!(mirror.default_branch().unwrap().as_deref(), Some("main"));
    // Without its origin it opens all the same, and only what needs the origin fails.
    world.sh("mv origin.git away.git");
    let again = Mirror::open(
        &world.git,
        &world.path("mirrors/m.git"),
        world.path("origin.git").to_str().unwrap(),
    )
    .unwrap();
    assert_eq!(again.remote_head("main").unwrap(), Some(main.clone()));
    let error = again.fetch().unwrap_err();
    assert!(matches!(error, GitError::NotARepository { .. }), "{error:?}");
    // A new address is taken over.
    let moved = world.path("away.git");
    let again = Mirror::open(&world.git, mirror.git_dir(), moved.to_str().unwrap()).unwrap();
    again.fetch().unwrap();
    assert_eq!(again.remote_head("main").unwrap(), Some(main));
    assert_eq!(world.sh("ls -A mirrors"), "m.git");
}

#[test]
fn a_damaged_mirror_is_mended_and_keeps_its_branches() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let head = commit(&worktree, "new", "x");
    for damage in ["rm mirrors/m.git/HEAD", "rm mirrors/m.git/config"] {
        world.sh(damage);
        let mirror = world.mirror();
        assert_eq!(mirror.branch_head(&key("T-1")).unwrap(), Some(head.clone()), "{damage}");
        assert!(worktree.is_clean().unwrap(), "{damage}");
    }
}

#[test]
fn a_folder_that_is_no_mirror_is_refused_untouched() {
    let world = World::new();
    world.sh("mkdir -p mine && echo x >mine/letter && mkdir empty");
    let url = world.path("origin.git");
    let url = url.to_str().unwrap();
    let error = Mirror::open(&world.git, &world.path("mine"), url).unwrap_err();
    assert!(matches!(error, GitError::Occupied { .. }), "{error:?}");
    assert_eq!(world.sh("ls -A mine"), "letter");
    Mirror::open(&world.git, &world.path("empty"), url).unwrap();
    for bad in ["--upload-pack=touch x", "", "a\nb"] {
        let error = Mirror::open(&world.git, &world.path("m2"), bad).unwrap_err();
        assert!(matches!(error, GitError::BadName { .. }), "{error:?}");
    }
    assert!(!world.path("m2").exists());
}

#[test]
fn two_makers_at_once_agree() {
    let world = World::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let url = world.path("origin.git");
                Mirror::open(&world.git, &world.path("x/m.git"), url.to_str().unwrap()).unwrap()
            });
        }
    });
    assert_eq!(world.sh("ls -A x"), "m.git");
}

/// One task fetches while the branches of others are pushed and deleted: whoever finds a reference
/// moved by another command looks again.
#[test]
fn fetches_and_pushes_at_the_same_time_do_not_fail_each_other() {
    const ROUNDS: usize = 15;
    let world = World::new();
    let mirror = world.mirror();
    let head = mirror.remote_head("main").unwrap().unwrap();
    std::thread::scope(|scope| {
        let pushes: Vec<_> = (1..=3)
            .map(|task| {
                let worktree = world.worktree(&mirror, &format!("T-{task}"));
                let next = commit(&worktree, "new", "x");
                let (mirror, head, key) = (&mirror, &head, key(&format!("T-{task}")));
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        mirror.push_branch(&key, head, None)?;
                        mirror.push_branch(&key, &next, Some(head))?;
                        mirror.delete_remote_branch(&key)?;
                    }
                    Ok::<_, GitError>(())
                })
            })
            .collect();
        let fetches: Vec<_> =
            (0..2).map(|_| scope.spawn(|| (0..ROUNDS).try_for_each(|_| mirror.fetch()))).collect();
        for thread in pushes.into_iter().chain(fetches) {
            thread.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_fetch_prunes_origins_branches_and_never_the_tasks_own() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let own = commit(&worktree, "new", "x");
    world.sh("cd user && git push -q origin main:side main:orch/T-1");
    mirror.fetch().unwrap();
    assert!(mirror.remote_head("side").unwrap().is_some());
    world.sh("cd user && git push -q origin :side");
    mirror.fetch().unwrap();
    assert_eq!(mirror.remote_head("side").unwrap(), None);
    assert_eq!(mirror.branch_head(&key("T-1")).unwrap(), Some(own));
    assert_eq!(mirror.remote_head("orch/T-1").unwrap(), Some(world.rev("user", "main")));
    assert!(matches!(mirror.remote_head("-x"), Err(GitError::BadName { .. })));
    mirror.maintain().unwrap();
    assert!(worktree.is_clean().unwrap());
}

#[test]
fn files_and_history_are_read_from_commits() {
    let world = World::new();
    world
        .sh("cd user && ln -s file link && printf 'x' >'a b\nü' && head -c 1048577 /dev/zero >big");
    let head = world.advance("mkdir -p d/e && echo deep >d/e/f");
    let mirror = world.mirror();
    let file = |path: &str| mirror.file_at(&head, path);
    assert_eq!(file("file").unwrap().unwrap(), b"one\ntwo\nthree\n");
    assert_eq!(file("a b\nü").unwrap().unwrap(), b"x");
    assert_eq!(file("d/e/f").unwrap().unwrap(), b"deep\n");
    for absent in ["nope", "d", "file/x", "no\nsuch"] {
        assert_eq!(file(absent).unwrap(), None, "{absent:?}");
    }
    assert!(matches!(file("big"), Err(GitError::TooLarge { .. })));
    assert!(matches!(file("../x"), Err(GitError::BadName { .. })));
    let kind = |path: &str| mirror.entry_at(&head, path).unwrap().map(|e| e.kind);
    assert_eq!(kind("link"), Some(EntryKind::Symlink));
    assert_eq!((kind("d"), kind("nope")), (Some(EntryKind::Folder), None));
    let below = mirror.files_under(&head, "d").unwrap();
    assert_eq!(below.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(), ["d/e/f"]);
    assert!(mirror.files_under(&head, "nope").unwrap().is_empty());

    let log = mirror.log(&CommitRange { from: None, to: head.clone() }, 10).unwrap();
    assert_eq!(log.iter().map(|c| c.subject.as_str()).collect::<Vec<_>>(), ["advance", "first"]);
    assert_eq!((log[0].author.as_str(), log[0].parents.len()), ("Ann", 1));
    let first = &log[1].revision;
    assert!(mirror.is_ancestor(first, &head).unwrap());
    assert!(!mirror.is_ancestor(&head, first).unwrap());
    assert!(mirror.contains_landed(first, "main").unwrap());
    assert!(!mirror.contains_landed(first, "nope").unwrap());
    let unknown = "1".repeat(40).parse().unwrap();
    let error = mirror.is_ancestor(&unknown, &head).unwrap_err();
    assert!(matches!(error, GitError::NoSuchRef { .. }), "{error:?}");
}

#[test]
fn worktrees_are_listed_and_the_lost_ones_forgotten() {
    let world = World::new();
    let mirror = world.mirror();
    assert!(mirror.worktrees().unwrap().is_empty());
    let one = world.worktree(&mirror, "T-1");
    world.worktree(&mirror, "T-2");
    fs::remove_dir_all(one.path()).unwrap();
    let all = mirror.worktrees().unwrap();
    let seen: Vec<_> = all.iter().map(|w| (w.key().unwrap(), w.prunable)).collect();
    assert_eq!(seen, [(key("T-1"), true), (key("T-2"), false)]);
    mirror.prune_worktrees().unwrap();
    assert_eq!(mirror.worktrees().unwrap().len(), 1);
    for deleted in [1, 0] {
        let keys = [key("T-1"), key("T-9")];
        assert_eq!(mirror.delete_branches(keys.iter()).unwrap(), deleted);
        assert_eq!(mirror.branch_head(&key("T-1")).unwrap(), None);
        assert!(mirror.branch_head(&key("T-2")).unwrap().is_some());
    }
}

#[test]
fn an_empty_origin_is_no_error() {
    let world = World::empty();
    world.sh("git init -q --bare -b trunk origin.git");
    let mirror = world.mirror();
    assert_eq!(mirror.remote_head("trunk").unwrap(), None);
    mirror.default_branch().unwrap();
}

#[test]
fn an_origin_with_sha256_objects_is_mirrored_alike() {
    let world = World::empty();
    let script = "git init -q --object-format=sha256 -b main user && cd user && echo x >f
        mkdir -p docs/work-items/A-1 && echo a >docs/work-items/A-1/01 && git add -A
        git commit -qm x && git clone -q --bare . ../origin.git";
    world.sh(script);
    let mirror = world.mirror();
    let head = mirror.remote_head("main").unwrap().unwrap();
    assert_eq!(head.as_str().len(), 64);
    let worktree = world.worktree(&mirror, "T-1");
    let next = commit(&worktree, "docs/work-items/T-1/01", "x");
    assert_eq!(mirror.code_tree(&head).unwrap(), mirror.code_tree(&next).unwrap());
}
