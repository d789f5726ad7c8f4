//! The load: repositories with a pipeline whose every step notes its beginning and end in a ledger
//! and holds a lock for as long as any process of it lives.

use std::path::Path;

use orch_testkit::Repository;

/// One step of any producer. The lock is held by the step and all it starts, and the kernel gives
/// it back with the last of them: a second step of the same task at the same time can't but see it.
/// Review fails once per task with an even number, tests once per task divisible by 3.
const STEP: &str = r#"
set -eu
note() { echo "$1 $ORCH_TASK $ORCH_STAGE $ORCH_RUN_MARK" >> "@ROOT@/ledger"; }
number=${ORCH_TASK##*-}
exec 9>> "@ROOT@/locks/$ORCH_TASK"
# A kill may strike any command, this one too: then the step dies of it as a whole.
flock -n -E 75 9 || { [ $? -ne 75 ] || note double; kill -9 $$; }
note begin
echo "at work on $ORCH_TASK"
sleep "0.$(( (number * 7 + ORCH_ATTEMPT * 3) % 4 ))" &
sleep "0.$(( number % 3 ))5"
wait
echo "worked on $ORCH_TASK"
case $ORCH_STAGE in
development)
    mkdir -p "$ORCH_ARTIFACT_DIR"
    echo "$ORCH_TASK" > "work-$ORCH_TASK.txt"
    if [ $((number % 3)) -eq 0 ] && [ "$ORCH_ATTEMPT" -eq 1 ]; then echo broken > broken; else rm -f broken; fi
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    mkdir -p "$ORCH_ARTIFACT_DIR"
    verdict=APPROVED
    if [ $((number % 2)) -eq 0 ] && [ "$ORCH_ATTEMPT" -eq 1 ]; then verdict=REQUEST_CHANGES; fi
    printf -- '---\nverdict: %s\n---\n' "$verdict" > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
testing)
    if [ -e broken ]; then echo 'not ok 1 - broken'; note end; exit 1; else echo 'ok 1 - whole'; fi ;;
deploy)
    echo "$ORCH_TASK $ORCH_REVISION" >> "@ROOT@/deploys" ;;
esac
note end
"#;

const SETTINGS: &str = r#"
[repository]
name = "@NAME@"
key_prefix = "@KEY@"
[pipeline]
stages = ["development", "review", "testing", "deploy"]
[agents.default]
adapter = "command"
command = ["sh", "@ROOT@/step.sh"]
[test_runner]
command = "sh '@ROOT@/step.sh'"
[deploy]
command = "sh '@ROOT@/step.sh'"
[budgets]
backoff_base = "20ms"
backoff_cap = "200ms"
"#;

/// The key prefix of a repository.
pub fn prefix(number: usize) -> String {
    format!("R{number}")
}

/// The name of a repository.
pub fn name(number: usize) -> String {
    format!("repo-{number}")
}

/// Makes the repositories, with bare origins, and what their steps need.
pub fn repositories(root: &Path, count: usize) -> anyhow::Result<Vec<Repository>> {
    let place = root.display().to_string();
    std::fs::create_dir_all(root.join("locks"))?;
    std::fs::write(root.join("step.sh"), STEP.replace("@ROOT@", &place))?;
    let made = (1..=count).map(|number| {
        let settings = SETTINGS
            .replace("@ROOT@", &place)
            .replace("@NAME@", &name(number))
            .replace("@KEY@", &prefix(number));
        let others: Vec<(String, String)> =
            (0..8).map(|file| (format!("file-{file}.txt"), format!("file {file}\n"))).collect();
        let mut files: Vec<(&str, &str)> =
            others.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        files.push(("orch.toml", &settings));
        Repository::make(root, &name(number), &files)
    });
    Ok(made.collect())
}

/// The file that a task leaves on the default branch.
pub fn work_of(key: &str) -> String {
    format!("work-{key}.txt")
}

/// How often a task's code is found wanting by its script, whatever happens around it.
pub fn bounces_of(key: &str) -> u32 {
    let number: u32 =
        key.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or_default();
    u32::from(number.is_multiple_of(2) || number.is_multiple_of(3))
}
