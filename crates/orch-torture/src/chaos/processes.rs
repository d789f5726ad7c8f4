//! The processes of the bed, found in `/proc` by what they carry of its root, and signals to
//! exactly the process that was found.

use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Serialize;

/// What a process is in the house. A new kind of process is one more line here and in [`kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `orch serve`.
    Service,
    /// `orch worker`.
    Worker,
    /// `orch run-supervisor`.
    Supervisor,
    /// An agent or a runner's command, or a descendant of it.
    Agent,
    /// Something else of ours: git, a shell.
    Other,
}

impl Kind {
    /// The word in figures.
    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Worker => "worker",
            Self::Supervisor => "supervisor",
            Self::Agent => "agent",
            Self::Other => "other",
        }
    }
}

/// A living process of the bed.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its id as this program sees it.
    pub pid: u32,
    /// What it is.
    pub kind: Kind,
    /// The last argument of its command line: of a supervisor its run's directory.
    pub last_argument: String,
    /// The run it belongs to, by the mark in its environment; `None` where it carries none.
    pub mark: Option<String>,
    start_time: u64,
}

impl Process {
    /// Sends a signal to this very process; false where it is gone.
    pub fn signal(&self, signal: Signal) -> bool {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return false };
        let Ok(held) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
        // The pid may have been given to somebody else before it was held.
        self.is_there() && pidfd_send_signal(&held, signal).is_ok()
    }

    /// Whether it still lives.
    pub fn is_there(&self) -> bool {
        start_time(self.pid) == Some(self.start_time)
    }
}

/// Every living process that carries `root` in its command line, environment or directory, this
/// program excepted.
pub fn ours(root: &Path) -> Vec<Process> {
    let root = root.as_os_str().as_encoded_bytes();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != std::process::id()).filter_map(|pid| look(pid, root)).collect()
}

fn look(pid: u32, root: &[u8]) -> Option<Process> {
    let dir = format!("/proc/{pid}");
    let start_time = start_time(pid)?;
    let line = std::fs::read(format!("{dir}/cmdline")).ok()?;
    let environment = std::fs::read(format!("{dir}/environ")).unwrap_or_default();
    let place = std::fs::read_link(format!("{dir}/cwd")).unwrap_or_default();
    let carries = |bytes: &[u8]| bytes.windows(root.len()).any(|window| window == root);
    if !carries(&line) && !carries(&environment) && !carries(place.as_os_str().as_encoded_bytes()) {
        return None;
    }
    let arguments: Vec<String> = line
        .split(|byte| *byte == 0)
        .filter(|argument| !argument.is_empty())
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect();
    let mark = environment.split(|byte| *byte == 0).find_map(|variable| {
        let value = variable.strip_prefix(orch_process::MARK.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    });
    let kind = kind(&arguments, mark.is_some());
    let last_argument = arguments.last().cloned().unwrap_or_default();
    Some(Process { pid, kind, last_argument, mark, start_time })
}

fn kind(arguments: &[String], marked: bool) -> Kind {
    let program = arguments.first().and_then(|path| path.rsplit('/').next());
    match (program, arguments.get(1).map(String::as_str)) {
        (Some("orch"), Some("serve")) => Kind::Service,
        (Some("orch"), Some("worker")) => Kind::Worker,
        (Some("orch"), Some("run-supervisor")) => Kind::Supervisor,
        _ if marked => Kind::Agent,
        _ => Kind::Other,
    }
}

/// When a living process began, in clock ticks since the boot; `None` where it is gone or a zombie.
fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let mut fields = stat.get(stat.rfind(')')? + 2..)?.split(' ');
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// The pid of a process in the innermost namespace it lives in.
pub fn inner_pid(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace().next_back()?.parse().ok()
}

/// The children of a process.
pub fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_from_command_line_and_mark() {
        let arguments = |line: &str| line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
        for (line, marked, expected) in [
            ("/x/orch serve", false, Kind::Service),
            ("/x/orch worker --label a", false, Kind::Worker),
            ("/x/orch run-supervisor /home/runs/r", false, Kind::Supervisor),
            ("sh step.sh", true, Kind::Agent),
            ("git fetch", false, Kind::Other),
        ] {
            assert_eq!(kind(&arguments(line), marked), expected, "{line}");
        }
    }

    #[test]
    fn a_process_is_found_by_its_directory_and_ended() {
        let root = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("600")
            .current_dir(root.path())
            .spawn()
            .unwrap();
        // Between fork and exec it stands in this program's directory.
        let found = orch_testkit::until("the child", || ours(root.path()).pop());
        assert_eq!((found.pid, found.kind), (child.id(), Kind::Other));
        assert!(found.signal(Signal::KILL));
        child.wait().unwrap();
        assert!(!found.signal(Signal::KILL));
        assert!(ours(root.path()).is_empty());
    }
}
