//! Which names stand for which files of the database at a moment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{DATABASE, Inode};
use crate::power_cut::strace::{Call, descriptor, path};

/// The names in the database's folder.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The folder; `None` until the database was first opened.
    pub folder: Option<PathBuf>,
    names: BTreeMap<String, Inode>,
    made: Inode,
}

impl Files {
    /// Notes the folder when the database is made in it.
    pub(super) fn database(&mut self, path: &Path) {
        if self.folder.is_none() && path.file_name().is_some_and(|name| name == DATABASE) {
            self.folder = path.parent().map(Path::to_owned);
        }
    }

    /// The name of a file of the database. The index to the log (`-shm`) is none: it is memory,
    /// is never flushed, and every first opening builds it anew.
    pub(super) fn name(&self, path: &Path) -> Option<String> {
        let folder = self.folder.as_deref()?;
        let name = path.strip_prefix(folder).ok()?.to_str()?;
        (!name.is_empty() && !name.ends_with("-shm")).then(|| name.to_owned())
    }

    pub(super) fn inode(&self, name: &str) -> Option<Inode> {
        self.names.get(name).copied()
    }

    pub(super) fn create(&mut self, name: &str) -> Inode {
        let inode = self.made;
        self.made += 1;
        self.names.insert(name.to_owned(), inode);
        inode
    }

    pub(super) fn unlink(&mut self, name: &str) {
        self.names.remove(name);
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), String> {
        let inode = self.names.remove(from).ok_or_else(|| format!("{from} was never made"))?;
        self.names.insert(to.to_owned(), inode);
        Ok(())
    }
}

/// The one or two paths that an `unlink` or a `rename` names.
pub(super) fn targets(call: &Call) -> Result<Vec<PathBuf>, String> {
    match call.name.as_str() {
        "unlink" => Ok(vec![path(call.arg(0)?)?]),
        "rename" => Ok(vec![path(call.arg(0)?)?, path(call.arg(1)?)?]),
        "unlinkat" => Ok(vec![under(call, 0)?]),
        _ => Ok(vec![under(call, 0)?, under(call, 2)?]),
    }
}

/// A path that stands after the descriptor of the folder it begins in.
fn under(call: &Call, at: usize) -> Result<PathBuf, String> {
    let folder = descriptor(call.arg(at)?)?.path.unwrap_or_default();
    Ok(folder.join(path(call.arg(at + 1)?)?))
}

/// Every path that stands in a call's arguments.
pub(super) fn paths(call: &Call) -> Vec<PathBuf> {
    call.args.iter().filter_map(|arg| path(arg).ok()).collect()
}
