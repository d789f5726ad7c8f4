//! Files that are whole or absent: atomic replacement, exclusive creation with content, and reads
//! that are bounded and never block, whatever stands at the path.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The most a state file may hold. The largest is `exit.json`: two tails of 64 KiB, each byte
/// escaped to six in the worst case.
pub(crate) const STATE_FILE_BYTES: u64 = 2 << 20;

/// What a file has to outlive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlives {
    /// The process that wrote it: the system keeps it, and nothing waits for the disk.
    Writer,
    /// The machine's power.
    PowerCut,
}

/// Writes a file so that it has its old content or the new one after a crash at any point, of the
/// machine too.
pub fn write_atomic(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, Outlives::PowerCut)?;
    sync_dir(folder_of(path))
}

/// Writes a file that other processes see whole or not at all, whenever this one is killed. A power
/// cut may leave anything in its place: for what speaks only to processes that it ends as well.
pub fn publish(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, Outlives::Writer)
}

/// Creates a file with its content in one step; false if something is there already. The caller
/// makes the entry durable with [`sync_dir`].
pub fn create_exclusive(path: &Path, content: &[u8]) -> io::Result<bool> {
    create(path, content, Outlives::PowerCut)
}

/// The same for a file as [`publish`] writes it.
pub(crate) fn publish_exclusive(path: &Path, content: &[u8]) -> io::Result<bool> {
    create(path, content, Outlives::Writer)
}

fn replace(path: &Path, content: &[u8], outlives: Outlives) -> io::Result<()> {
    let temporary = write_temporary(path, content, outlives)?;
    std::fs::rename(&temporary, path).inspect_err(|_| discard(&temporary))
}

fn create(path: &Path, content: &[u8], outlives: Outlives) -> io::Result<bool> {
    let temporary = write_temporary(path, content, outlives)?;
    let linked = std::fs::hard_link(&temporary, path);
    discard(&temporary);
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the entries of a directory durable.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The content of a state file; `None` if it is absent. Anything but a regular file of a sensible
/// size is an error.
pub(crate) fn read_state(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(invalid("is not a regular file"));
    }
    if metadata.len() > STATE_FILE_BYTES {
        return Err(invalid("is larger than any file of its kind can be"));
    }
    let mut content = Vec::with_capacity(metadata.len() as usize);
    file.take(STATE_FILE_BYTES).read_to_end(&mut content)?;
    Ok(Some(content))
}

/// Reads and parses a JSON state file; `None` if it is absent.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match read_state(path)? {
        Some(content) => Ok(Some(serde_json::from_slice(&content)?)),
        None => Ok(None),
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Left-over temporary files do no harm, so a failure to remove one is no error.
fn discard(temporary: &Path) {
    let _ = std::fs::remove_file(temporary);
}

/// A file beside `path`, under a name that nobody else uses.
fn write_temporary(path: &Path, content: &[u8], outlives: Outlives) -> io::Result<PathBuf> {
    let (temporary, mut file) = open_temporary(path)?;
    let written = file.write_all(content).and_then(|()| match outlives {
        Outlives::Writer => Ok(()),
        Outlives::PowerCut => file.sync_all(),
    });
    match written {
        Ok(()) => Ok(temporary),
        Err(error) => {
            discard(&temporary);
            Err(error)
        }
    }
}

fn open_temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary =
            folder_of(path).join(format!(".{name}.{}-{number}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusive_creation_has_one_winner_and_keeps_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claim");
        assert!(create_exclusive(&path, b"first").unwrap());
        assert!(!create_exclusive(&path, b"second").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "temporary files are left: {names:?}");
    }

    #[test]
    fn odd_things_at_a_state_path_are_errors_and_do_not_block() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        assert!(read_state(&at("absent")).unwrap().is_none());
        std::fs::create_dir(at("folder")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("link")).unwrap();
        File::create(at("huge")).unwrap().set_len(STATE_FILE_BYTES + 1).unwrap();
        for name in ["folder", "fifo", "link", "huge"] {
            assert!(read_state(&at(name)).is_err(), "{name} was read");
        }
        std::fs::write(at("torn"), b"{\"pid\":").unwrap();
        assert!(read_json::<serde_json::Value>(&at("torn")).is_err());
    }
}
