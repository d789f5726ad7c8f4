//! Sessions: the next run of a role goes on where the last one stopped, and pays nothing twice.

use orch_testkit::until;
use serde_json::Value;

use crate::bed::{Bed, CLIS, DEVELOPMENT, KEY, work};

fn processes(run: &Value) -> Vec<u32> {
    let mark = format!("ORCH_RUN_MARK={}", run["run_id"].as_str().unwrap());
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let marked = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    };
    pids.filter(marked).collect()
}

/// Everything of the run dies at once, as at a crash of its supervisor: the next run has the whole
/// conversation before it, and nothing of the old one is left.
#[test]
fn a_lost_run_is_taken_up_in_its_session() {
    for cli in CLIS {
        let bed = Bed::new(cli, "ok", DEVELOPMENT, "");
        let (begun, go) = (bed.root.path().join("begun"), bed.root.path().join("go"));
        let waits = format!(
            "[[bash touch {}; while [ ! -e {} ]; do sleep 0.1; done]]\n",
            begun.display(),
            go.display()
        );
        let service = bed.orch.serve();
        bed.submit(&work(&waits));
        until("the tool to run", || begun.exists().then_some(()));
        let run = bed.runs().pop().unwrap();
        let supervisor = run["pid"].as_u64().unwrap().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-9", &supervisor])
                .status()
                .unwrap()
                .success()
        );
        std::fs::write(&go, "").unwrap();
        let why = bed.until(&["done", "held"]);
        assert_eq!(why["state"], "done", "{cli}: {why}");
        assert_eq!(bed.outcomes(), ["lost", "suite_ran"], "{cli}");
        assert_eq!(processes(&run), Vec::<u32>::new(), "{cli}: it went on after its end");
        let requests = bed.provider.recorded(KEY);
        let last = requests.last().unwrap();
        let talk = last.body.to_string();
        assert!(talk.contains("You have worked on this task before"), "{cli}: {talk}");
        assert!(
            talk.matches("you are the developer").count() >= 2,
            "{cli}: the first brief is gone"
        );
        drop(service);
    }
}

/// A bounce resumes too; what the session had consumed before is counted once.
#[test]
fn a_resumed_session_is_paid_for_once() {
    for cli in CLIS {
        let bed = Bed::new(cli, "ok", DEVELOPMENT, "");
        let service = bed.orch.serve();
        bed.submit(
            "[[stage development]]\n[[write one.txt|1]]\n[[stage development 2]]\n[[write two.txt|2]]\n\
             [[bash mkdir -p {artifacts} && printf -- '---\\nstatus: ready\\n---\\n' > {artifacts}/11-implementation.md]]\n",
        );
        let why = bed.until(&["done", "held"]);
        assert_eq!(why["state"], "done", "{cli}: {why}");
        let runs = bed.runs();
        assert_eq!(runs.len(), 2, "{cli}: {runs:?}");
        let asked = bed.provider.requests(KEY) as u64;
        let read: u64 = runs.iter().map(|run| run["usage"]["input_tokens"].as_u64().unwrap()).sum();
        assert_eq!(read, asked * orch_testkit::provider::INPUT_TOKENS, "{cli}: {runs:?}");
        let costs: Vec<u64> =
            runs.iter().map(|run| run["usage"]["cost_micros"].as_u64().unwrap()).collect();
        if cli == "claude" {
            assert!(costs[0] > 0 && costs[1] > 0 && costs[1] < 2 * costs[0], "{costs:?}");
        }
        drop(service);
    }
}

/// Where the setting says no, or the session is gone, the next run begins afresh.
#[test]
fn without_its_session_a_run_begins_afresh() {
    let bed = Bed::new("claude", "ok", DEVELOPMENT, "resume = false");
    let service = bed.orch.serve();
    bed.submit("[[stage development]]\n[[write one.txt|1]]\n[[stage development 2]]\n[[write two.txt|2]]\n\
         [[bash mkdir -p {artifacts} && printf -- '---\\nstatus: ready\\n---\\n' > {artifacts}/11-implementation.md]]\n");
    let why = bed.until(&["done", "held"]);
    assert_eq!(why["state"], "done", "{why}");
    let last = bed.provider.recorded(KEY).pop().unwrap().body.to_string();
    assert!(!last.contains("You have worked on this task before"), "{last}");
    assert_eq!(last.matches("you are the developer").count(), 1, "{last}");
    drop(service);
}
