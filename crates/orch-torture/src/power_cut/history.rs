//! What happened to the database's files, in order: system calls into the events of a disk.
//!
//! The log's order is the order in which calls ended. A flush covers what had ended when it
//! *began*; an acknowledgement counts from the moment at which its own call began.

mod files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use super::ack::Ack;
use super::strace::{Call, bytes, descriptor, number};
use files::{Files, paths, targets};

/// A file's content, apart from its name: a name that is given anew is another file.
pub(super) type Inode = usize;

/// The database's own file; its folder is the one that is looked at.
pub(super) const DATABASE: &str = "orch.db";
/// Where the workload writes what was acknowledged.
pub(super) const JOURNAL: &str = "acknowledged.jsonl";

/// One thing that happened to the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A name stands for a new, empty file.
    Create { name: String, inode: Inode },
    /// A name is gone.
    Unlink { name: String },
    /// A name is another's now.
    Rename { from: String, to: String },
    /// Bytes were written.
    Write { inode: Inode, offset: u64, data: Vec<u8> },
    /// A file was cut or made longer.
    Resize { inode: Inode, size: u64 },
    /// A file was flushed: its events before number `covers` are on the disk.
    Sync { inode: Inode, covers: usize },
    /// The folder was flushed: its names as of event number `covers` are on the disk.
    SyncNames { covers: usize },
}

/// Everything that happened.
#[derive(Debug, Default)]
pub(super) struct History {
    /// In order.
    pub events: Vec<Event>,
    /// What was acknowledged, each with the number of events that had happened before.
    pub acks: Vec<(usize, Ack)>,
}

/// Builds the history call by call.
#[derive(Debug, Default)]
pub(super) struct Builder {
    history: History,
    /// The line on which each event's call ended.
    ended: Vec<usize>,
    files: Files,
}

/// Calls that could change a file in ways that the replay does not know.
const UNKNOWN: [&str; 9] = [
    "pwritev",
    "pwritev2",
    "writev",
    "fallocate",
    "copy_file_range",
    "sendfile",
    "sync_file_range",
    "link",
    "linkat",
];

impl Builder {
    /// Takes the next call.
    pub(super) fn call(&mut self, call: &Call) -> Result<(), String> {
        if !call.succeeded() {
            return Ok(());
        }
        match call.name.as_str() {
            "openat" | "open" | "creat" => self.open(call),
            "write" => self.append_or_refuse(call),
            "pwrite64" => self.write(call),
            "ftruncate" => self.resize(call),
            "fsync" | "fdatasync" => self.sync(call),
            "unlink" | "unlinkat" | "rename" | "renameat" | "renameat2" => self.names(call),
            "mmap" => self.map(call),
            "sync" | "syncfs" | "truncate" => {
                Err(format!("the replay does not know {}", call.name))
            }
            name if UNKNOWN.contains(&name) => self.refuse(call),
            name => Err(format!("a call that was not asked for: {name}")),
        }
    }

    /// What there is.
    pub(super) fn finish(self) -> Result<History, String> {
        if self.files.folder.is_none() {
            return Err(format!("nothing ever opened a {DATABASE}"));
        }
        Ok(self.history)
    }

    fn push(&mut self, call: &Call, event: Event) {
        self.history.events.push(event);
        self.ended.push(call.ended);
    }

    /// How many events had ended when that call began.
    fn before(&self, call: &Call) -> usize {
        self.ended.partition_point(|ended| *ended < call.began)
    }

    fn open(&mut self, call: &Call) -> Result<(), String> {
        let opened = descriptor(&call.returned)?;
        let Some(path) = opened.path else { return Ok(()) };
        let (flags, at) = match call.name.as_str() {
            "creat" => ("O_CREAT|O_TRUNC", 0),
            "open" => (call.arg(1)?, 0),
            _ => (call.arg(2)?, 1),
        };
        let has = |flag: &str| flags.split('|').any(|one| one == flag);
        if has("O_CREAT") {
            self.files.database(&path);
        }
        let Some(name) = self.files.name(&path) else { return Ok(()) };
        if has("O_SYNC") || has("O_DSYNC") || has("O_DIRECT") || opened.deleted {
            return Err(format!("{name} was opened in a way that the replay does not know"));
        }
        if has("O_CREAT") && self.files.inode(&name).is_none() {
            debug_assert!(call.arg(at).is_ok());
            let inode = self.files.create(&name);
            self.push(call, Event::Create { name: name.clone(), inode });
        }
        if has("O_TRUNC") {
            let inode = self.inode(&name)?;
            self.push(call, Event::Resize { inode, size: 0 });
        }
        Ok(())
    }

    /// The file that a call's first argument stands for; `None` where it is none of the
    /// database's, or has lost its name, so that no cut can bring it back.
    fn file(&self, call: &Call) -> Result<Option<Inode>, String> {
        let target = descriptor(call.arg(0)?)?;
        let Some(path) = target.path.filter(|_| !target.deleted) else { return Ok(None) };
        self.files.name(&path).map(|name| self.inode(&name)).transpose()
    }

    fn inode(&self, name: &str) -> Result<Inode, String> {
        let inode = self.files.inode(name);
        inode.ok_or_else(|| format!("{name} was used and never made: was it there before?"))
    }

    fn write(&mut self, call: &Call) -> Result<(), String> {
        let Some(inode) = self.file(call)? else { return Ok(()) };
        let (data, offset) = (written(call)?, number(call.arg(3)?)?);
        self.push(call, Event::Write { inode, offset, data });
        Ok(())
    }

    /// A plain `write` is an acknowledgement, or nothing that concerns the database.
    fn append_or_refuse(&mut self, call: &Call) -> Result<(), String> {
        let target = descriptor(call.arg(0)?)?;
        if target.path.as_deref().is_some_and(|path| path.ends_with(JOURNAL)) {
            let ack = serde_json::from_slice(&written(call)?)
                .map_err(|error| format!("an acknowledgement that can't be read: {error}"))?;
            let before = self.before(call);
            self.history.acks.push((before, ack));
            return Ok(());
        }
        self.refuse(call)
    }

    fn resize(&mut self, call: &Call) -> Result<(), String> {
        let Some(inode) = self.file(call)? else { return Ok(()) };
        let size = number(call.arg(1)?)?;
        self.push(call, Event::Resize { inode, size });
        Ok(())
    }

    fn sync(&mut self, call: &Call) -> Result<(), String> {
        let covers = self.before(call);
        let target = descriptor(call.arg(0)?)?.path;
        if target.is_some() && target == self.files.folder {
            self.push(call, Event::SyncNames { covers });
        } else if let Some(inode) = self.file(call)? {
            self.push(call, Event::Sync { inode, covers });
        }
        Ok(())
    }

    fn names(&mut self, call: &Call) -> Result<(), String> {
        let paths: Vec<PathBuf> = targets(call)?;
        let names: Vec<Option<String>> = paths.iter().map(|path| self.files.name(path)).collect();
        match names.as_slice() {
            [Some(name)] => {
                self.files.unlink(name);
                self.push(call, Event::Unlink { name: name.clone() });
            }
            [Some(from), Some(to)] => {
                self.files.rename(from, to)?;
                self.push(call, Event::Rename { from: from.clone(), to: to.clone() });
            }
            [None] | [None, None] => {}
            _ => return Err(format!("a file went into or out of the folder: {:?}", call.args)),
        }
        Ok(())
    }

    /// A writable shared mapping changes a file without any call.
    fn map(&self, call: &Call) -> Result<(), String> {
        if !(call.arg(2)?.contains("PROT_WRITE") && call.arg(3)?.contains("MAP_SHARED")) {
            return Ok(());
        }
        match descriptor(call.arg(4)?)?.path.and_then(|path| self.files.name(&path)) {
            Some(name) => Err(format!("{name} is mapped for writing: the replay would miss it")),
            None => Ok(()),
        }
    }

    fn refuse(&self, call: &Call) -> Result<(), String> {
        let ours = |path: &Path| self.files.name(path).is_some();
        for arg in &call.args {
            if descriptor(arg).is_ok_and(|found| found.path.as_deref().is_some_and(ours)) {
                return Err(format!("the replay does not know what {} does to {arg}", call.name));
            }
        }
        for path in paths(call) {
            if ours(&path) {
                return Err(format!(
                    "the replay does not know {} of {}",
                    call.name,
                    path.display()
                ));
            }
        }
        Ok(())
    }
}

/// The bytes that a call did write, which may be fewer than it was given.
fn written(call: &Call) -> Result<Vec<u8>, String> {
    let mut data = bytes(call.arg(1)?)?;
    let wanted = number(call.arg(2)?)?;
    if data.len() as u64 != wanted {
        return Err(format!("{} bytes of {wanted} are in the log", data.len()));
    }
    data.truncate(number(&call.returned)? as usize);
    Ok(data)
}
