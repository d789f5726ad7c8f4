//! `orch init` on repositories of several kinds, and twice.

use std::fs;

use crate::place::Place;

#[test]
fn a_repository_without_a_remote_gets_an_origin_and_stays_as_it_is() {
    let place = Place::new();
    let root = place.repo("hello", &[("tests/run.sh", "exit 0\n")]);
    let head = place.git(&root, &["rev-parse", "HEAD"]);
    let told = place.orch(&root, &["init", "--rehearsal", "--json"]).exits(0).json();
    assert_eq!(told["name"], "hello");
    assert_eq!(told["key_prefix"], "HELLO");
    assert_eq!(told["default_branch"], "main");
    assert_eq!(told["registration"], "registered");
    assert_eq!(told["config"]["status"], "written");
    assert_eq!(told["tests"][0]["command"], "sh tests/run.sh");
    assert_eq!(told["agents_missing"], serde_json::json!([]));
    let bare = told["origin_made"].as_str().unwrap().to_owned();
    assert!(bare.ends_with("origins/hello.git"), "{bare}");
    assert_eq!(place.git(bare.as_ref(), &["rev-parse", "main"]), head);
    assert_eq!(place.git(&root, &["remote"]), "");
    assert_eq!(place.git(&root, &["rev-parse", "HEAD"]), head);
    let status = place.git(&root, &["status", "--porcelain", "-uall"]);
    assert_eq!(status, "?? .orch/rehearsal.toml\n?? orch.toml\n");
}

#[test]
fn the_second_time_changes_nothing() {
    let place = Place::new();
    let root = place.repo("hello", &[("Cargo.toml", "[package]\nname='x'\n")]);
    place.orch(&root, &["init"]).exits(0);
    let before = fs::read(root.join("orch.toml")).unwrap();
    let again = place.orch(&root, &["init"]).exits(0);
    assert!(again.stdout.contains("unchanged"), "{}", again.all());
    assert!(!again.stdout.contains("next: orch serve"), "{}", again.all());
    assert_eq!(fs::read(root.join("orch.toml")).unwrap(), before);
    let json = place.orch(&root, &["init", "--json"]).exits(0).json();
    assert_eq!(json["registration"], "unchanged");
    assert_eq!(json["config"]["status"], "kept");
    assert_eq!(json["origin_made"], serde_json::Value::Null);
}

#[test]
fn it_works_from_a_folder_below_and_keeps_an_orch_toml_byte_for_byte() {
    let place = Place::new();
    let text = "# mine\r\n[repository]\r\nname = \"other\"\r\nkey_prefix = \"OT\"\r\n\
                remote = \"../hello\"\r\n[agents.default]\r\nadapter = \"command\"\r\n\
                command = [\"true\"]\r\n";
    let root = place.repo("hello", &[("orch.toml", text), ("a/b/c.txt", "")]);
    let told = place.orch(&root.join("a/b"), &["init", "--json"]).exits(0).json();
    assert_eq!((&told["name"], &told["key_prefix"]), (&"other".into(), &"OT".into()));
    assert_eq!(told["remote"], root.canonicalize().unwrap().to_str().unwrap());
    assert_eq!(fs::read_to_string(root.join("orch.toml")).unwrap(), text);
    assert_eq!(place.git(&root, &["status", "--porcelain"]), "");
}

#[test]
fn the_remote_is_origin_or_the_only_one_or_asked_for() {
    let place = Place::new();
    let table: &[(&[&str], i32, &str)] = &[
        (&["origin"], 0, "/srv/origin.git"),
        (&["upstream"], 0, "/srv/upstream.git"),
        (&["upstream", "origin"], 0, "/srv/origin.git"),
        (&["one", "two"], 2, "--remote NAME"),
    ];
    for (index, (remotes, code, told)) in table.iter().enumerate() {
        let root = place.repo(&format!("repo{index}"), &[]);
        for name in *remotes {
            place.git(&root, &["remote", "add", name, &format!("/srv/{name}.git")]);
        }
        let outcome = place.orch(&root, &["init"]).exits(*code);
        assert!(outcome.all().contains(told), "{remotes:?}\n{}", outcome.all());
    }
}

#[test]
fn agents_on_path_are_put_to_use() {
    let place = Place::new();
    place.program("codex", "exit 0");
    place.program("gemini", "exit 0");
    let root = place.repo("hello", &[]);
    let told = place.orch(&root, &["init", "--json"]).exits(0).json();
    assert_eq!(told["agents_found"], serde_json::json!(["codex", "gemini"]));
    assert_eq!(told["agents_missing"], serde_json::json!([]));
    let config = fs::read_to_string(root.join("orch.toml")).unwrap();
    assert!(config.contains("adapter = \"codex\""), "{config}");
    assert!(config.contains("# also found: adapter = \"gemini\""), "{config}");
}

#[test]
fn without_any_agent_it_says_what_to_do() {
    let place = Place::new();
    let root = place.repo("hello", &[]);
    let outcome = place.orch(&root, &["init"]).exits(0);
    assert!(outcome.stdout.contains("[agents.default]"), "{}", outcome.all());
    assert!(outcome.stdout.contains("left out"), "{}", outcome.all());
    assert!(outcome.stdout.contains("testing (no [test_runner] command)"), "{}", outcome.all());
    place.orch(&root, &["config", "check"]).exits(0);
}

#[test]
fn what_is_no_repository_is_refused_with_a_remedy() {
    let place = Place::new();
    let outcome = place.orch(&place.folder("plain"), &["init"]);
    assert!(outcome.stderr.contains("not a git repository"), "{}", outcome.all());
    assert_eq!(outcome.code, 2, "{}", outcome.all());
    let empty = place.folder("empty");
    place.git(&empty, &["init", "-q"]);
    let outcome = place.orch(&empty, &["init"]).exits(2);
    assert!(outcome.stderr.contains("no commit"), "{}", outcome.all());
    let bare = place.folder("bare");
    place.git(&bare, &["init", "-q", "--bare"]);
    place.orch(&bare, &["init"]).exits(2);
}

#[test]
fn a_broken_orch_toml_is_2_with_file_and_line() {
    let place = Place::new();
    let table: &[(&[u8], &[&str])] = &[
        (b"[repository]\nnaem = \"x\"\n", &["orch.toml:2", "naem", "name"]),
        (b"[test_runner]\n\ntimeout = 20\n", &["orch.toml:3", "timeout"]),
        (b"[repository\n", &["orch.toml:1"]),
        (b"x = \"\xff\"\n", &["orch.toml", "line 1 is not UTF-8"]),
        (b"[pipeline]\nstages = [\"analysis\", \"nope\"]\n", &["orch.toml:2", "nope"]),
    ];
    for (index, (text, told)) in table.iter().enumerate() {
        let root = place.repo(&format!("r{index}"), &[]);
        fs::write(root.join("orch.toml"), text).unwrap();
        for args in [&["init"][..], &["config", "check"], &["pipeline", "check"]] {
            let outcome = place.orch(&root, args).exits(2);
            for word in *told {
                assert!(outcome.stderr.contains(word), "{args:?} {word}\n{}", outcome.all());
            }
        }
        assert_eq!(fs::read(root.join("orch.toml")).unwrap(), *text);
    }
}

#[test]
fn two_repositories_of_one_name_do_not_share_an_origin() {
    let place = Place::new();
    let first = place.repo("a/hello", &[]);
    let second = place.repo("b/hello", &[("other", "x")]);
    place.orch(&first, &["init"]).exits(0);
    let outcome = place.orch(&second, &["init"]);
    assert_eq!(outcome.code, 1, "{}", outcome.all());
    assert!(outcome.stderr.contains("--name"), "{}", outcome.all());
    place.orch(&second, &["init", "--name", "hello2", "--key-prefix", "H2"]).exits(0);
}
