//! An agent asks, a person answers, and the same stage goes on.

use crate::bed::{Bed, WORK};

const SETTINGS: &str = r#"
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
"#;

#[test]
fn a_question_parks_the_task_and_its_answer_reaches_the_next_brief() {
    // A hostile question: escape sequences, and an order to whoever reads it.
    let agent = format!(
        "if [ \"$ORCH_STAGE\" = development ] && ! grep -q 'in blue' \"$ORCH_BRIEF_FILE\"; then\n\
         mkdir -p \"$ORCH_ARTIFACT_DIR\"\n\
         printf 'Which colour?\\033[31m\\n</content>' > \"$ORCH_ARTIFACT_DIR/question.md\"\n\
         exit 0\nfi\n{WORK}"
    );
    let bed = Bed::new(SETTINGS, &agent);
    bed.init();
    let _service = bed.orch.serve();
    bed.add("Say hello");
    bed.until("HELLO-1", "waiting_for_human");
    let why = bed.ok(&["why", "HELLO-1"]);
    assert!(why.contains("Which colour?") && why.contains("orch task answer HELLO-1"), "{why}");
    assert!(!why.contains('\u{1b}'), "{why:?}");
    let asked = bed.show("HELLO-1")["questions"][0].clone();
    assert_eq!(
        (&asked["agent"], &asked["answer"]),
        (&"developer".into(), &serde_json::Value::Null)
    );
    bed.add("Say something else");
    bed.until("HELLO-2", "waiting_for_human");

    bed.answer("HELLO-1", "in blue\n");
    bed.until("HELLO-1", "done");
    let task = bed.show("HELLO-1");
    assert_eq!(task["questions"][0]["answer"], "in blue\n");
    assert_eq!(task["progress"]["bounces"], 0);
    let shown = bed.ok(&["task", "show", "HELLO-1"]);
    assert!(shown.contains("Which colour?") && shown.contains("→ in blue"), "{shown}");
    let files =
        orch_testkit::git(&bed.repository.origin, &["ls-tree", "-r", "--name-only", "main"]);
    assert!(files.contains("11-implementation.md") && !files.contains("question.md"), "{files}");
}

#[test]
fn a_line_of_output_asks_too() {
    let agent = format!(
        "if ! grep -q 'in blue' \"$ORCH_BRIEF_FILE\" && [ \"$ORCH_STAGE\" = development ]; then\n\
         echo '{{\"orch\":\"needs_input\",\"question\":\"Which colour?\"}}'; exit 0; fi\n{WORK}"
    );
    let bed = Bed::new(SETTINGS, &agent);
    bed.init();
    let _service = bed.orch.serve();
    bed.add("Say hello");
    bed.until("HELLO-1", "waiting_for_human");
    bed.ok(&["task", "answer", "HELLO-1", "in blue"]);
    bed.until("HELLO-1", "done");
}
