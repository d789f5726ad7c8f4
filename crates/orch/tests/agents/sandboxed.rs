//! A real program within a sandbox: it works a task to `main`, and goes on in its session. Codex is
//! left out: it brings a sandbox of its own, which can't be made within another.

use orch_testkit::git;

use crate::bed::Bed;

/// The first attempt leaves no artifact and reaches for what is hidden; the second resumes.
const SCRIPT: &str = r"
[[stage development]]
[[write said/{task}.txt|hello from {task}]]
[[bash cat /etc/shadow > stolen.txt || rm -f stolen.txt]]
[[stage development 2]]
[[bash mkdir -p {artifacts} && printf -- '---\nstatus: ready\n---\n' > {artifacts}/11-implementation.md]]
[[stage review]]
[[bash mkdir -p {artifacts} && printf -- '---\nverdict: APPROVED\n---\n' > {artifacts}/12-review.md]]
";

#[test]
fn a_task_goes_to_main_by_claude_within_bubblewrap() {
    let sandbox = "[sandbox]\nprofile = \"bubblewrap\"";
    let bed = Bed::new("claude", "ok", r#"["development", "review", "merge"]"#, sandbox);
    let service = bed.orch.serve();
    bed.submit(SCRIPT);
    let why = bed.until(&["done", "held"]);
    assert_eq!(why["state"], "done", "{why}");
    assert_eq!(bed.repository.on_main("said/HELLO-1.txt").trim_end(), "hello from HELLO-1");
    let files = git(&bed.repository.origin, &["ls-tree", "-r", "--name-only", "main"]);
    assert!(!files.contains("stolen"), "{files}");
    let runs = bed.runs();
    let developer: Vec<_> = runs.iter().filter(|run| run["stage"] == "development").collect();
    assert_eq!(developer.len(), 2, "{runs:?}");
    let brief = std::fs::read_to_string(bed.run_dir(developer[1]).join("brief.md")).unwrap();
    assert!(brief.contains("You have worked on this task before"), "{brief}");
    drop(service);
}
