use orch_git::{GitError, Landing, Pushed};

use crate::world::{World, commit, key};

#[test]
fn a_branch_is_pushed_once_and_again_harmlessly() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let first = commit(&worktree, "a", "1");
    let t1 = key("T-1");
    assert_eq!(mirror.push_branch(&t1, &first, None).unwrap(), Pushed::Pushed);
    assert_eq!(mirror.push_branch(&t1, &first, None).unwrap(), Pushed::AlreadyThere);
    assert_eq!(mirror.remote_head("orch/T-1").unwrap(), Some(first.clone()));
    let second = commit(&worktree, "a", "2");
    assert_eq!(mirror.push_branch(&t1, &second, Some(&first)).unwrap(), Pushed::Pushed);
    // A rewritten branch is forced, under the same lease.
    assert_eq!(mirror.push_branch(&t1, &first, Some(&second)).unwrap(), Pushed::Pushed);
    assert_eq!(world.rev("origin.git", "orch/T-1"), first);
}

#[test]
fn a_lost_lease_says_what_is_there_and_changes_nothing() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let base = worktree.head().unwrap();
    let head = commit(&worktree, "a", "1");
    world
        .sh("cd user && git commit -q --allow-empty -m theirs && git push -q origin HEAD:orch/T-1");
    let theirs = world.rev("user", "HEAD");
    for expected in [None, Some(&base)] {
        match mirror.push_branch(&key("T-1"), &head, expected).unwrap_err() {
            GitError::LeaseLost { branch, expected: e, found } => {
                assert_eq!((branch.as_str(), e.as_ref()), ("orch/T-1", expected));
                assert_eq!(found, Some(theirs.clone()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.rev("origin.git", "orch/T-1"), theirs);
    world.sh("git -C origin.git update-ref -d refs/heads/orch/T-1");
    let error = mirror.push_branch(&key("T-1"), &head, Some(&base)).unwrap_err();
    assert!(matches!(error, GitError::LeaseLost { found: None, .. }), "{error:?}");
}

#[test]
fn a_push_that_was_cut_off_before_it_was_noted_is_no_lost_lease() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let (t1, base) = (key("T-1"), worktree.head().unwrap());
    let noted = commit(&worktree, "a", "1");
    mirror.push_branch(&t1, &noted, None).unwrap();
    let unnoted = commit(&worktree, "a", "2");
    mirror.push_branch(&t1, &unnoted, Some(&noted)).unwrap();
    // The crash: the remote has moved, and nobody here knows. The work is done again, otherwise.
    worktree.uncommit(&noted).unwrap();
    let again = commit(&worktree, "a", "3");
    assert_eq!(mirror.push_branch(&t1, &again, Some(&noted)).unwrap(), Pushed::Pushed);
    assert_eq!(world.rev("origin.git", "orch/T-1"), again);
    // The very first push of a branch is no different.
    let t2 = key("T-2");
    mirror.push_branch(&t2, &base, None).unwrap();
    assert_eq!(mirror.push_branch(&t2, &again, None).unwrap(), Pushed::Pushed);
}

#[test]
fn a_push_that_the_remote_declines_is_told_apart() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let base = worktree.head().unwrap();
    let head = commit(&worktree, "a", "1");
    world.sh("printf '#!/bin/sh\\necho no >&2\\nexit 1\\n' >origin.git/hooks/pre-receive");
    world.sh("chmod +x origin.git/hooks/pre-receive");
    let error = mirror.push_branch(&key("T-1"), &head, None).unwrap_err();
    assert!(matches!(error, GitError::Rejected { .. }), "{error:?}");
    let error = mirror.push_main("main", &head, &base).unwrap_err();
    assert!(matches!(error, GitError::Rejected { .. }), "{error:?}");
    assert!(!error.is_transient());
    world.sh("mv origin.git gone.git");
    let error = mirror.push_branch(&key("T-1"), &head, None).unwrap_err();
    assert!(matches!(error, GitError::NotARepository { .. }), "{error:?}");
}

#[test]
fn an_unreachable_remote_is_transient() {
    let world = World::new();
    world.mirror();
    // Nothing listens on port 1.
    let url = "ssh://git@127.0.0.1:1/x.git";
    let mirror = orch_git::Mirror::open(&world.git, &world.path("mirrors/m.git"), url).unwrap();
    let error = mirror.fetch().unwrap_err();
    assert!(matches!(error, GitError::RemoteUnreachable { .. }), "{error:?}");
    assert!(error.is_transient());
}

#[test]
fn main_lands_once_however_often_it_is_asked() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let old = worktree.head().unwrap();
    let new = commit(&worktree, "a", "1");
    assert_eq!(mirror.push_main("main", &new, &old).unwrap(), Landing::Landed);
    assert_eq!(world.rev("origin.git", "main"), new);
    assert_eq!(mirror.remote_head("main").unwrap(), Some(new.clone()));
    assert_eq!(mirror.push_main("main", &new, &old).unwrap(), Landing::AlreadyLanded);
    // Others build on it: it is landed still.
    world.sh("cd user && git pull -q --ff-only origin main");
    let theirs = world.advance("echo x >x");
    assert_eq!(mirror.push_main("main", &new, &old).unwrap(), Landing::AlreadyLanded);
    assert_eq!(world.rev("origin.git", "main"), theirs);
}

#[test]
fn main_is_never_forced() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let old = worktree.head().unwrap();
    let new = commit(&worktree, "a", "1");
    let theirs = world.advance("echo x >x");
    let moved = Landing::Moved { now: theirs.clone() };
    assert_eq!(mirror.push_main("main", &new, &old).unwrap(), moved);
    // Claiming to have seen their commit does not help either.
    let error = mirror.push_main("main", &new, &theirs).unwrap_err();
    assert!(matches!(error, GitError::NotFastForward { .. }), "{error:?}");
    assert_eq!(world.rev("origin.git", "main"), theirs);
    // A main that was set back is not moved on over somebody's decision.
    let first = mirror.push_main("main", &theirs, &theirs).unwrap();
    assert_eq!(first, Landing::AlreadyLanded);
    world.sh(&format!("git -C origin.git update-ref refs/heads/main {old}"));
    let _ = worktree.rebase(&theirs).unwrap();
    let rebased = worktree.head().unwrap();
    let set_back = Landing::Moved { now: old };
    assert_eq!(mirror.push_main("main", &rebased, &theirs).unwrap(), set_back);
    for bad in ["", "-f", "a:b"] {
        let result = mirror.push_main(bad, &new, &new);
        assert!(matches!(result, Err(GitError::BadName { .. })), "{bad:?}");
    }
}

#[test]
fn a_remote_branch_is_deleted_once_and_again_harmlessly() {
    let world = World::new();
    let mirror = world.mirror();
    let worktree = world.worktree(&mirror, "T-1");
    let head = commit(&worktree, "a", "1");
    mirror.push_branch(&key("T-1"), &head, None).unwrap();
    for _ in 0..2 {
        mirror.delete_remote_branch(&key("T-1")).unwrap();
        assert_eq!(mirror.remote_head("orch/T-1").unwrap(), None);
    }
    assert_eq!(world.sh("git -C origin.git branch --list 'orch/*'"), "");
}
