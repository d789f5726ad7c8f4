//! Whole pipelines, worked by the real programs with tools of their own.

use std::path::Path;

use orch_testkit::until;

use crate::bed::{Bed, CLIS, SECRET};

const STAGES: &str = r#"["analysis", "development", "review", "merge"]"#;

/// Each stage's work, done with the program's own tools.
const SCRIPT: &str = r"
[[stage analysis]]
[[bash mkdir -p {artifacts} && printf -- '---\nstatus: ready\n---\n' > {artifacts}/01-analysis.md && printf -- '- it says hello\n' > {artifacts}/03-acceptance-criteria.md]]
[[stage development]]
[[write said/{task}.txt|hello from {task}]]
[[bash mkdir -p {artifacts} && printf -- '---\nstatus: ready\n---\n' > {artifacts}/11-implementation.md]]
[[stage review]]
[[bash mkdir -p {artifacts} && printf -- '---\nverdict: APPROVED\n---\n' > {artifacts}/12-review.md]]
";

#[test]
fn a_task_goes_from_analysis_to_main_by_each_program() {
    std::thread::scope(|scope| {
        for cli in CLIS {
            scope.spawn(move || {
                let bed = Bed::new(cli, "ok", STAGES, "");
                let service = bed.orch.serve();
                bed.submit(SCRIPT);
                let why = bed.until(&["done", "held"]);
                assert_eq!(why["state"], "done", "{cli}: {why}");
                let said = bed.repository.on_main("said/HELLO-1.txt");
                assert_eq!(said.trim_end(), "hello from HELLO-1", "{cli}");
                let runs = bed.runs();
                let agents: Vec<_> =
                    runs.iter().filter(|run| run["agent"] != "merge-gate").collect();
                assert!(
                    agents.iter().all(|run| run["usage"]["input_tokens"].as_u64() > Some(0)),
                    "{cli}: {runs:?}"
                );
                until("what it kept to go with the task", || {
                    bed.orch.home().join("sessions/HELLO-1").read_dir().is_err().then_some(())
                });
                for run in agents {
                    let dir = bed.run_dir(run);
                    assert!(!dir.join("home").exists() && !dir.join("tmp").exists(), "{cli}");
                    for file in ["log.jsonl", "brief.md"] {
                        assert!(!holds(&dir.join(file), SECRET), "{cli}: a secret in {file}");
                    }
                }
                drop(service);
            });
        }
    });
}

fn holds(file: &Path, text: &str) -> bool {
    std::fs::read_to_string(file).unwrap().contains(text)
}

/// The service is killed while a program works; the next one takes the run up.
#[test]
fn a_killed_service_costs_a_running_agent_nothing() {
    for cli in CLIS {
        let bed = Bed::new(cli, "ok", r#"["development"]"#, "");
        let go = bed.root.path().join("go");
        let waits = format!("[[bash while [ ! -e {} ]; do sleep 0.1; done]]\n", go.display());
        let service = bed.orch.serve();
        bed.submit(&crate::bed::work(&waits));
        until("the model to be asked", || {
            (bed.provider.requests(crate::bed::KEY) > 0).then_some(())
        });
        service.kill();
        std::fs::write(&go, "").unwrap();
        let service = bed.orch.serve();
        let why = bed.until(&["done", "held"]);
        assert_eq!(why["state"], "done", "{cli}: {why}");
        assert_eq!(bed.outcomes(), ["suite_ran"], "{cli}");
        drop(service);
    }
}
