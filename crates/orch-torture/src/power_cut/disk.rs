//! A disk with a volatile cache, and what a power cut can leave of it.
//!
//! The model, per file: what the last completed flush covers is on the disk. Of every later write
//! each 512-byte sector is there or not, whatever becomes of its neighbours and in whatever
//! order; a sector that is there also holds what had been written to it before, as both passed
//! through one page of the cache. A file's length may run ahead of its data, which then reads as
//! zeros. Names change in order, as a journalling file system keeps them, up to any moment since
//! the folder was last flushed.

mod image;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::history::{Event, Inode};
pub(super) use image::{Image, Survives};

/// How the disk treats a flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flush {
    /// It does what it says.
    Honest,
    /// It says "done" and does nothing; its cache holds that many of the last events.
    Ignored { cache: usize },
}

/// The disk at one moment.
#[derive(Debug)]
pub(super) struct Disk<'a> {
    events: &'a [Event],
    flush: Flush,
    /// Events that have happened.
    at: usize,
    files: BTreeMap<Inode, File>,
    /// The names that are certainly on the disk.
    names: BTreeMap<String, Inode>,
    /// Changes of names since.
    pending: Vec<usize>,
}

#[derive(Debug, Default)]
struct File {
    /// What is certainly on the disk.
    synced: Vec<u8>,
    /// Writes and resizes since, as numbers of events.
    pending: Vec<usize>,
}

impl<'a> Disk<'a> {
    /// An empty disk to which those events will happen.
    pub(super) fn new(events: &'a [Event], flush: Flush) -> Self {
        let (files, names, pending) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { events, flush, at: 0, files, names, pending }
    }

    /// Goes on to the moment at which so many events have happened.
    pub(super) fn advance(&mut self, to: usize) {
        for index in self.at..to.min(self.events.len()) {
            match &self.events[index] {
                Event::Create { inode, .. } => {
                    self.files.entry(*inode).or_default();
                    self.pending.push(index);
                }
                Event::Unlink { .. } | Event::Rename { .. } => self.pending.push(index),
                Event::Write { inode, .. } | Event::Resize { inode, .. } => {
                    self.files.entry(*inode).or_default().pending.push(index);
                }
                Event::Sync { inode, covers } if self.flush == Flush::Honest => {
                    settle(self.events, self.files.entry(*inode).or_default(), *covers);
                }
                Event::SyncNames { covers } if self.flush == Flush::Honest => {
                    self.settle_names(*covers);
                }
                Event::Sync { .. } | Event::SyncNames { .. } => {}
            }
            if let Flush::Ignored { cache } = self.flush {
                let written_back = (index + 1).saturating_sub(cache);
                self.settle_names(written_back);
                for file in self.files.values_mut() {
                    settle(self.events, file, written_back);
                }
            }
        }
        self.at = self.at.max(to);
    }

    fn settle_names(&mut self, covers: usize) {
        let done = self.pending.partition_point(|index| *index < covers);
        for index in self.pending.drain(..done) {
            rename(&mut self.names, &self.events[index]);
        }
    }
}

/// What was pending before that event is on the disk from now on.
fn settle(events: &[Event], file: &mut File, covers: usize) {
    let done = file.pending.partition_point(|index| *index < covers);
    for index in file.pending.drain(..done) {
        match &events[index] {
            Event::Write { offset, data, .. } => put(&mut file.synced, *offset as usize, data),
            Event::Resize { size, .. } => file.synced.resize(*size as usize, 0),
            _ => {}
        }
    }
}

fn put(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

fn rename(names: &mut BTreeMap<String, Inode>, event: &Event) {
    match event {
        Event::Create { name, inode } => {
            names.insert(name.clone(), *inode);
        }
        Event::Unlink { name } => {
            names.remove(name);
        }
        Event::Rename { from, to } => {
            if let Some(inode) = names.remove(from) {
                names.insert(to.clone(), inode);
            }
        }
        _ => {}
    }
}
