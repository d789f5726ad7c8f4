//! A plan as the command line of bubblewrap. Pure but for the question what stands at a path.

use std::path::{Path, PathBuf};

use super::{Confinement, Network};

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Nothing that could be hidden or shown.
    Nothing,
    /// A file, a socket, a device.
    File,
    /// A folder.
    Folder,
}

impl Stands {
    /// Looks, through links.
    pub fn at(path: &Path) -> Self {
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => Self::Folder,
            Ok(_) => Self::File,
            Err(_) => Self::Nothing,
        }
    }
}

/// How one path is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    Hidden,
    Readable,
    Writable,
}

/// The command line that runs `argv` in `cwd` under this plan.
pub fn command(plan: &Confinement, cwd: &Path, argv: &[String]) -> Vec<String> {
    build(plan, cwd, argv, &Stands::at)
}

fn build(
    plan: &Confinement,
    cwd: &Path,
    argv: &[String],
    stands: &dyn Fn(&Path) -> Stands,
) -> Vec<String> {
    let mut line: Vec<String> = vec!["bwrap".to_owned()];
    let mut say = |words: &[&str]| line.extend(words.iter().map(|word| (*word).to_owned()));
    say(&["--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-cgroup-try"]);
    say(&["--cap-drop", "ALL"]);
    if plan.network != Network::On {
        say(&["--unshare-net"]);
    }
    say(&["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]);
    say(&["--bind", &text(&plan.tmp), "/tmp", "--tmpfs", "/var/tmp"]);
    for (path, shown) in in_order(plan) {
        let path_text = text(&path);
        match (shown, stands(&path)) {
            (_, Stands::Nothing) => {}
            (Shown::Hidden, Stands::Folder) => say(&["--tmpfs", &path_text]),
            (Shown::Hidden, Stands::File) => say(&["--ro-bind", "/dev/null", &path_text]),
            (Shown::Readable, _) => say(&["--ro-bind", &path_text, &path_text]),
            (Shown::Writable, _) => say(&["--bind", &path_text, &path_text]),
        }
    }
    say(&["--chdir", &text(cwd), "--"]);
    line.extend(argv.iter().cloned());
    line
}

/// Outer paths first, so that an inner one has the last word; of the same path, what allows more.
fn in_order(plan: &Confinement) -> Vec<(PathBuf, Shown)> {
    let all = [
        (&plan.hidden, Shown::Hidden),
        (&plan.readable, Shown::Readable),
        (&plan.writable, Shown::Writable),
    ];
    let mut paths: Vec<(PathBuf, Shown)> = all
        .into_iter()
        .flat_map(|(paths, shown)| paths.iter().map(move |path| (path.clone(), shown)))
        .collect();
    paths.sort_by_key(|(path, shown)| (path.components().count(), path.clone(), *shown));
    paths.dedup();
    paths
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_paths_have_the_last_word() {
        let plan = Confinement {
            writable: vec!["/home/ann/state/worktrees/A-1".into()],
            readable: vec!["/home/ann/.cargo/bin".into(), "/home/ann/state/gone".into()],
            hidden: vec!["/home/ann/state".into(), "/etc/shadow".into(), "/home/ann".into()],
            tmp: "/home/ann/state/runs/r/tmp".into(),
            network: Network::Off,
        };
        let stands = |path: &Path| match path.to_str() {
            Some("/etc/shadow") => Stands::File,
            Some("/home/ann/state/gone") => Stands::Nothing,
            Some(_) | None => Stands::Folder,
        };
        let argv = ["sh", "-c", "x"].map(str::to_owned);
        let line = build(&plan, Path::new("/w"), &argv, &stands).join(" ");
        let expected = "--bind /home/ann/state/runs/r/tmp /tmp --tmpfs /var/tmp \
             --ro-bind /dev/null /etc/shadow --tmpfs /home/ann --tmpfs /home/ann/state \
             --ro-bind /home/ann/.cargo/bin /home/ann/.cargo/bin \
             --bind /home/ann/state/worktrees/A-1 /home/ann/state/worktrees/A-1 \
             --chdir /w -- sh -c x";
        assert!(line.ends_with(expected), "{line}");
        assert!(line.contains("--unshare-net"));
    }
}
