use orch_git::{ConflictHunk, GitError, Mirror, Rebase, Worktree};

use crate::world::{World, commit, key, read, write};

fn started() -> (World, Mirror, Worktree) {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    (world, mirror, worktree)
}

fn hunks(worktree: &Worktree, onto: &orch_core::ids::Revision) -> Vec<ConflictHunk> {
    let before = worktree.head().unwrap();
    let Rebase::Conflict { hunks } = worktree.rebase(onto).unwrap() else {
        panic!("no conflict");
    };
    assert_eq!(worktree.head().unwrap(), before);
    assert_eq!(worktree.mirror().branch_head(worktree.key()).unwrap(), Some(before));
    assert!(worktree.is_clean().unwrap(), "{:?}", worktree.status_paths());
    hunks
}

#[test]
fn a_branch_is_moved_onto_a_newer_main() {
    let (world, mirror, worktree) = started();
    let base = worktree.head().unwrap();
    assert_eq!(worktree.rebase(&base).unwrap(), Rebase::UpToDate);
    let onto = world.advance("echo theirs >theirs");
    mirror.fetch().unwrap();
    world.sh("cd wt/T-1 && echo x >x && git add x && git commit -qm by-ann");
    let from = worktree.head().unwrap();
    let result = worktree.rebase(&onto).unwrap();
    let to = worktree.head().unwrap();
    assert_eq!(result, Rebase::Rebased { from, to: to.clone() });
    assert_eq!(read(&worktree, "theirs"), "theirs\n");
    assert!(worktree.is_ancestor(&onto, &to).unwrap() && worktree.is_clean().unwrap());
    assert_eq!(mirror.branch_head(&key("T-1")).unwrap(), Some(to.clone()));
    let commits = worktree.commits_between(&onto, &to).unwrap();
    assert_eq!((commits[0].author.as_str(), commits[0].subject.as_str()), ("Ann", "by-ann"));
    assert_eq!(world.sh("git -C wt/T-1 log -1 --format=%cn"), "Orchestrator");
    assert_eq!(worktree.rebase(&onto).unwrap(), Rebase::UpToDate);
}

#[test]
fn what_landed_already_is_dropped_and_merges_are_flattened() {
    let (world, mirror, worktree) = started();
    commit(&worktree, "same", "same\n");
    world.sh(
        "cd wt/T-1 && git checkout -q -b side HEAD~1 && echo s >s && git add s && git commit -qm side
         git checkout -q orch/T-1 && git merge -q --no-edit side && git commit -q --allow-empty -m e",
    );
    let onto = world.advance("echo same >same");
    mirror.fetch().unwrap();
    assert!(matches!(worktree.rebase(&onto).unwrap(), Rebase::Rebased { .. }));
    let log = worktree.commits_between(&onto, &worktree.head().unwrap()).unwrap();
    assert!(log.iter().all(|c| c.parents.len() == 1));
    assert!(log.iter().all(|c| c.subject != "work"));
    // A branch without commits of its own just moves on.
    let idle = world.worktree(&mirror, "T-2");
    let newest = world.advance("echo y >y");
    mirror.fetch().unwrap();
    assert!(matches!(idle.rebase(&newest).unwrap(), Rebase::Rebased { .. }));
    assert_eq!(idle.head().unwrap(), newest);
}

#[test]
fn conflicting_lines_are_shown() {
    let (world, mirror, worktree) = started();
    commit(&worktree, "file", "one\nMINE\nthree\n");
    commit(&worktree, "unrelated ü\n", "x");
    let onto = world.advance("printf 'one\\nTHEIRS\\nthree\\n' >file");
    mirror.fetch().unwrap();
    let found = hunks(&worktree, &onto);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "file");
    let text = &found[0].text;
    assert!(text.starts_with("one\n<<<<<<< "), "{text}");
    assert!(text.contains("THEIRS\n=======\nMINE\n>>>>>>> "), "{text}");
    let finding = found[0].finding();
    assert_eq!((finding.title.as_str(), &finding.detail), ("rebase conflict in file", text));
}

#[test]
fn conflicts_that_are_not_of_lines_are_put_in_words() {
    // What the task does, what main does, the file, and what is said.
    for (task, main, path, words) in [
        ("echo a >new", "echo b >new", "new", "<<<<<<< "),
        ("rm file", "echo x >>file", "file", "deleted or moved by the task"),
        ("echo x >>file", "git rm -q file", "file", "deleted or moved on the target"),
        ("printf 'a\\0' >bin", "printf 'b\\0' >bin", "bin", "a binary file"),
        ("ln -s a 'l\nü'", "ln -s b 'l\nü'", "l\nü", "a symbolic link"),
        ("git mv file m1", "git mv file m2", "file", "moved to different places"),
        ("echo x >src/lib", "rm -r src; echo f >src", "src/lib", "deleted or moved on the target"),
        ("mkdir d; echo x >d/f", "echo x >d", "d", ""),
    ] {
        let (world, mirror, worktree) = started();
        world.sh(&format!("cd wt/T-1; {task}; git add -A; git commit -qm task"));
        let onto = world.advance(main);
        mirror.fetch().unwrap();
        let found = hunks(&worktree, &onto);
        let hit = found.iter().find(|h| h.path.starts_with(path) && h.text.contains(words));
        assert!(hit.is_some(), "{task} / {main}: {found:?}");
    }
}

#[test]
fn a_flood_of_conflicts_stays_bounded() {
    let (world, mirror, worktree) = started();
    for n in 0..25 {
        write(&worktree, &format!("f{n}"), "mine\n".repeat(5000));
    }
    commit(&worktree, "f", "x");
    let onto = world.advance("for n in $(seq 0 24); do echo theirs >f$n; done");
    mirror.fetch().unwrap();
    let found = hunks(&worktree, &onto);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|h| h.text.len() <= 8 * 1024));
}

#[test]
fn a_rebase_that_was_cut_off_is_begun_anew() {
    for damage in [
        "true",
        "rm -rf $d/rebase-merge/*",
        "touch $d/index.lock",
        "touch $d/AUTO_MERGE.lock",
        "touch $d/REBASE_HEAD.lock",
        "rm $d/REBASE_HEAD",
    ] {
        let (world, mirror, worktree) = started();
        let head = commit(&worktree, "file", "mine\n");
        let onto = world.advance("echo theirs >file");
        mirror.fetch().unwrap();
        let cut = format!(
            "cd wt/T-1; d=$(git rev-parse --absolute-git-dir); git rebase -q {onto} || true
             test -d $d/rebase-merge; {damage}"
        );
        world.sh(&cut);
        let again = world.worktree(&mirror, "T-1");
        assert_eq!(again.head().unwrap(), head, "{damage}");
        assert!(again.is_clean().unwrap(), "{damage}");
        world.sh(&cut);
        assert!(matches!(worktree.rebase(&onto).unwrap(), Rebase::Conflict { .. }), "{damage}");
        assert_eq!(worktree.head().unwrap(), head, "{damage}");
        assert!(worktree.is_clean().unwrap(), "{damage}");
    }
}

#[test]
fn a_merge_or_pick_that_was_cut_off_is_aborted() {
    for operation in ["merge -q", "cherry-pick", "cherry-pick --no-commit", "revert --no-edit"] {
        let (world, mirror, worktree) = started();
        let head = commit(&worktree, "file", "mine\n");
        let onto = world.advance("echo theirs >file");
        mirror.fetch().unwrap();
        world.sh(&format!("cd wt/T-1; git {operation} {onto} || true"));
        worktree.recover().unwrap();
        let rebased = worktree.rebase(&onto);
        if operation.contains("no-commit") {
            // No state tells of it: to git these are just changes.
            assert!(matches!(rebased, Err(GitError::Dirty { .. })), "{rebased:?}");
            worktree.discard_all().unwrap();
        } else {
            assert!(matches!(rebased, Ok(Rebase::Conflict { .. })), "{operation} {rebased:?}");
        }
        assert!(worktree.is_clean().unwrap(), "{operation}");
        assert_eq!(worktree.head().unwrap(), head, "{operation}");
    }
}

#[test]
fn failures_that_are_no_conflict_are_errors() {
    let (world, mirror, worktree) = started();
    let head = commit(&worktree, "mine", "x");
    let unknown = "1".repeat(40).parse().unwrap();
    let error = worktree.rebase(&unknown).unwrap_err();
    assert!(matches!(error, GitError::NoSuchRef { .. }), "{error:?}");
    let onto = world.advance("echo theirs >theirs");
    mirror.fetch().unwrap();
    // An untracked file in the way of one that comes from main.
    write(&worktree, "theirs", "untracked");
    let error = worktree.rebase(&onto).unwrap_err();
    assert!(matches!(error, GitError::Dirty { .. }), "{error:?}");
    assert_eq!(read(&worktree, "theirs"), "untracked");
    write(&worktree, "file", "dirty");
    let error = worktree.rebase(&onto).unwrap_err();
    assert!(matches!(error, GitError::Dirty { .. }), "{error:?}");
    assert_eq!(
        (worktree.head().unwrap(), read(&worktree, "file").as_str()),
        (head.clone(), "dirty")
    );
    worktree.discard_all().unwrap();
    // An object is missing: a damaged store, not a conflict.
    let blob = world.sh(&format!("git -C mirrors/m.git rev-parse {onto}:theirs"));
    world.sh(&format!("rm -f mirrors/m.git/objects/{}/{}", &blob[..2], &blob[2..]));
    let error = worktree.rebase(&onto).unwrap_err();
    assert!(!matches!(error, GitError::Dirty { .. }), "{error:?}");
    assert_eq!(worktree.head().unwrap(), head);
    assert!(worktree.is_clean().unwrap());
}

#[test]
fn the_users_own_settings_do_not_change_the_outcome() {
    let (world, mirror, worktree) = started();
    let settings = "[rebase]\nautoStash=true\nautoSquash=true\nupdateRefs=true\n[commit]\ngpgSign=true
[merge]\nconflictStyle=zdiff3\n[rerere]\nenabled=true\nautoUpdate=true\n[core]\nautocrlf=true\nabbrev=4
[status]\nshowUntrackedFiles=no\nbranch=true\n[diff]\nnoprefix=true\nrenames=copies\n[log]\nshowSignature=true
[push]\ndefault=nothing\nfollowTags=true\n[color]\nui=always\n[worktree]\nuseRelativePaths=true\n";
    std::fs::write(world.path("config"), settings).unwrap();
    let git = world.git.clone().with_env("GIT_CONFIG_GLOBAL", world.path("config"));
    let url = world.path("origin.git");
    let mirror = Mirror::open(&git, mirror.git_dir(), url.to_str().unwrap()).unwrap();
    let base = worktree.head().unwrap();
    let worktree = mirror.ensure_worktree(&key("T-1"), worktree.path(), &base).unwrap();
    let head = commit(&worktree, "file", "mine\n");
    world.sh("git -C wt/T-1 branch other");
    let onto = world.advance("echo theirs >file");
    mirror.fetch().unwrap();
    let text = &hunks(&worktree, &onto)[0].text;
    assert!(!text.contains("|||||||") && text.contains("=======\nmine\n"), "{text}");
    write(&worktree, "new", "x\n");
    assert_eq!(worktree.status_paths().unwrap().len(), 1);
    let next = commit(&worktree, "new", "x\n");
    assert_eq!(mirror.file_at(&next, "new").unwrap().unwrap(), b"x\n");
    mirror.push_branch(&key("T-1"), &next, None).unwrap();
    assert_eq!(world.rev("mirrors/m.git", "other"), head);
    assert_eq!(worktree.commits_between(&base, &next).unwrap().len(), 2);
}
