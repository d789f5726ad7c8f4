//! Logs and artifacts of one machine's runs, read on another: two state directories over one
//! database, an object store between them.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use orch_api::{Client, RunDetail};
use orch_testkit::{Fault, Orch, Repository, S3Server, until};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");
/// In the agent's environment; must not get anywhere.
const HUSH: &str = "hush-hush-token";

const AGENT: &str = r#"
set -eu
test -n "$AGENT_TOKEN"
echo "begun at $ORCH_STAGE"
echo "a complaint" >&2
while [ ! -e "$AGENT_GATE" ]; do sleep 0.05; done
echo "worked" >> "said-$ORCH_TASK"
printf -- '---\nstatus: ready\n---\nDone.\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md"
echo "done at $ORCH_STAGE"
"#;

const SETTINGS: &str = r#"
[repository]
name = "hello"
key_prefix = "HELLO"
[pipeline]
stages = ["development", "testing", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
env = ["AGENT_TOKEN", "AGENT_GATE"]
[test_runner]
command = "test -s hello.txt && echo 'ok 1 - it says hello'"
"#;

/// A repository, a machine that works, and the gate that its agent waits at.
struct Scene {
    root: TempDir,
    repository: Repository,
}

impl Scene {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let files = [("agent.sh", AGENT), ("orch.toml", SETTINGS), ("hello.txt", "hello\n")];
        let repository = Repository::make(root.path(), "hello", &files);
        for machine in ["a", "b", "c"] {
            fs::create_dir(root.path().join(machine)).unwrap();
        }
        Self { root, repository }
    }

    fn path(&self) -> &Path {
        self.root.path()
    }

    /// A machine of that name over the database of machine `a`.
    fn machine(&self, name: &str, settings: &[(&str, &str)]) -> Orch {
        let database = self.path().join("a/state/orch.db");
        let gate = self.path().join("gate");
        let orch = Orch::new(PROGRAM, &self.path().join(name))
            .with("ORCH_DATABASE_URL", &format!("sqlite:{}", database.display()))
            .with("AGENT_TOKEN", HUSH)
            .with("AGENT_GATE", gate.to_str().unwrap());
        settings.iter().fold(orch, |orch, (name, value)| orch.with(name, value))
    }

    fn open_gate(&self) {
        fs::write(self.path().join("gate"), "").unwrap();
    }
}

fn client(orch: &Orch) -> Client {
    let address = fs::read_to_string(orch.home().join("service.addr")).unwrap();
    Client::new(&format!("http://{}", address.trim()), None)
}

fn runs(orch: &Orch) -> Vec<RunDetail> {
    client(orch).task("HELLO-1").unwrap().runs
}

/// Every file below a folder, as one text.
fn everything(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &everything(&path);
        } else {
            text += &String::from_utf8_lossy(&fs::read(&path).unwrap());
        }
    }
    text
}

fn logs(orch: &Orch, root: &Path, further: &[&str]) -> String {
    orch.ok(root, &[&["task", "logs", "HELLO-1"], further].concat())
}

#[test]
fn what_a_run_left_is_read_elsewhere_once_a_failing_store_works() {
    let scene = Scene::new();
    let server = S3Server::start_failing(&scene.path().join("server"), Fault::Down);
    let endpoint = server.endpoint();
    let settings = [
        ("ORCH_OBJECT_STORE_URL", "s3://logs/team"),
        ("ORCH_OBJECT_STORE_ENDPOINT", endpoint.as_str()),
        ("ORCH_OBJECT_STORE_ACCESS_KEY_ID", S3Server::ACCESS_KEY),
        ("ORCH_OBJECT_STORE_SECRET_ACCESS_KEY", S3Server::SECRET_KEY),
    ];
    let a = scene.machine("a", &settings);
    a.ok(&scene.repository.checkout, &["init"]);
    scene.open_gate();
    let working = a.serve();
    // A store that is down delays no run.
    a.ok(&scene.repository.checkout, &["task", "add", "Say hello", "--wait"]);

    let b = scene.machine("b", &settings);
    let reading = b.serve_with(&["--no-worker"]);
    let out = b.run(scene.path(), &["task", "logs", "HELLO-1", "--all"]);
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && told.contains("object store can't be reached"), "{told}");
    for fault in [Fault::Error, Fault::Cut] {
        let before = server.requests();
        server.fail(fault);
        until("the store to be tried again", || (server.requests() > before).then_some(()));
    }
    server.fail(Fault::None);

    let here = logs(&a, scene.path(), &["--all", "--json"]);
    assert!(here.contains("begun at development") && here.contains("ok 1"), "{here}");
    until("the logs to be elsewhere", || {
        let out = b.run(scene.path(), &["task", "logs", "HELLO-1", "--all", "--json"]);
        (out.stdout == here.as_bytes()).then_some(())
    });
    until("the publisher to have handed everything on", || {
        let done = runs(&a).iter().all(|run| {
            let dir = a.home().join("runs").join(&run.run_id);
            let marker = fs::read_to_string(dir.join("published.json")).unwrap_or_default();
            !dir.exists() || marker.contains("\"complete\":true")
        });
        done.then_some(())
    });
    let developed = &runs(&a)[0].run_id;
    let (mine, theirs) = (client(&a), client(&b));
    let whole = mine.run_log(developed).unwrap();
    assert_eq!(theirs.run_log(developed).unwrap(), whole);
    for range in ["bytes=0-9", "bytes=5-", "bytes=-7"] {
        let ranges = [&mine, &theirs].map(|one| one.run_log_range(developed, range).unwrap());
        assert_eq!(ranges[0], ranges[1], "{range}");
    }
    assert_eq!(theirs.run_log_follow(developed, 0).unwrap().count(), 3);
    for run in runs(&a) {
        let artifacts = theirs.run_artifacts(&run.run_id).unwrap();
        assert_eq!(artifacts, mine.run_artifacts(&run.run_id).unwrap(), "{}", run.stage);
        for artifact in artifacts {
            let read = |client: &Client| client.run_artifact(&run.run_id, &artifact.name).unwrap();
            assert_eq!(read(&theirs), read(&mine), "{}", artifact.name);
        }
    }
    let names: Vec<String> =
        theirs.run_artifacts(developed).unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["11-implementation.md"]);
    for odd in ["..%2f..%2fexit.json", "none.md", "exit.json"] {
        assert!(theirs.run_artifact(developed, odd).is_err(), "{odd}");
    }
    // The branch was pushed by the other machine and is fetched here.
    assert_eq!(theirs.task("HELLO-1").unwrap().artifacts, mine.task("HELLO-1").unwrap().artifacts);
    let stored = everything(&scene.path().join("server"));
    assert!(stored.contains("AGENT_TOKEN") && !stored.contains(HUSH));
    drop(reading);

    // A store that never answers keeps no task from being done and no service from ending.
    server.fail(Fault::Hang);
    a.ok(&scene.repository.checkout, &["task", "add", "Say it again", "--wait"]);
    working.stop();
}

#[test]
fn a_log_is_followed_elsewhere_while_the_run_goes_on() {
    let scene = Scene::new();
    let url = format!("file://{}", scene.path().join("objects").display());
    let settings = [("ORCH_OBJECT_STORE_URL", url.as_str())];
    let a = scene.machine("a", &settings);
    a.ok(&scene.repository.checkout, &["init"]);
    let working = a.serve();
    a.ok(&scene.repository.checkout, &["task", "add", "Say hello"]);
    let b = scene.machine("b", &settings);
    let c = scene.machine("c", &[]);
    let reading = b.serve_with(&["--no-worker"]);
    until("the run's first words elsewhere", || {
        let out = b.run(scene.path(), &["task", "logs", "HELLO-1"]);
        String::from_utf8_lossy(&out.stdout).contains("begun at development").then_some(())
    });

    // Without an object store the answer says where the log is, and does not look like an empty one.
    let alone = c.serve_with(&["--no-worker"]);
    let out = c.run(scene.path(), &["task", "logs", "HELLO-1"]);
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && told.contains("set [object_store]"), "{told}");
    assert!(told.contains(&runs(&c)[0].worker_id), "{told}");
    drop(alone);

    let follow = b
        .command(scene.path())
        .args(["task", "logs", "HELLO-1", "-f"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    scene.open_gate();
    let told = output(follow);
    let expected = ["begun at development", "a complaint", "done at development"];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
    drop((working, reading));
}

/// What a program prints until it ends by itself.
fn output(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn doctor_tells_a_store_that_works_from_one_that_refuses_and_shows_no_secret() {
    let root = TempDir::new().unwrap();
    let server = S3Server::start(&root.path().join("server"));
    let endpoint = server.endpoint();
    let doctor = |secret: &str| {
        let orch = Orch::new(PROGRAM, root.path())
            .with("ORCH_OBJECT_STORE_URL", "s3://logs")
            .with("ORCH_OBJECT_STORE_ENDPOINT", &endpoint)
            .with("ORCH_OBJECT_STORE_ACCESS_KEY_ID", S3Server::ACCESS_KEY)
            .with("ORCH_OBJECT_STORE_SECRET_ACCESS_KEY", secret)
            // Without TLS no certificates are needed.
            .with("SSL_CERT_FILE", "/nonexistent")
            .with("SSL_CERT_DIR", "/nonexistent");
        let text = orch.run(root.path(), &["doctor", "--json"]).stdout;
        assert!(!String::from_utf8_lossy(&text).contains(secret));
        let report: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "object store").unwrap().clone()
    };
    let works = doctor(S3Server::SECRET_KEY);
    assert_eq!(works["level"], "ok", "{works}");
    let refused = doctor("another-secret");
    assert_eq!(refused["level"], "fail", "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("refuses"), "{refused}");
    assert!(refused["remedy"].as_str().unwrap().contains("SECRET_ACCESS_KEY"), "{refused}");
    server.fail(Fault::Error);
    let away = doctor(S3Server::SECRET_KEY);
    assert!(away["remedy"].as_str().unwrap().contains("runs go on"), "{away}");
}
