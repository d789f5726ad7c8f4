//! Ends that only a process of its own can meet: a crash, a hang, a stubborn grandchild.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::script;

/// Where a stubborn process shows itself: it inherits the mark.
const MARK: &str = "ORCH_AGENTS_TEST_MARK";

fn spawn(root: &Path, steps: &[&str]) -> Child {
    fs::write(root.join("play.toml"), script(steps)).unwrap();
    Command::new(env!("CARGO_BIN_EXE_player-fixture"))
        .arg("play.toml")
        .current_dir(root)
        .env(MARK, root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{what} did not happen");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_crash_is_a_death_by_signal() {
    let root = tempfile::tempdir().unwrap();
    let mut child =
        spawn(root.path(), &["write = \"before\"", "crash = true", "write = \"after\""]);
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(6), "{status}");
    assert!(root.path().join("before").exists() && !root.path().join("after").exists());
}

#[test]
fn a_hang_lasts_until_it_is_ended() {
    let root = tempfile::tempdir().unwrap();
    let mut child = spawn(root.path(), &["write = \"before\"", "hang = true", "write = \"after\""]);
    until("the step before the hang", || root.path().join("before").exists().then_some(()));
    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert!(!root.path().join("after").exists());
}

/// A process that carries the mark and sleeps: its pid and session.
fn stubborn(root: &Path) -> Option<(u32, u32)> {
    let mark = format!("{MARK}={}", root.display());
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let read = |name: &str| fs::read(entry.path().join(name)).ok();
        let environment = read("environ")?;
        let marked = environment.split(|byte| *byte == 0).any(|item| item == mark.as_bytes());
        let stat = String::from_utf8_lossy(&read("stat")?).into_owned();
        // After the name in parentheses: state, parent, group, session.
        let (name, rest) = stat.rsplit_once(')')?;
        let session = rest.split_whitespace().nth(3)?.parse().ok()?;
        (marked && name.ends_with("(sleep")).then_some((pid, session))
    })
}

/// The signals that a process ignores, as the kernel has them: bit 0 is signal 1.
fn ignored(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

#[test]
fn a_stubborn_grandchild_outlives_the_agent_in_a_session_of_its_own() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let mut child = spawn(root.path(), &["spawn_stubborn = \"300s\""]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let (pid, session) = until("the stubborn process", || stubborn(root.path()));
    assert_eq!(session, pid, "it leads no session of its own");
    for (name, number) in [("HUP", 1), ("INT", 2), ("QUIT", 3), ("TERM", 15)] {
        assert_ne!(ignored(pid) & (1 << (number - 1)), 0, "it minds SIG{name}");
    }
    let kill = Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status().unwrap();
    assert!(kill.success());
    until("its end", || stubborn(root.path()).is_none().then_some(()));
}
