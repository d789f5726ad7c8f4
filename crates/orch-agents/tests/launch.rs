//! From an adapter to a command line.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use orch_agents::{AdapterConfig, AgentError, LaunchContext, plan};
use orch_core::ids::{AgentName, RunId, StageName};
use orch_core::llm::CallSite;

fn site() -> CallSite {
    CallSite::by_id("development").unwrap()
}

fn context(base: &Path, worktree: &Path) -> LaunchContext {
    LaunchContext {
        task: "HELLO-1".parse().unwrap(),
        title: "Say hello".into(),
        stage: StageName::new("review").unwrap(),
        agent: AgentName::new("reviewer").unwrap(),
        attempt: 2,
        run_id: RunId::from_parts(1, 2),
        worktree: worktree.to_owned(),
        artifact_dir: worktree.join("docs/work-items/HELLO-1"),
        brief_file: base.join("brief.md"),
        base_dir: base.to_owned(),
        orch_program: "/opt/orch".into(),
        inherited_env: BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]),
    }
}

#[test]
fn a_command_gets_the_brief_and_the_facts_of_its_run() {
    let dir = tempfile::tempdir().unwrap();
    let adapter = AdapterConfig::Command { argv: vec!["sh".into(), "agent.sh".into()] };
    let plan = plan(site(), &adapter, &context(dir.path(), dir.path())).unwrap();
    assert_eq!(plan.argv, ["sh", "agent.sh"]);
    assert_eq!(plan.stdin, dir.path().join("brief.md"));
    let facts: Vec<&str> = plan.env.keys().map(String::as_str).collect();
    assert_eq!(
        facts,
        [
            "ORCH_AGENT",
            "ORCH_ARTIFACT_DIR",
            "ORCH_ATTEMPT",
            "ORCH_BRIEF_FILE",
            "ORCH_RUN_ID",
            "ORCH_STAGE",
            "ORCH_TASK",
            "ORCH_TITLE",
            "PATH"
        ]
    );
    assert_eq!(
        (plan.env["ORCH_TASK"].as_str(), plan.env["ORCH_ATTEMPT"].as_str()),
        ("HELLO-1", "2")
    );
}

#[test]
fn a_script_is_looked_up_beside_the_settings_first_and_never_outside() {
    let (base, worktree) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let context = context(base.path(), worktree.path());
    let find =
        |script: &str| plan(site(), &AdapterConfig::Scripted { script: script.into() }, &context);
    assert!(matches!(find("a.toml"), Err(AgentError::NoScript { .. })));
    fs::write(worktree.path().join("a.toml"), "").unwrap();
    let of = |dir: &Path| {
        let script = dir.join("a.toml").display().to_string();
        vec!["/opt/orch".to_owned(), "scripted-agent".to_owned(), "--script".to_owned(), script]
    };
    assert_eq!(find("a.toml").unwrap().argv, of(worktree.path()));
    fs::write(base.path().join("a.toml"), "").unwrap();
    assert_eq!(find("a.toml").unwrap().argv, of(base.path()));
    for outside in ["/etc/passwd", "../a.toml", "x/../../a.toml"] {
        assert!(matches!(find(outside), Err(AgentError::ScriptOutside(_))), "{outside}");
    }
    assert_eq!(
        plan(site(), &AdapterConfig::Command { argv: vec![] }, &context),
        Err(AgentError::EmptyCommand)
    );
}

#[test]
fn what_no_program_can_be_given_is_refused_or_made_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let mut context = context(dir.path(), dir.path());
    let command = |words: &[&str]| AdapterConfig::Command {
        argv: words.iter().map(|word| (*word).to_owned()).collect(),
    };
    assert_eq!(plan(site(), &command(&[" "]), &context), Err(AgentError::EmptyCommand));
    let nul = plan(site(), &command(&["sh", "a\0b"]), &context);
    assert_eq!(nul, Err(AgentError::NulInCommand("a\0b".into())));
    context.title = format!("a\0b{}", "ä".repeat(100_000));
    context.inherited_env.insert("ORCH_TASK".into(), "OTHER-9".into());
    let plan = plan(site(), &command(&["sh"]), &context).unwrap();
    let title = &plan.env["ORCH_TITLE"];
    assert!(title.starts_with("a\u{FFFD}bä") && title.len() < 5000, "{}", title.len());
    assert_eq!(plan.env["ORCH_TASK"], "HELLO-1", "a fact is never inherited");
}

#[test]
fn a_path_that_is_not_utf8_is_refused_rather_than_changed() {
    use std::os::unix::ffi::OsStringExt;
    let dir = tempfile::tempdir().unwrap();
    let odd = std::path::PathBuf::from(std::ffi::OsString::from_vec(b"/tmp/\xff".to_vec()));
    let context = LaunchContext { brief_file: odd.clone(), ..context(dir.path(), dir.path()) };
    let adapter = AdapterConfig::Command { argv: vec!["sh".into()] };
    assert_eq!(plan(site(), &adapter, &context), Err(AgentError::NotUtf8(odd)));
}
