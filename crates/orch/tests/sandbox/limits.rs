//! The disk: what a run may take up, and what has to be free before one begins.

use orch_testkit::git;

use crate::bed::{Bed, PROFILES};

const PASS: &str = "echo 'ok 1 - fine'; echo 1..1";

/// Fills a place, and waits to be ended; the title names the place.
const FILLER: &str = r#"
fill() { head -c 60000000 /dev/urandom > "$1"; }
case "$ORCH_TITLE" in
*worktree) fill big; while :; do sleep 1; done ;;
*commits) fill big; git add big; git commit -qm "Big"; rm big; git commit -qam "Nothing to see"; fill "$HOME/big"; while :; do sleep 1; done ;;
*temporary*) fill "$TMPDIR/big"; while :; do sleep 1; done ;;
esac
"#;

#[test]
fn a_run_that_fills_the_disk_is_killed_and_nothing_of_it_is_kept() {
    for (profile, places) in [
        ("none", &["worktree", "commits"][..]),
        (PROFILES[0], &["worktree", "commits", "temporary files"]),
        (PROFILES[1], &["worktree"]),
    ] {
        let settings = format!("[sandbox]\nprofile = \"{profile}\"\ndisk = \"20MB\"\n");
        let bed = Bed::new(&settings, FILLER, PASS);
        let orch = bed.orch.clone().with("ORCH_AGENTS_DEFAULT_HOME", "own");
        let bed = Bed { orch, ..bed };
        let service = bed.orch.serve();
        for place in places {
            let (key, why) = bed.play(&format!("Fill the {place}"));
            let told = bed.told(&key);
            assert_eq!(why["state"], "held", "{profile}, {place}: {told}");
            let reasons = why["reasons"].to_string();
            assert!(reasons.contains("of the disk, and 20MB are allowed"), "{place}: {reasons}");
            let task = bed.orch.json(&["task", "show", &key, "--json"]);
            assert_eq!(task["runs"][0]["outcome"], "over_disk", "{profile}, {place}: {task}");
            assert_eq!((&task["bounces"], &task["jobs"][0]["defers"]), (&0.into(), &0.into()));
            let worktree = bed.orch.home().join("worktrees").join(&key);
            assert!(!worktree.exists(), "{profile}, {place}: the worktree is left");
            let branch = format!("orch/{key}");
            let log = git(&bed.mirror(), &["log", "--format=%s", &branch]);
            assert!(!log.contains("Big"), "{profile}, {place}: {log}");
            assert!(!bed.orch.home().join("lent").join(&key).exists(), "{profile}, {place}");
        }
        drop(service);
    }
}

#[test]
fn no_run_begins_on_a_disk_that_is_nearly_full() {
    let bed = Bed::new("", "echo x > x", PASS);
    let full = bed.orch.clone().with("ORCH_SERVICE_MIN_FREE_DISK", "900TB");
    let service = full.serve();
    let key = bed.orch.ok(&bed.repository.checkout, &["task", "add", "Wait"]).trim().to_owned();
    let why = orch_testkit::until("the task to wait for room", || {
        let why = bed.orch.json(&["why", &key, "--json"]);
        why.to_string().contains("min_free_disk").then_some(why)
    });
    assert_eq!(why["state"], "deferred", "{why}");
    let task = bed.orch.json(&["task", "show", &key, "--json"]);
    assert_eq!(task["jobs"][0]["defers"], 0, "it burnt a defer: {task}");
    service.kill();
    let service = bed.orch.serve();
    bed.orch.ok(bed.root.path(), &["task", "retry", &key]);
    orch_testkit::until("the task to be done", || {
        (bed.orch.json(&["why", &key, "--json"])["state"] == "done").then_some(())
    });
    drop(service);
}
