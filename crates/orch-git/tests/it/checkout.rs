use orch_git::{CommitScope, GitError, checkout};

use crate::world::{World, commit, key, snapshot};

#[test]
fn a_checkout_is_described() {
    let world = World::new();
    world.sh("cd user && git remote add other 'https://h/a b.git' && git checkout -q -b topic");
    let info = checkout::inspect(&world.git, &world.path("user/src")).unwrap();
    assert_eq!(info.root, world.path("user"));
    let remotes = [("origin", "../origin.git"), ("other", "https://h/a b.git")];
    assert_eq!(info.remotes, remotes.map(|(n, u)| (n.to_owned(), u.to_owned())));
    assert_eq!(info.default_branch.as_deref(), Some("topic"));
    world.sh("cd user && git remote set-head origin main");
    let info = checkout::inspect(&world.git, &world.path("user")).unwrap();
    assert_eq!(info.default_branch.as_deref(), Some("main"));
    assert_eq!(info.head, Some(world.rev("user", "HEAD")));
    assert!(!info.is_bare && !info.shallow);
}

#[test]
fn odd_repositories_are_described_too() {
    let world = World::new();
    let bare = checkout::inspect(&world.git, &world.path("origin.git")).unwrap();
    assert!(bare.is_bare && bare.remotes.is_empty());
    assert_eq!(bare.root, world.path("origin.git"));
    world.sh("git init -q -b trunk 'new ü'");
    let new = checkout::inspect(&world.git, &world.path("new ü")).unwrap();
    assert_eq!((new.head, new.default_branch.as_deref()), (None, Some("trunk")));
    world.advance("echo x >x");
    world.sh("git clone -q --depth 1 file://$PWD/origin.git shallow");
    assert!(checkout::inspect(&world.git, &world.path("shallow")).unwrap().shallow);
    world.sh("mkdir plain");
    for none in ["plain", "absent"] {
        let error = checkout::inspect(&world.git, &world.path(none)).unwrap_err();
        let GitError::NotARepository { path } = error else { panic!("{error:?}") };
        assert_eq!(path, world.path(none));
    }
}

#[test]
fn a_bare_origin_is_made_once_and_shares_nothing() {
    let world = World::empty();
    world.sh("git init -q -b trunk user && cd user && echo x >f && git add f && git commit -qm x");
    let before = snapshot(&world.path("user"));
    for _ in 0..2 {
        checkout::create_bare_from(&world.git, &world.path("user"), &world.path("o/b.git"))
            .unwrap();
        let info = checkout::inspect(&world.git, &world.path("o/b.git")).unwrap();
        assert!(info.is_bare && info.remotes.is_empty());
        assert_eq!(info.default_branch.as_deref(), Some("trunk"));
        // What was pushed there meanwhile stays.
        world.sh("git -C o/b.git update-ref refs/heads/kept HEAD");
    }
    assert_eq!(world.sh("git -C o/b.git rev-parse kept"), world.sh("git -C user rev-parse HEAD"));
    assert_eq!(snapshot(&world.path("user")), before);
    assert_eq!(world.sh("find o -links +1 -type f"), "");
    world.sh("mkdir mine && touch mine/x");
    let error = checkout::create_bare_from(&world.git, &world.path("user"), &world.path("mine"));
    assert!(matches!(error, Err(GitError::Occupied { .. })));
}

#[test]
fn a_whole_task_leaves_the_users_checkout_as_it_was() {
    let world = World::new();
    world.sh("cd user && echo staged >s && git add s && echo dirty >>file && echo new >untracked");
    let before = snapshot(&world.path("user"));
    checkout::inspect(&world.git, &world.path("user")).unwrap();
    // The worktree lies inside the checkout: git must not find its way up, `.git` or no `.git`.
    let mirror = world.mirror();
    let base = mirror.remote_head("main").unwrap().unwrap();
    let path = world.path("user/.orch/wt/T-1");
    let worktree = mirror.ensure_worktree(&key("T-1"), &path, &base).unwrap();
    let head = commit(&worktree, "x", "x");
    std::fs::remove_file(path.join(".git")).unwrap();
    worktree.discard_all().unwrap();
    std::fs::write(path.join("y"), "y").unwrap();
    worktree.commit("y", CommitScope::All).unwrap().unwrap();
    let worktree = mirror.ensure_worktree(&key("T-1"), &path, &base).unwrap();
    mirror.push_branch(&key("T-1"), &head, None).unwrap();
    worktree.remove().unwrap();
    std::fs::remove_dir_all(world.path("user/.orch")).unwrap();
    assert_eq!(snapshot(&world.path("user")), before);
}
