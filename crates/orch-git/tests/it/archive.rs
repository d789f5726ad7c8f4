use orch_git::Objects;

use crate::world::World;

/// What a repository leaves out of its releases, or rewrites in them, is in the archive as it is in
/// the revision: it is what a suite on another machine runs on.
#[test]
fn an_archive_is_the_revisions_own_tree() {
    let world = World::new();
    let rev = world.advance(
        "mkdir -p tests; echo suite >tests/run; echo '$Format:%H$' >version; ln -s run tests/link
         printf 'tests/ export-ignore\\nversion export-subst\\n' >.gitattributes; chmod 755 tests/run",
    );
    let mirror = world.mirror();
    let to = world.path("tree.tar");
    let objects: &Objects = &mirror;
    objects.archive(&rev, &to).unwrap();
    let told = world.sh("mkdir out; tar -x -f tree.tar -C out; cat out/version out/tests/link; \
                         test -x out/tests/run && test -L out/tests/link && echo whole; test ! -e out/.git && echo bare");
    assert_eq!(told, "$Format:%H$\nsuite\nwhole\nbare");
}
