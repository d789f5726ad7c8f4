//! A repository whose tasks are deployed to a little service that really runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use orch_testkit::{Orch, Repository, Served, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

const AGENT: &str = r#"
set -eu
mkdir -p "$ORCH_ARTIFACT_DIR"
echo "$ORCH_TASK" > "line-$ORCH_TASK"
printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md"
"#;

/// What all commands share: a log of what was run, the kill at a chosen point, and the switch that
/// a service manager makes.
const COMMON: &str = r#"
set -eu
dir='@DIR@'
echo "$0 $ORCH_REVISION ${ORCH_PREVIOUS_REVISION:-none} ${SSH_CONNECTION:+there}" >> "$dir/ran"
kill_at() {
    if [ "$(cat "$dir/kill" 2>/dev/null)" = "$1" ]; then
        rm "$dir/kill"
        kill -9 "$(cat "$dir/orch.pid")"
    fi
}
switch() {
    echo "$1 $2" > "$dir/want.new"
    mv "$dir/want.new" "$dir/want"
    while [ "$(cat "$dir/now")" != "$1 $2" ]; do sleep 0.01; done
}
mode=$(cat "$dir/mode" 2>/dev/null || true)
"#;

const DEPLOY: &str = r#"
kill_at deploy-begins
case $mode in
    hangs) sleep 600 ;;
    hangs-after) switch "$ORCH_REVISION" healthy; sleep 600 ;;
    waits) touch "$dir/at-work"; while [ ! -e "$dir/go" ]; do sleep 0.05; done ;;
    fails) echo "the release is not complete" >&2; exit 3 ;;
    fails-halfway) switch "$ORCH_REVISION" healthy; exit 3 ;;
    changes-nothing) exit 0 ;;
    ssh) echo 'ssh: connect to host production port 22: Connection refused' >&2; exit 255 ;;
esac
switch "$ORCH_REVISION" "$(cat "$dir/next" 2>/dev/null || echo healthy)"
[ "$mode" = block ] && touch "$dir/blocked"
kill_at deploy-ends
exit 0
"#;

const ROLLBACK: &str = r#"
kill_at rollback-begins
case $mode in
    rollback-fails) exit 1 ;;
    rollback-stays-bad) switch "$ORCH_PREVIOUS_REVISION" bad; exit 0 ;;
esac
switch "$ORCH_PREVIOUS_REVISION" restored
kill_at rollback-ends
if [ "$(cat "$dir/kill" 2>/dev/null)" = rollback-is-verified ]; then
    rm "$dir/kill"
    echo 2 > "$dir/kill-at-health"
fi
"#;

const CHECK: &str = r#"
kill_at check
[ "$mode" = target-missing ] && { echo "no such release" >&2; exit 1; }
exit 0
"#;

const DRAIN: &str = r"
kill_at drain
case $mode in
    drain-hangs) sleep 600 ;;
    drain-fails) exit 1 ;;
esac
exit 0
";

const VERSION: &str = r#"
[ -e "$dir/blocked" ] && { echo 'ssh: connect to host production port 22: Connection timed out' >&2; exit 255; }
cut -d' ' -f1 "$dir/now"
"#;

const SETTINGS: &str = r#"
[repository]
name = "site"
key_prefix = "SITE"
[pipeline]
stages = ["development", "deploy"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[budgets]
backoff_base = "10ms"
backoff_cap = "20ms"
[deploy]
command = "sh deploy.sh"
health_interval = "30ms"
health_timeout = "2s"
health_within = "1500ms"
"#;

/// The usual rest of `[deploy]`.
pub const PROBED: &str = r#"
health_url = "http://127.0.0.1:@PORT@/health"
revision_url = "http://127.0.0.1:@PORT@/version"
rollback_command = "sh rollback.sh"
monitor = "0"
"#;

/// The same with a command that says what runs.
pub const BY_COMMAND: &str = r#"
health_url = "http://127.0.0.1:@PORT@/health"
revision_command = "sh version.sh"
rollback_command = "sh rollback.sh"
monitor = "0"
"#;

pub struct Bed {
    root: tempfile::TempDir,
    pub orch: Orch,
    pub repository: Repository,
    manager: Child,
    port: u16,
}

/// The service, compiled once.
fn service() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/service.rs");
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let fresh = place.join(format!("little-service.{}", std::process::id()));
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let built = Command::new(rustc)
            .args(["--edition=2024", "-Copt-level=0", "-o"])
            .arg(&fresh)
            .arg(source)
            .status()
            .unwrap();
        assert!(built.success(), "the little service does not compile");
        fresh
    })
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Bed {
    /// A repository with these settings added to `[deploy]`, and its first revision running.
    pub fn new(deploy: &str) -> Self {
        Self::with(deploy, &[])
    }

    pub fn with(deploy: &str, settings: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("service");
        fs::create_dir(&dir).unwrap();
        let port = free_port();
        let common = COMMON.replace("@DIR@", &dir.display().to_string());
        let script = |text: &str| format!("{common}{text}");
        let settings_text = SETTINGS.to_owned()
            + &deploy
                .replace("@PORT@", &port.to_string())
                .replace("@DIR@", &dir.display().to_string());
        let repository = Repository::make(
            root.path(),
            "site",
            &[
                ("agent.sh", AGENT),
                ("orch.toml", &settings_text),
                ("deploy.sh", &script(DEPLOY)),
                ("rollback.sh", &script(ROLLBACK)),
                ("check.sh", &script(CHECK)),
                ("drain.sh", &script(DRAIN)),
                ("version.sh", &script(VERSION)),
            ],
        );
        let first = git(&repository.origin, &["rev-parse", "main"]);
        fs::write(dir.join("want"), format!("{} healthy", first.trim())).unwrap();
        let manager = Command::new(service())
            .arg("manage")
            .arg(&dir)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let orch = settings
            .iter()
            .fold(unpaused(root.path()), |orch, (name, value)| orch.with(name, value));
        orch.ok(&repository.checkout, &["init"]);
        let bed = Self { root, orch, repository, manager, port };
        bed.wait_for_the_service();
        bed
    }

    fn wait_for_the_service(&self) {
        until("the little service to answer", || {
            std::net::TcpStream::connect(("127.0.0.1", self.port)).ok().map(drop)
        });
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("service")
    }

    /// Writes a file that commands or the service read.
    pub fn say(&self, name: &str, text: &str) {
        let dir = self.dir();
        fs::write(dir.join(format!("{name}.say")), text).unwrap();
        fs::rename(dir.join(format!("{name}.say")), dir.join(name)).unwrap();
    }

    /// Whether a command has said this.
    pub fn hears(&self, name: &str) -> bool {
        self.dir().join(name).exists()
    }

    /// Takes back what was said.
    pub fn unsay(&self, name: &str) {
        fs::remove_file(self.dir().join(name)).unwrap();
    }

    /// Starts the service of the program, with its pid where commands find it.
    pub fn serve(&self) -> Served<'_> {
        let served = self.orch.serve();
        self.say("orch.pid", &served.pid().to_string());
        served
    }

    pub fn submit(&self) -> String {
        self.orch.ok(&self.repository.checkout, &["task", "add", "A line"]).trim().to_owned()
    }

    /// The folder that commands of the program are run in.
    pub fn at(&self) -> &Path {
        &self.repository.checkout
    }

    /// Why a task stands as it does, for people.
    pub fn why(&self, key: &str) -> String {
        self.orch.ok(self.root.path(), &["why", key])
    }

    /// Waits until a task is done or held; gives which.
    pub fn settled(&self, key: &str) -> String {
        until(&format!("{key} to be done or held"), || {
            let output = self.orch.run(self.root.path(), &["why", key, "--json"]);
            let why: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            why["state"]
                .as_str()
                .filter(|state| matches!(*state, "done" | "held"))
                .map(str::to_owned)
        })
    }

    /// The revision that runs, in the words of the table: new, old, another, or none.
    pub fn runs(&self, key: &str) -> String {
        let now = fs::read_to_string(self.dir().join("now")).unwrap_or_default();
        let revision = now.split_whitespace().next().unwrap_or_default().to_owned();
        let subject = format!("line-{key}");
        let landed =
            git(&self.repository.origin, &["log", "--format=%H", "-1", "main", "--", &subject]);
        let first = git(&self.repository.origin, &["rev-list", "--max-parents=0", "main"]);
        match revision {
            revision if revision == landed.trim() => "new",
            revision if revision == first.trim() => "old",
            revision if revision.is_empty() => "none",
            _ => "another",
        }
        .to_owned()
    }

    /// How often a command was run.
    pub fn ran(&self, script: &str) -> usize {
        let ran = fs::read_to_string(self.dir().join("ran")).unwrap_or_default();
        ran.lines().filter(|line| line.starts_with(script)).count()
    }

    /// The lines of the commands' log.
    pub fn ran_lines(&self) -> Vec<String> {
        let ran = fs::read_to_string(self.dir().join("ran")).unwrap_or_default();
        ran.lines().map(ToOwned::to_owned).collect()
    }

    /// `16-deploy-log.md` of a task as pushed; empty where there is none.
    pub fn log(&self, key: &str) -> String {
        let path = format!("orch/{key}:docs/work-items/{key}/16-deploy-log.md");
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.repository.origin)
            .args(["show", &path])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The log of the only task.
    pub fn last_log(&self) -> String {
        self.log("SITE-1")
    }

    /// What stands in `deploy_status`, or that nothing does.
    pub fn status(&self, key: &str) -> String {
        let log = self.log(key);
        let line = log.lines().find_map(|line| line.strip_prefix("deploy_status: "));
        line.unwrap_or("–").to_owned()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        drop(self.manager.stdin.take());
        let _ = self.manager.wait();
    }
}

/// The same faults are made again and again here; the pause of a shared one has tests of its own.
fn unpaused(root: &Path) -> Orch {
    Orch::new(PROGRAM, root).with("ORCH_BREAKER_ENABLED", "false")
}
