//! The one place that knows ssh's command line.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_core::remote::SshTarget;
use orch_core::settings::Ssh;
use serde::{Deserialize, Serialize};

/// How a machine is reached: everything that ssh is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The machine.
    pub target: SshTarget,
    /// ssh's configuration file; `None` means the user's and the system's.
    pub config: Option<PathBuf>,
    /// The socket of the shared connection; `None` where its path would be too long for one.
    pub control: Option<PathBuf>,
    /// Whole seconds that a connection may take to be made.
    pub connect_s: u64,
    /// Whole seconds after which a silent connection is asked whether it lives.
    pub keep_alive_s: u64,
}

/// How a connection stands to the shared one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Uses it where it is there.
    Use,
    /// Makes it where it is not there, and leaves it open.
    Make,
    /// Has nothing to do with it: it may be the one that hangs.
    Apart,
}

/// How long the shared connection stays open without anybody using it; longer than from one look at
/// the channel to the next, which makes it anew.
const PERSIST_S: u64 = 6 * 60;
/// The longest path of a socket, less what ssh appends while it makes one.
const SOCKET_PATH: usize = 108 - 20;

impl Client {
    /// How a machine is reached by these settings; `room` is a private folder for the sockets of
    /// shared connections.
    pub fn new(target: &SshTarget, settings: &Ssh, room: &Path) -> Self {
        let mut hasher = DefaultHasher::new();
        (target, &settings.config).hash(&mut hasher);
        let control = room.join(format!("{:016x}", hasher.finish()));
        Self {
            target: target.clone(),
            config: settings.config.as_ref().map(PathBuf::from),
            control: Some(control).filter(|path| path.as_os_str().len() <= SOCKET_PATH),
            connect_s: whole_seconds(settings.connect_timeout),
            keep_alive_s: whole_seconds(settings.keep_alive),
        }
    }

    /// The arguments of ssh that run `command` in the user's login shell there.
    pub(super) fn arguments(&self, share: Share, command: &str) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        if let Some(config) = &self.config {
            arguments.extend(["-F".into(), config.into()]);
        }
        for option in self.options(share) {
            arguments.extend(["-o".into(), option]);
        }
        if let Some(port) = self.target.port() {
            arguments.extend(["-p".into(), port.to_string().into()]);
        }
        if let Some(user) = self.target.user() {
            arguments.extend(["-l".into(), user.into()]);
        }
        arguments.extend(["-T".into(), "--".into(), self.target.host().into(), command.into()]);
        arguments
    }

    /// The arguments of ssh that have the shared connection take no more users; those it has keep
    /// it. `None` where there is none.
    pub(super) fn retire(&self) -> Option<Vec<OsString>> {
        let control = self.control.as_ref().filter(|path| path.exists())?;
        let mut path = OsString::from("ControlPath=");
        path.push(control);
        let host = self.target.host().into();
        Some(
            ["-F", "none", "-O", "stop", "-o"]
                .map(OsString::from)
                .into_iter()
                .chain([path, "--".into(), host])
                .collect(),
        )
    }

    /// What is given here wins over the user's configuration. Nobody is asked anything, no key is
    /// taken on trust, nothing is forwarded.
    fn options(&self, share: Share) -> Vec<OsString> {
        let mut options: Vec<OsString> = [
            "BatchMode=yes",
            "StrictHostKeyChecking=yes",
            "UpdateHostKeys=no",
            "ConnectionAttempts=1",
            "ServerAliveCountMax=3",
            "TCPKeepAlive=yes",
            "RequestTTY=no",
            "EscapeChar=none",
            "LogLevel=INFO",
            "RemoteCommand=none",
            "PermitLocalCommand=no",
            "ForwardAgent=no",
            "ForwardX11=no",
            "ClearAllForwardings=yes",
        ]
        .map(OsString::from)
        .into();
        options.push(format!("ConnectTimeout={}", self.connect_s).into());
        options.push(format!("ServerAliveInterval={}", self.keep_alive_s).into());
        let control = self.control.as_ref().filter(|_| share != Share::Apart);
        match control {
            Some(path) => {
                let mut option = OsString::from("ControlPath=");
                option.push(path);
                options.push(option);
            }
            None => options.push("ControlPath=none".into()),
        }
        if share == Share::Make && control.is_some() {
            options.push("ControlMaster=auto".into());
            options.push(format!("ControlPersist={PERSIST_S}").into());
        } else {
            options.push("ControlMaster=no".into());
            options.push("ControlPersist=no".into());
        }
        options
    }

    /// The longest that a call of some moments' work may take.
    pub(super) fn patience(&self, work: Duration) -> Duration {
        Duration::from_secs(self.connect_s) + work
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(target: &str, config: Option<&str>, room: &str) -> Client {
        let settings = Ssh {
            config: config.map(str::to_owned),
            connect_timeout: Duration::from_millis(9500),
            keep_alive: Duration::from_secs(15),
            reattach: Duration::ZERO,
        };
        Client::new(&SshTarget::new(target).unwrap(), &settings, Path::new(room))
    }

    fn shown(arguments: &[OsString]) -> String {
        arguments.iter().map(|a| a.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_command_line_pins_everything_and_ends_the_options_before_the_host() {
        let client = client("ssh://deploy@staging:2222", Some("/etc/orch/ssh"), "/h/ssh");
        let line = shown(&client.arguments(Share::Use, "exec sh"));
        assert!(
            line.starts_with("-F /etc/orch/ssh -o BatchMode=yes -o StrictHostKeyChecking=yes ")
        );
        assert!(line.ends_with(" -p 2222 -l deploy -T -- staging exec sh"), "{line}");
        assert!(line.contains("ConnectTimeout=10 ") && line.contains("ControlMaster=no"));
        assert!(line.contains("ControlPath=/h/ssh/"), "{line}");
        let made = shown(&client.arguments(Share::Make, "x"));
        assert!(made.contains("ControlMaster=auto") && made.contains("ControlPersist=360"));
        let apart = shown(&client.arguments(Share::Apart, "x"));
        assert!(apart.contains("ControlPath=none") && apart.contains("ControlMaster=no"));
    }

    #[test]
    fn each_target_has_a_socket_of_its_own_and_a_long_path_has_none() {
        let one = client("a@host", None, "/h");
        assert_eq!(one.control, client("a@host", None, "/h").control);
        assert_ne!(one.control, client("b@host", None, "/h").control);
        assert_ne!(one.control, client("a@host", Some("/x"), "/h").control);
        let long = client("a@host", None, &format!("/{}", "h".repeat(90)));
        assert_eq!(long.control, None);
        assert!(shown(&long.arguments(Share::Make, "x")).contains("ControlPath=none"));
    }
}
