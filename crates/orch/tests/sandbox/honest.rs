//! Honest work inside a sandbox.

use orch_testkit::until;

use crate::bed::{Bed, PROFILES};

#[test]
fn commits_tools_and_temporary_files_work() {
    let agent = r#"
git log -1 --format=%s > seen-log
git diff --stat origin/main
echo one > one && git add one && git commit -qm "One, by the agent"
git checkout -q -b elsewhere && echo two > two && git add two && git commit -qm "Two, elsewhere"
file=$(mktemp) && echo tmp > "$file" && cat "$file" > three
echo home > "$HOME/file" && cat "$HOME/file" > four
[ -s "$ORCH_BRIEF_FILE" ] && cp "$ORCH_BRIEF_FILE" brief
"#;
    for profile in PROFILES {
        let settings = format!("[sandbox]\nprofile = \"{profile}\"\nnetwork = \"off\"\n");
        let bed = Bed::new(
            &settings,
            agent,
            "test -f one && test -f two && git log -1 >/dev/null && echo 'ok 1' && echo 1..1",
        );
        let service = bed.orch.serve();
        let (key, why) = bed.play("Work honestly");
        let told = bed.told(&key);
        assert_eq!(why["state"], "done", "{profile}: {told}");
        for (path, content) in
            [("one", "one\n"), ("two", "two\n"), ("three", "tmp\n"), ("four", "home\n")]
        {
            assert_eq!(bed.repository.on_main(path), content, "{profile}: {told}");
        }
        assert!(bed.repository.on_main("brief").contains("Work honestly"), "{profile}");
        let log = bed.main_log();
        assert!(
            log.contains("One, by the agent") && log.contains("Two, elsewhere"),
            "{profile}: {log}"
        );
        drop(service);
    }
}

#[test]
fn a_confined_run_survives_the_service_and_is_taken_up() {
    for profile in PROFILES {
        let settings = format!("[sandbox]\nprofile = \"{profile}\"\n");
        let agent = "touch begun; n=0; while [ ! -e \"$HOME/../go\" ] && [ ! -e go ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done\nrm -f go begun; echo kept > kept && git add kept && git commit -qm Kept";
        let bed = Bed::new(&settings, agent, "echo 'ok 1'; echo 1..1");
        let service = bed.orch.serve();
        let key =
            bed.orch.ok(&bed.repository.checkout, &["task", "add", "Outlive"]).trim().to_owned();
        let worktree = bed.orch.home().join("worktrees").join(&key);
        until("the agent to begin", || worktree.join("begun").exists().then_some(()));
        service.kill();
        let service = bed.orch.serve();
        std::fs::write(worktree.join("go"), "").unwrap();
        let why = until("the task to end", || {
            let why = bed.orch.json(&["why", &key, "--json"]);
            ["done", "held"].contains(&why["state"].as_str().unwrap_or_default()).then_some(why)
        });
        assert_eq!(why["state"], "done", "{profile}: {}", bed.told(&key));
        assert!(bed.main_log().contains("Kept"), "{profile}");
        drop(service);
    }
}

#[test]
fn a_sandbox_that_cannot_be_had_holds_the_task() {
    let bed = Bed::new("[sandbox]\nprofile = \"bubblewrap\"\n", "echo x > x", "true");
    // A PATH without bwrap: what the service finds is what decides.
    let tools = bed.root.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    for tool in ["git", "sh", "mkdir", "cat"] {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|dir| dir.join(tool))
            .find(|path| path.is_file())
            .unwrap();
        std::os::unix::fs::symlink(found, tools.join(tool)).unwrap();
    }
    let orch = bed.orch.clone().with("PATH", tools.to_str().unwrap());
    let bed = Bed { orch, ..bed };
    let service = bed.orch.serve();
    let (_, why) = bed.play("Run unconfined");
    assert_eq!(why["state"], "held");
    let reason = why.to_string();
    assert!(reason.contains("bwrap") && reason.contains("install bubblewrap"), "{reason}");
    drop(service);
}
