//! A throwaway PostgreSQL server: made from the installed packages, gone with the test's process.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Ends the server and removes its folder when the test's process is gone, however it went: its
/// end of the pipe closes.
const KEEPER: &str = r#"
read -r _
if pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null); then
    kill -QUIT "$pid" 2>/dev/null
    n=0
    while [ "$n" -lt 100 ] && kill -0 "$pid" 2>/dev/null; do n=$((n + 1)); sleep 0.05; done
fi
rm -rf "$0"
"#;

/// A running server with a folder of its own.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    port: u16,
    /// Its end is the server's.
    keeper: Child,
    databases: AtomicU32,
}

/// How a server is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Transactions are rolled back and connections closed.
    Fast,
    /// As a crash: the server recovers from its log at the next start.
    Immediate,
}

impl Cluster {
    /// The one server that the tests of a process share; each makes databases of its own on it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(false))
    }

    /// Starts a server; a durable one waits for the disk at every commit.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or can't be started.
    pub fn start(durable: bool) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("orch-postgres-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        if let Some((user, group)) = server_user() {
            chown(&dir, Some(user), Some(group)).unwrap();
        }
        let keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { dir, port, keeper, databases: AtomicU32::new(0) };
        cluster.initialise(durable);
        cluster.resume();
        cluster
    }

    fn initialise(&self, durable: bool) {
        let data = self.data();
        let data_arg = data.to_str().unwrap();
        let options = ["-D", data_arg, "-A", "trust", "-U", "orch", "-E", "UTF8", "--locale=C"];
        server_tool("initdb").args(options).arg("--no-sync").run();
        let socket = self.dir.display();
        let sync = if durable { "on" } else { "off" };
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{socket}'\n\
             max_connections = 300\nfsync = {sync}\nfull_page_writes = {sync}\n\
             log_min_messages = warning\n",
            self.port
        );
        let mut file =
            fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// Starts the server again after [`Cluster::stop`].
    pub fn resume(&self) {
        server_tool("pg_ctl")
            .args(["start", "-w", "-t", "120", "-s", "-D"])
            .arg(self.data())
            .arg("-l")
            .arg(self.log())
            .run();
    }

    /// Stops the server.
    pub fn stop(&self, how: Shutdown) {
        let mode = match how {
            Shutdown::Fast => "fast",
            Shutdown::Immediate => "immediate",
        };
        server_tool("pg_ctl")
            .args(["stop", "-w", "-t", "120", "-s", "-m", mode, "-D"])
            .arg(self.data())
            .run();
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database; returns its URL.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let url = self.url("postgres");
        let make = format!("CREATE DATABASE {name}");
        let mut psql = Tool { command: Command::new(tool_path("psql")) };
        psql = psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", &make]);
        psql.run();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://orch@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
    }
}

/// A command that has to succeed.
struct Tool {
    command: Command,
}

impl Tool {
    fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(args);
        self
    }

    fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    fn run(mut self) {
        self.command.current_dir("/").stdin(Stdio::null());
        // Not captured through a pipe: the server inherits it and would hold it open.
        let said = tempfile::tempfile().unwrap();
        self.command.stdout(said.try_clone().unwrap()).stderr(said.try_clone().unwrap());
        let status = self.command.status().unwrap();
        if !status.success() {
            let mut text = String::new();
            std::io::Seek::rewind(&mut &said).unwrap();
            std::io::Read::read_to_string(&mut &said, &mut text).unwrap();
            panic!("{:?} failed: {text}", self.command);
        }
    }
}

/// A tool of the server, which refuses to run as root: then it runs as the packages' own user.
fn server_tool(name: &str) -> Tool {
    let path = tool_path(name);
    let command = if server_user().is_some() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    Tool { command }
}

/// The user that the server runs as where this process is root's.
fn server_user() -> Option<(u32, u32)> {
    let id = |args: &[&str]| -> Option<u32> {
        let said = Command::new("id").args(args).output().unwrap();
        String::from_utf8_lossy(&said.stdout).trim().parse().ok()
    };
    (id(&["-u"]) == Some(0)).then(|| {
        let missing = "there is no user `postgres`: install the package postgresql";
        (id(&["-u", "postgres"]).expect(missing), id(&["-g", "postgres"]).expect(missing))
    })
}

/// Where a tool of PostgreSQL is: Debian keeps each version's in a folder of its own.
fn tool_path(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    let anywhere = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.exists())
    };
    found.pop().or_else(anywhere).unwrap_or_else(|| {
        panic!("{name} is not installed: these tests need the package postgresql")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_gone_with_its_handle() {
        let cluster = Cluster::start(false);
        let dir = cluster.dir.clone();
        assert!(cluster.database().ends_with("/test_0"));
        cluster.stop(Shutdown::Immediate);
        cluster.resume();
        assert!(cluster.database().ends_with("/test_1"));
        drop(cluster);
        assert!(!dir.exists());
    }
}
