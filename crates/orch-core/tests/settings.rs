//! Hostile and mistaken `orch.toml`s and environments: each problem named with its place and
//! remedy, nothing guessed, nothing lost.

use std::time::Duration;

use orch_core::settings::{
    Env, Loaded, MAX_FILE_BYTES, ObjectStore, RepoSettings, SettingsErrors, SettingsFile, Sources,
    load_repo, load_service,
};
use proptest::prelude::*;

fn repo_with(text: &str, env: &[(&str, &str)]) -> Result<Loaded<RepoSettings>, SettingsErrors> {
    let env: Env =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let repository = Some(SettingsFile { path: "orch.toml", text });
    load_repo(&Sources { service: None, repository, env: &env })
}

fn repo(text: &str) -> Result<Loaded<RepoSettings>, SettingsErrors> {
    repo_with(text, &[])
}

#[test]
fn every_mistake_of_a_file_is_named_with_its_line() {
    let table: &[(&str, usize, &str)] = &[
        (
            "[tset_runner]\ncommand = \"x\"\n",
            2,
            "unknown key `tset_runner.command`; did you mean `test_runner.command`?",
        ),
        (
            "[test_runner]\ncomand = \"x\"\n",
            2,
            "unknown key `test_runner.comand`; did you mean `test_runner.command`?",
        ),
        ("[test_runner]\ncommand = 3\n", 2, "`test_runner.command`"),
        ("[test_runner]\ncommand = \"\"\n", 2, "`test_runner.command`"),
        ("[test_runner]\ncommand = []\n", 2, "`test_runner.command`"),
        ("[test_runner]\ntimeout = \"soon\"\n", 2, "`test_runner.timeout`"),
        ("[test_runner]\ntimeout = \"99999999999999999999h\"\n", 2, "`test_runner.timeout`"),
        ("[test_runner]\ntimeout = -5\n", 2, "`test_runner.timeout`"),
        ("[test_runner]\nenabled = \"yes please\"\n", 2, "`test_runner.enabled`"),
        ("[repository]\nname = \"../x\"\n", 2, "`repository.name`"),
        ("[repository]\nkey_prefix = \"hello\"\n", 2, "`repository.key_prefix`"),
        ("[repository]\ndefault_branch = \"-f\"\n", 2, "`repository.default_branch`"),
        ("[repository]\nname = [\"a\"]\n", 2, "`repository.name`"),
        ("[agents.default]\nadapter = \"claud\"\n", 2, "`agents.default.adapter`"),
        (
            "[agents.default]\nadapter = \"scripted\"\nscript = \"/etc/x\"\n",
            3,
            "`agents.default.script`",
        ),
        (
            "[agents.default]\nadapter = \"scripted\"\nscript = \"../x\"\n",
            3,
            "`agents.default.script`",
        ),
        ("[budgets]\ndevelopment = 1000000\n", 2, "`budgets.development`"),
        ("[budgets]\ninfra = 1.5\n", 2, "`budgets.infra`"),
        ("[pipeline]\nstages = \"review\"\nstages = []\n", 3, "duplicate"),
        ("[pipeline\n", 1, ""),
        ("a = \u{0}\n", 1, ""),
    ];
    for (text, line, expected) in table {
        let Err(errors) = repo(text) else { panic!("{text:?} was accepted") };
        let found = errors.0.iter().find(|error| error.to_string().contains(expected));
        let Some(found) = found else { panic!("{text:?} gave\n{errors}\nnot {expected}") };
        assert_eq!(found.line(), Some(*line), "{text:?} gave {found}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_their_lines() {
    let Err(errors) = repo("[budgets]\ninfra = \"x\"\n[repository]\nnaem = \"a\"\nname = 1\n")
    else {
        panic!("accepted")
    };
    let lines: Vec<Option<usize>> =
        errors.0.iter().map(orch_core::settings::SettingsError::line).collect();
    assert_eq!(lines, [Some(2), Some(4), Some(5)], "{errors}");
}

#[test]
fn the_environment_wins_and_is_named_when_it_is_wrong() {
    let file = "[test_runner]\ncommand = \"make test\"\ntimeout = \"1m\"\n";
    let loaded =
        repo_with(file, &[("ORCH_TEST_RUNNER_TIMEOUT", "90s"), ("ORCH_TEST_RUNNER_COMMAND", "")])
            .unwrap();
    let runner = &loaded.value.test_runner;
    assert_eq!(runner.timeout, Duration::from_secs(90));
    assert_eq!(runner.command.as_ref().map(ToString::to_string).as_deref(), Some("make test"));
    let Err(errors) = repo_with(file, &[("ORCH_TEST_RUNNER_TIMEOUT", "later")]) else {
        panic!("accepted")
    };
    assert!(errors.to_string().contains("ORCH_TEST_RUNNER_TIMEOUT"), "{errors}");
}

#[test]
fn a_file_that_is_too_large_is_refused_unread() {
    let huge = format!("# {}\n", "x".repeat(MAX_FILE_BYTES));
    assert!(repo(&huge).is_err());
}

#[test]
fn a_service_open_to_others_needs_a_token_and_secrets_are_never_shown() {
    let load = |env: &[(&str, &str)]| {
        let env: Env =
            env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load_service(&Sources { service: None, repository: None, env: &env })
    };
    let Err(errors) = load(&[("ORCH_BIND", "0.0.0.0:8420")]) else { panic!("accepted") };
    assert!(
        errors.to_string().contains("bind to 127.0.0.1:8420, or set ORCH_API_TOKEN"),
        "{errors}"
    );
    let open = load(&[("ORCH_BIND", "0.0.0.0:8420"), ("ORCH_API_TOKEN", "hush-hush")]).unwrap();
    assert!(!format!("{open:?}").contains("hush-hush"));
    assert!(load(&[("ORCH_MAX_CONCURRENCY", "0")]).is_err());
    assert!(load(&[("ORCH_BIND", "localhost")]).is_err());
}

#[test]
fn an_object_store_is_read_whole_or_refused_with_its_line() {
    let load = |text: &str| {
        let service = Some(SettingsFile { path: "orch.toml", text });
        load_service(&Sources { service, repository: None, env: &Env::new() })
            .map(|loaded| loaded.value.object_store)
    };
    assert_eq!(load("").unwrap(), None);
    let directory = load("[object_store]\nurl = \"file:///srv/objects\"\n").unwrap();
    assert_eq!(directory, Some(ObjectStore::Directory("/srv/objects".to_owned())));
    let s3 = "[object_store]\nurl = \"s3://logs/team/\"\naccess_key_id = \"AKIA\"\n\
              secret_access_key = \"hush-hush\"\nendpoint = \"http://127.0.0.1:9000\"\n";
    let Some(ObjectStore::S3(bucket)) = load(s3).unwrap() else { panic!("no bucket") };
    assert_eq!((bucket.bucket.as_str(), bucket.prefix.as_str()), ("logs", "team"));
    assert!(bucket.plain_http);
    assert!(!format!("{bucket:?}").contains("hush-hush"));
    let table = [
        ("url = \"/srv/objects\"", 2, "must be file:///DIR or s3://BUCKET/PREFIX"),
        ("url = \"s3://Logs\"", 2, "must name a bucket"),
        ("endpoint = \"http://127.0.0.1\"", 2, "no object store is set"),
        ("url = \"file:///srv/o\"\nregion = \"eu\"", 3, "a directory is set"),
        ("url = \"s3://logs\"\nendpoint = \"http://s3.example\"", 3, "without TLS"),
        ("url = \"s3://logs\"\nendpoint = \"https://me:pw@s3.example\"", 3, "without user"),
        ("url = \"s3://logs\"\naccess_key_id = \"hush\"", 3, "without `object_store.secret"),
        ("url = \"s3://logs\"\nsecret_access_key = \"hush\"", 3, "without `object_store.access"),
        ("url = \"s3://logs\"\nbukket = \"x\"", 3, "bukket"),
    ];
    for (text, line, expected) in table {
        let Err(errors) = load(&format!("[object_store]\n{text}\n")) else {
            panic!("{text:?} was accepted")
        };
        let told = errors.to_string();
        assert!(told.contains(expected), "{text:?} gave\n{told}");
        assert!(!told.contains("hush") && !told.contains("me:pw"), "{told}");
        assert_eq!(errors.0[0].line(), Some(line), "{told}");
    }
    let allowed = "[object_store]\nurl = \"s3://logs\"\nendpoint = \"http://s3.example\"\n\
                   allow_http = true\n";
    assert!(load(allowed).is_ok());
}

/// What is set in vain is said, so that nobody relies on it.
#[test]
fn settings_without_effect_are_warned_of() {
    let text =
        "[staging_runner]\ncommand = \"x\"\nexec_host_side = false\n[reaper]\ninterval = \"1s\"\n";
    let loaded = repo(text).unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(
        matches!(warnings.as_slice(), [only] if only.starts_with("orch.toml:4:2: [reaper]")),
        "{warnings:?}"
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~\n\t]{0,300}", sections in "(\\[[a-z_.]{1,12}\\]\n[a-z_]{1,9} = [ -~]{0,20}\n){0,6}") {
        drop(repo(&text));
        drop(repo(&sections));
    }
}
