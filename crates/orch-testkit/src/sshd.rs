//! A throwaway sshd on loopback, with keys and a user's configuration of its own; gone with the
//! test's process.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::until;

/// Runs the server, and ends it when the test's process is gone, however it went: its end of the
/// pipe closes.
const KEEPER: &str = r#"
/usr/sbin/sshd -D -e -f "$0/sshd_config" </dev/null >>"$0/log" 2>&1 &
server=$!
read -r _
kill "$server"
"#;

/// A running sshd that lets in the user of this process, by a key that only its own client
/// configuration names.
#[derive(Debug)]
pub struct Sshd {
    dir: tempfile::TempDir,
    port: u16,
    environment: Vec<(String, String)>,
    keeper: Option<Child>,
}

impl Sshd {
    /// Starts a server.
    ///
    /// # Panics
    /// When OpenSSH's server is not installed, or can't be started.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server whose sessions find these variables in their environment.
    ///
    /// # Panics
    /// When OpenSSH's server is not installed, or can't be started.
    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        assert!(
            Path::new("/usr/sbin/sshd").exists(),
            "there is no sshd: install the package openssh-server"
        );
        let dir = tempfile::Builder::new().prefix("orch-sshd-").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let environment =
            environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let mut sshd = Self { dir, port, environment, keeper: None };
        for key in ["host_key", "user_key", "other_key"] {
            let path = sshd.file(key);
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path));
        }
        fs::copy(sshd.file("user_key.pub"), sshd.file("authorized_keys")).unwrap();
        sshd.trust("host_key");
        sshd.configure_client("");
        sshd.resume();
        sshd
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the user's client is told: by this name a host key counts at any port.
    fn configure_client(&self, further: &str) {
        let shown = |name: &str| self.file(name).display().to_string();
        let config = format!(
            "{further}\nHost *\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  \
             HostKeyAlias orch-test\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n",
            shown("user_key"),
            shown("known_hosts"),
        );
        fs::write(self.config(), config).unwrap();
    }

    /// Has the client trust this key as the host's; `other_key` is one that the host has not.
    ///
    /// # Panics
    /// When the key can't be read.
    pub fn trust(&self, key: &str) {
        let public = fs::read_to_string(self.file(&format!("{key}.pub"))).unwrap();
        fs::write(self.file("known_hosts"), format!("orch-test {public}")).unwrap();
    }

    /// Has the client trust no key at all.
    ///
    /// # Panics
    /// When the file can't be written.
    pub fn trust_nobody(&self) {
        fs::write(self.file("known_hosts"), "").unwrap();
    }

    /// Lets the user's key in, or nobody's.
    ///
    /// # Panics
    /// When the file can't be written.
    pub fn let_in(&self, let_in: bool) {
        let key = if let_in { "user_key.pub" } else { "other_key.pub" };
        fs::copy(self.file(key), self.file("authorized_keys")).unwrap();
    }

    /// Has every session run this in place of what it asks for.
    ///
    /// # Panics
    /// When the file can't be written.
    pub fn force_command(&self, command: &str) {
        let key = fs::read_to_string(self.file("user_key.pub")).unwrap();
        let line = format!("command=\"{command}\" {key}");
        fs::write(self.file("authorized_keys"), line).unwrap();
    }

    /// The client's configuration, for `ssh -F`.
    pub fn config(&self) -> PathBuf {
        self.file("ssh_config")
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What reaches it, as `ssh_target`.
    pub fn target(&self) -> String {
        Self::target_at(self.port)
    }

    /// What reaches it through a proxy on this port.
    pub fn target_at(port: u16) -> String {
        format!("ssh://{}@127.0.0.1:{port}", user())
    }

    /// What the far side finds as `XDG_CACHE_HOME`.
    pub fn cache(&self) -> PathBuf {
        self.file("cache")
    }

    /// Where the far side keeps its runs.
    pub fn runs(&self) -> PathBuf {
        self.cache().join("orchestrator/runs")
    }

    /// The living processes of runs on the far side, whichever.
    ///
    /// # Panics
    /// When `/proc` can't be read.
    pub fn at_work(&self) -> Vec<u32> {
        let cache = format!("XDG_CACHE_HOME={}", self.cache().display());
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mut variables = environ.split(|byte| *byte == 0);
            let ours = variables.clone().any(|v| v == cache.as_bytes());
            ours && variables.any(|v| v.starts_with(b"ORCH_REMOTE_"))
        })
        .collect()
    }

    /// What the server said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// Stops the server; connections that are open stay so.
    pub fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            drop(keeper.wait());
            until("the port to be closed", || {
                TcpStream::connect(("127.0.0.1", self.port)).is_err().then_some(())
            });
        }
    }

    /// Starts the server again after [`Sshd::stop`].
    ///
    /// # Panics
    /// When it can't be started.
    pub fn resume(&mut self) {
        self.configure_server();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.keeper = Some(keeper);
        until("sshd to answer", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    fn configure_server(&self) {
        let shown = |name: &str| self.file(name).display().to_string();
        let cache = ("XDG_CACHE_HOME".to_owned(), shown("cache"));
        let variables: Vec<String> = std::iter::once(&cache)
            .chain(&self.environment)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let variables = variables.join(" ");
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintMotd no\n\
             SetEnv {variables}\nMaxStartups 100\n",
            self.port,
            shown("host_key"),
            shown("authorized_keys"),
        );
        fs::write(self.file("sshd_config"), config).unwrap();
        // The server wants it where it runs as root, and a bare machine has it only once the
        // system's own was started.
        let _ = fs::create_dir_all("/run/sshd");
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
    }
}

fn user() -> String {
    let said = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_lets_its_own_key_in_and_is_gone_with_its_handle() {
        let mut sshd = Sshd::start_with(&[("ORCH_TEST", "here")]);
        let ask = |sshd: &Sshd| {
            let mut ssh = Command::new("ssh");
            ssh.arg("-F").arg(sshd.config()).args(["-o", "BatchMode=yes", "--", &sshd.target()]);
            ssh.arg("echo $ORCH_TEST").output().unwrap()
        };
        assert_eq!(ask(&sshd).stdout, b"here\n", "{}", sshd.log());
        sshd.let_in(false);
        assert_eq!(ask(&sshd).status.code(), Some(255));
        sshd.let_in(true);
        sshd.stop();
        assert_eq!(ask(&sshd).status.code(), Some(255));
        sshd.resume();
        assert_eq!(ask(&sshd).stdout, b"here\n");
        let port = sshd.port();
        drop(sshd);
        until("the server to go", || {
            TcpStream::connect(("127.0.0.1", port)).is_err().then_some(())
        });
    }
}
