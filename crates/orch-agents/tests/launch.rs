//! From an adapter to a command line.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use orch_agents::{AdapterConfig, AgentError, LaunchContext, Session, descriptor, plan};
use orch_core::ids::{AgentName, RunId, StageName};
use orch_core::llm::CallSite;
use orch_core::settings::Adapter;

const NAME: &str = "11111111-1111-4111-8111-111111111111";

fn site() -> CallSite {
    CallSite::by_id("development").unwrap()
}

fn adapter(adapter: Adapter) -> AdapterConfig {
    AdapterConfig::new(descriptor(adapter).unwrap())
}

fn command(words: &[&str]) -> AdapterConfig {
    let command = words.iter().map(|word| (*word).to_owned()).collect();
    AdapterConfig { command, ..adapter(Adapter::Command) }
}

fn script(path: &str) -> AdapterConfig {
    AdapterConfig { script: Some(path.into()), ..adapter(Adapter::Scripted) }
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
        home: None,
        temp: None,
        session: Session::New { name: NAME.into() },
        stall: None,
        inherited_env: BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]),
    }
}

#[test]
fn a_command_gets_the_brief_and_the_facts_of_its_run() {
    let dir = tempfile::tempdir().unwrap();
    let plan =
        plan(site(), &command(&["sh", "agent.sh"]), &context(dir.path(), dir.path())).unwrap();
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
    let find = |path: &str| plan(site(), &script(path), &context);
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
    assert_eq!(plan(site(), &command(&[]), &context), Err(AgentError::EmptyCommand));
}

#[test]
fn what_no_program_can_be_given_is_refused_or_made_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let mut context = context(dir.path(), dir.path());
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
    assert_eq!(plan(site(), &command(&["sh"]), &context), Err(AgentError::NotUtf8(odd)));
}

fn with_home(dir: &Path, names: &[(&str, &str)]) -> LaunchContext {
    let mut context = context(dir, dir);
    context.home = Some(dir.join("home"));
    context.temp = Some(dir.join("tmp"));
    context.stall = Some(Duration::from_mins(5));
    context.inherited_env.extend(names.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    context
}

#[test]
fn a_run_with_a_home_of_its_own_sees_nothing_of_the_users() {
    let dir = tempfile::tempdir().unwrap();
    let users = [("HOME", "/home/you"), ("XDG_DATA_HOME", "/home/you/.data"), ("TMPDIR", "/tmp")];
    let plan = plan(site(), &command(&["sh"]), &with_home(dir.path(), &users)).unwrap();
    assert_eq!(plan.env["HOME"], dir.path().join("home").display().to_string());
    assert_eq!(plan.env["TMPDIR"], dir.path().join("tmp").display().to_string());
    assert!(!plan.env.contains_key("XDG_DATA_HOME"));
}

#[test]
fn claude_is_started_headless_in_a_session_of_our_naming_and_resumed_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut context = with_home(dir.path(), &[]);
    let config = AdapterConfig {
        model: Some("claude-sonnet-4-5".into()),
        args: vec!["--allowedTools".into(), "WebFetch".into()],
        ..adapter(Adapter::Claude)
    };
    let fresh = plan(site(), &config, &context).unwrap();
    assert_eq!(
        fresh.argv.join(" "),
        format!(
            "claude -p --output-format stream-json --verbose --permission-mode acceptEdits \
             --allowedTools Bash --model claude-sonnet-4-5 --session-id {NAME} --allowedTools WebFetch"
        )
    );
    assert_eq!(fresh.session.as_deref(), Some(NAME));
    assert_eq!(fresh.env["CLAUDE_CODE_MAX_RETRIES"], "2");
    assert_eq!(fresh.env["API_TIMEOUT_MS"], "100000", "a third of the silence that is allowed");
    context.session = Session::Resume { id: "s-1".into() };
    let resumed = plan(site(), &adapter(Adapter::Claude), &context).unwrap();
    assert!(resumed.argv.join(" ").ends_with("--allowedTools Bash --resume s-1"), "{resumed:?}");
    let own = AdapterConfig { command: vec!["/opt/claude".into()], ..adapter(Adapter::Claude) };
    assert_eq!(plan(site(), &own, &context).unwrap().argv[0], "/opt/claude");
}

#[test]
fn codex_gets_its_provider_by_settings_and_its_key_by_name_alone() {
    let dir = tempfile::tempdir().unwrap();
    let names = [("OPENAI_API_KEY", "sk-secret"), ("OPENAI_BASE_URL", "http://h/\"v1")];
    let mut context = with_home(dir.path(), &names);
    let config = AdapterConfig { model: Some("gpt-5".into()), ..adapter(Adapter::Codex) };
    let fresh = plan(site(), &config, &context).unwrap();
    let line = fresh.argv.join(" ");
    assert!(line.starts_with("codex exec --json --skip-git-repo-check -s workspace-write "));
    assert!(line.ends_with(" -"), "{line}");
    assert!(line.contains("-c model=\"gpt-5\""), "{line}");
    assert!(line.contains("base_url='http://h/\"v1'"), "quoted as TOML: {line}");
    assert!(line.contains("env_key=\"OPENAI_API_KEY\",request_max_retries=1,stream_max_retries=1"));
    assert!(!line.contains("sk-secret"), "{line}");
    assert_eq!(fresh.session, None, "the program names it");
    assert_eq!(fresh.env["CODEX_HOME"], dir.path().join("home/.codex").display().to_string());
    context.session = Session::Resume { id: "t-1".into() };
    let resumed = plan(site(), &config, &context).unwrap();
    assert!(resumed.argv.join(" ").ends_with(" resume t-1 -"), "{resumed:?}");
    context.inherited_env.remove("OPENAI_API_KEY");
    let login = plan(site(), &config, &context).unwrap().argv.join(" ");
    assert!(!login.contains("model_provider"), "its own login, its own provider: {login}");
}

/// What tells a program's own patience and its way to log in, and how it is resumed.
#[test]
fn the_wider_programs_are_started_headless_and_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let keys = [("GEMINI_API_KEY", "k"), ("OPENAI_API_KEY", "k")];
    let opencode = "opencode run --format json --auto --model m";
    for (which, fresh, resumed) in [
        (
            Adapter::Gemini,
            format!(
                "gemini --output-format stream-json --approval-mode yolo --skip-trust -m m \
                 --session-id {NAME} --x"
            ),
            "-m m --resume s-1 --x",
        ),
        (
            Adapter::Qwen,
            format!(
                "qwen --output-format stream-json --approval-mode yolo --auth-type openai -m m \
                 --session-id {NAME} --x"
            ),
            "-m m --resume s-1 --x",
        ),
        (Adapter::Opencode, format!("{opencode} --x"), "--model m --session s-1 --x"),
    ] {
        let config =
            AdapterConfig { model: Some("m".into()), args: vec!["--x".into()], ..adapter(which) };
        let mut context = with_home(dir.path(), &keys);
        assert_eq!(plan(site(), &config, &context).unwrap().argv.join(" "), fresh);
        context.session = Session::Resume { id: "s-1".into() };
        let again = plan(site(), &config, &context).unwrap();
        assert!(again.argv.join(" ").ends_with(resumed), "{again:?}");
        assert_eq!(again.session.as_deref(), Some("s-1"));
    }
    let files = |which, keys: &[(&str, &str)]| {
        plan(site(), &adapter(which), &with_home(dir.path(), keys)).unwrap().files
    };
    let keyed = files(Adapter::Gemini, &keys);
    assert_eq!(keyed[0].0, Path::new(".gemini/settings.json"));
    assert!(keyed[0].1.contains("gemini-api-key") && keyed[0].1.contains("\"maxAttempts\":2"));
    assert!(files(Adapter::Gemini, &[])[0].1.contains("oauth-personal"));
    assert!(files(Adapter::Qwen, &keys)[0].1.contains("\"maxRetries\":0"));
}

#[test]
fn an_agent_of_the_protocol_is_started_behind_our_client() {
    let dir = tempfile::tempdir().unwrap();
    let mut context = with_home(dir.path(), &[]);
    let command = vec!["gemini".into(), "--acp".into()];
    let config = AdapterConfig { command, ..adapter(Adapter::Acp) };
    let fresh = plan(site(), &config, &context).unwrap().argv;
    assert_eq!(fresh[1..].join(" "), "acp-client -- gemini --acp");
    context.session = Session::Resume { id: "s-1".into() };
    let again = plan(site(), &config, &context).unwrap().argv;
    assert_eq!(again[1..].join(" "), "acp-client --resume s-1 -- gemini --acp");
    let nothing = plan(site(), &adapter(Adapter::Acp), &context);
    assert_eq!(nothing.unwrap_err(), AgentError::EmptyCommand);
}

/// Every adapter of the settings has a descriptor.
#[test]
fn adapters_and_settings_agree() {
    for (known, name) in Adapter::ALL {
        assert!(descriptor(known).is_some(), "{name}");
    }
    for descriptor in orch_agents::ADAPTERS {
        let missing: Vec<_> =
            descriptor.keys.iter().filter(|key| !descriptor.passes.contains(key)).collect();
        assert!(missing.is_empty(), "{descriptor:?} has keys that it does not pass: {missing:?}");
        // A program with a home of its own is known well enough to ask for a change.
        assert!(descriptor.demands.change || !descriptor.own_home, "{descriptor:?}");
    }
}
