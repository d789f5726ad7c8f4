//! What must not be read in anything that a run leaves behind, however its agent lets it slip.

use std::path::Path;

use crate::bed::Bed;

/// Lent to the agent by name.
const LENT: &str = "lent-0123456789-\"quoted\"";
/// Listed in the settings; its name does not tell.
const LISTED: &str = "licence-0123456789";
/// The service's own, which the task's author let slip.
const TOKEN: &str = "token-of-the-service";
const SECRETS: [&str; 3] = ["lent-0123456789", LISTED, TOKEN];

const LEAK: &str = r#"
echo "plain: $MY_API_KEY and $LICENCE"
echo "plain: $MY_API_KEY and $LICENCE" >&2
# In pieces, each a write of its own.
printf '%s' "split: ${MY_API_KEY%6789*}"; sleep 0.1; printf '%s\n' "6789${MY_API_KEY#*6789}"
printf '{"orch":"text","text":"in JSON: %s"}\n' "$(printf '%s' "$MY_API_KEY" | sed 's/"/\\"/g')"
printf '%s' "without an end: $LICENCE"
printf '%s' "$LICENCE" > "$ORCH_ARTIFACT_DIR/notes.md"
echo done > "work-$ORCH_TASK"
case $ORCH_TITLE in
*fail*) echo "last words: $LICENCE" >&2; exit 3 ;;
*ask*) echo "Is $LICENCE right?" > "$ORCH_ARTIFACT_DIR/question.md" ;;
esac
"#;

#[test]
fn no_secret_stands_in_what_a_run_leaves_behind() {
    let test = "echo \"the test knows $LICENCE\"; echo 'ok 1 - fine'; echo 1..1";
    let bed = Bed::new("[redact]\nvariables = [\"LICENCE\"]\n", LEAK, test);
    let orch = bed
        .orch
        .clone()
        .with("MY_API_KEY", LENT)
        .with("LICENCE", LISTED)
        .with("ORCH_AGENTS_DEFAULT_ENV", "MY_API_KEY,LICENCE")
        .with("ORCH_BUDGETS_INFRA", "0")
        .with("ORCH_API_TOKEN", TOKEN);
    let bed = Bed { orch, ..bed };
    let service = bed.orch.serve();
    let body = bed.root.path().join("body.md");
    std::fs::write(&body, format!("The token is {TOKEN}.")).unwrap();
    for (title, state, shows) in [
        ("Leak", "done", "The token is [redacted ORCH_API_TOKEN]"),
        ("Leak and fail", "held", "last words: [redacted LICENCE]"),
        ("Leak and ask", "waiting_for_human", "Is [redacted LICENCE] right?"),
    ] {
        let add = ["task", "add", title, "--body", body.to_str().unwrap()];
        let key = bed.orch.ok(&bed.repository.checkout, &add).trim().to_owned();
        let why = orch_testkit::until(title, || {
            let why = bed.orch.json(&["why", &key, "--json"]);
            (why["state"] == state).then_some(why)
        });
        let logs = bed.orch.ok(bed.root.path(), &["task", "logs", &key, "--all"]);
        let told = format!("{}\n{logs}", bed.told(&key));
        let brief = bed.orch.ok(bed.root.path(), &["task", "logs", &key, "--all", "--brief"]);
        assert!(brief.contains("Leak") && brief.contains(&key), "{brief}");
        let said = format!("{why}\n{told}\n{brief}");
        assert!(said.contains(shows), "{shows}: {said}");
        for what in ["plain: ", "split: ", "in JSON: "] {
            let masked = format!("{what}[redacted MY_API_KEY]");
            assert!(told.contains(&masked) || state != "done", "{masked}: {told}");
        }
        for secret in SECRETS {
            assert!(!said.contains(secret), "{secret} is told of {key}: {said}");
        }
    }
    let events = bed.orch.ok(bed.root.path(), &["events", "--json", "-n", "1000"]);
    assert!(!events.contains(LISTED) && !events.contains("lent-"), "{events}");
    let mut looked_at = 0;
    for run in bed.orch.home().join("runs").read_dir().unwrap().flatten() {
        for name in ["log.jsonl", "exit.json", "brief.md", "supervisor.err", "artifacts/notes.md"] {
            looked_at += u32::from(holds_none(&run.path().join(name)));
        }
    }
    assert!(looked_at > 10, "only {looked_at} files were looked at");
    drop(service);
}

/// Whether the file is there; it must hold no secret.
fn holds_none(path: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(path) else { return false };
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} stands in {}: {text}", path.display());
    }
    true
}
