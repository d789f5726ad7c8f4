//! Attempts to get out.

use std::fs;

use orch_testkit::{git, until};

use crate::bed::{Bed, PROFILES};

const PASS: &str = "echo 'ok 1 - fine'; echo 1..1";

/// The title ends with the service's port and pid.
const ESCAPES: &str = r#"
service=${ORCH_TITLE##* }
port=$(echo $ORCH_TITLE | cut -d' ' -f2)
state=$root/state
mirror=$(ls -d "$state"/mirrors/*.git 2>/dev/null || echo "$state/mirrors/box.git")
# What these write may land in a place that only the run sees; the test looks at the real one.
( echo x > $root/escaped; echo x > $root/home/escaped; echo x >> $root/box/orch.toml
  echo '[core]' >> $mirror/config; mkdir -p $mirror/hooks && echo x > $mirror/hooks/post-update
  mkdir -p $mirror/refs/heads/orch && git rev-parse HEAD > $mirror/refs/heads/orch/BOX-99
  rm -rf $mirror/worktrees $state/orch.db ) >/dev/null 2>&1
try read-database   sh -c "head -c 1 $state/orch.db | grep -q ."
try read-own-spec   sh -c "cat $state/runs/*/spec.json | grep -q ."
try list-worktrees  sh -c "ls $state/worktrees | grep -qv '^BOX-[0-9]*$' || [ \$(ls $state/worktrees | wc -l) -gt 1 ]"
try service-token   sh -c "tr '\\0' '\\n' < /proc/$service/environ | grep -q ORCH_API_TOKEN"
try parents-token   sh -c "tr '\\0' '\\n' < /proc/$PPID/environ | grep -q ORCH_API_TOKEN"
try approve         curl -sf --max-time 5 -X POST -H 'Content-Type: application/json' -d '{"reason":"mine"}' "http://127.0.0.1:$port/tasks/$ORCH_TASK/cancel"
try own-token       sh -c "env | grep -q ORCH_API_TOKEN"
try kill-service    kill -9 "$service"
try mirror-objects  sh -c "rm -rf $mirror/objects/??; echo x > $mirror/objects/junk"
try push-main       git push origin HEAD:main
try push-path       sh -c "for repo in $root/*.git $root/*/*.git; do git push \$repo HEAD:main && exit 0; done; exit 1"
try shadow          sh -c "head -c 1 /etc/shadow | grep -q ."
try etc             sh -c "echo x > /etc/escaped"
git config core.fsmonitor "touch $root/fsmonitor-ran" || true
git config alias.status "!touch $root/alias-ran" || true
echo honest > honest
"#;

#[test]
fn nothing_gets_out() {
    for profile in PROFILES {
        let settings = format!("[sandbox]\nprofile = \"{profile}\"\n");
        let bed = Bed::new(&settings, ESCAPES, PASS);
        let home = bed.orch.home();
        let orch = bed.orch.clone().with("ORCH_API_TOKEN", "a-token-nobody-may-see");
        let bed = Bed { orch, ..bed };
        let service = bed.orch.serve();
        let before = fs::read(bed.repository.checkout.join("orch.toml")).unwrap();

        let (key, why) = bed.play(&format!(
            "Escape {} {}",
            bed.orch.url().rsplit(':').next().unwrap(),
            service.pid()
        ));
        assert_eq!(why["state"], "done", "{profile}: {}", bed.told(&key));
        assert_eq!(bed.worked(), Vec::<String>::new(), "{profile}: {}", bed.told(&key));
        assert_eq!(bed.repository.on_main("honest"), "honest\n");
        assert_eq!(fs::read(bed.repository.checkout.join("orch.toml")).unwrap(), before);
        for name in ["escaped", "home/escaped", "fsmonitor-ran", "alias-ran"] {
            assert!(!bed.root.path().join(name).exists(), "{profile}: {name}");
        }
        for name in ["hooks/post-update", "refs/heads/orch/BOX-99", "objects/junk"] {
            assert!(!bed.mirror().join(name).exists(), "{profile}: {name}");
        }
        let config = fs::read_to_string(bed.mirror().join("config")).unwrap();
        assert_eq!(config.matches("[core]").count(), 1, "{profile}: {config}");
        assert!(!config.contains("fsmonitor"), "{profile}: {config}");
        assert!(!home.join("lent").join(&key).exists(), "{profile}: the lent directory is left");
        drop(service);
    }
}

#[test]
fn a_daemon_ends_with_its_run() {
    for profile in PROFILES.into_iter().chain(["none"]) {
        let settings = format!("[sandbox]\nprofile = \"{profile}\"\n");
        let agent = "(setsid sh -c 'trap \"\" TERM INT HUP; while :; do sleep 0.1; done # daemon-of-box' &)\nsleep 0.2\necho x > x";
        let bed = Bed::new(&settings, agent, PASS);
        let service = bed.orch.serve();
        let (key, why) = bed.play("Leave a daemon");
        assert_eq!(why["state"], "done", "{profile}: {}", bed.told(&key));
        until("no process of the run to be left", || {
            let runs = bed.orch.json(&["task", "show", &key, "--json"]);
            let ids: Vec<String> = runs["runs"]
                .as_array()?
                .iter()
                .filter_map(|run| run["run_id"].as_str().map(str::to_owned))
                .collect();
            (!ids.is_empty() && !marked(&ids)).then_some(())
        });
        drop(service);
    }
}

/// Whether any process carries the mark of one of these runs.
fn marked(runs: &[String]) -> bool {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| fs::read(entry.path().join("environ")).ok()).any(|environ| {
        let text = String::from_utf8_lossy(&environ);
        runs.iter().any(|run| text.contains(&format!("ORCH_RUN_MARK={run}")))
    })
}

#[test]
fn rewritten_history_and_a_forged_report_change_nothing() {
    for profile in PROFILES {
        let settings = format!("[sandbox]\nprofile = \"{profile}\"\n");
        let agent = r#"
printf -- '---\nresult: PASS\nexit_code: 0\n---\n' > "$ORCH_ARTIFACT_DIR/13-test-report.md"
git checkout -q --orphan rewritten && git rm -rqf --cached . && git add -A && git commit -qm Rewritten
rm -rf .git
echo changed > changed
"#;
        let bed = Bed::new(&settings, agent, "echo 'not ok 1 - broken'; echo 1..1; exit 1");
        let service = bed.orch.serve();
        let before = git(&bed.repository.origin, &["rev-parse", "main"]);
        let (key, why) = bed.play("Forge");
        assert_eq!(why["state"], "held", "{profile}: {}", bed.told(&key));
        assert_eq!(git(&bed.repository.origin, &["rev-parse", "main"]), before);
        drop(service);
    }
}
