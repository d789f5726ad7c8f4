//! What is found on the disk after the cut.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use fastrand::Rng;

use super::{Disk, File, put, rename};
use crate::power_cut::history::Event;

/// The unit that a disk writes whole or not at all.
const SECTOR: usize = 512;
/// How likely a write survives, one of these per image: nearly nothing, half, nearly everything.
const KEPT: [f64; 4] = [0.1, 0.5, 0.9, 0.98];
/// How likely a write is torn.
const TORN: f64 = 0.3;

/// What survives of that which was not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Survives {
    /// Everything, in strict order: the cache was written back up to the cut.
    All,
    /// Nothing.
    Nothing,
    /// What chance leaves.
    Some,
}

/// The files after the cut.
#[derive(Debug, Default)]
pub(in super::super) struct Image {
    /// Each file's content by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Writes that had not been flushed and are there whole.
    pub kept: u64,
    /// Those that are there in part.
    pub torn: u64,
    /// Those that are not there.
    pub dropped: u64,
}

impl Image {
    /// Puts the files into a folder.
    pub(in super::super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        self.files.iter().try_for_each(|(name, data)| std::fs::write(folder.join(name), data))
    }
}

impl Disk<'_> {
    /// What a cut at this moment leaves.
    pub(in super::super) fn cut(&self, survives: Survives, rng: &mut Rng) -> Image {
        let mut names = self.names.clone();
        let known = match survives {
            Survives::All => self.pending.len(),
            Survives::Nothing => 0,
            Survives::Some => rng.usize(..=self.pending.len()),
        };
        self.pending[..known].iter().for_each(|index| rename(&mut names, &self.events[*index]));
        let kept = KEPT[rng.usize(..KEPT.len())];
        let mut image = Image::default();
        for (name, inode) in names {
            let Some(file) = self.files.get(&inode) else { continue };
            let mut cut = Cut { image: &mut image, rng, survives, kept };
            let content = cut.file(self.events, file);
            image.files.insert(name, content);
        }
        image
    }
}

struct Cut<'a> {
    image: &'a mut Image,
    rng: &'a mut Rng,
    survives: Survives,
    kept: f64,
}

/// A part of a write that lies within one sector: where, and its bytes.
type Part<'a> = (usize, &'a [u8]);

impl Cut<'_> {
    fn file(&mut self, events: &[Event], file: &File) -> Vec<u8> {
        let mut content = file.synced.clone();
        let mut longest = content.len();
        // What is still in the cache alone, by sector.
        let mut cached: HashMap<usize, Vec<Part<'_>>> = HashMap::new();
        for index in &file.pending {
            match &events[*index] {
                Event::Write { offset, data, .. } => {
                    let parts = parts(*offset as usize, data);
                    longest = longest.max(*offset as usize + data.len());
                    let fate = self.fate(parts.len());
                    for (part, stays) in parts.into_iter().zip(fate) {
                        let sector = part.0 / SECTOR;
                        let waiting = cached.entry(sector).or_default();
                        waiting.push(part);
                        if stays {
                            for (at, bytes) in waiting.drain(..) {
                                put(&mut content, at, bytes);
                            }
                        }
                    }
                }
                Event::Resize { size, .. } if self.stays() => {
                    content.resize(*size as usize, 0);
                    cached.retain(|sector, _| sector * SECTOR < content.len());
                    longest = content.len();
                }
                _ => {}
            }
        }
        if self.survives == Survives::Some && longest > content.len() && self.rng.bool() {
            content.resize(longest, 0);
        }
        content
    }

    fn stays(&mut self) -> bool {
        match self.survives {
            Survives::All => true,
            Survives::Nothing => false,
            Survives::Some => self.rng.f64() < self.kept,
        }
    }

    /// Which parts of a write stay.
    fn fate(&mut self, parts: usize) -> Vec<bool> {
        let torn = self.survives == Survives::Some && self.rng.f64() < TORN;
        let fate: Vec<bool> = if torn {
            (0..parts).map(|_| self.rng.bool()).collect()
        } else {
            vec![self.stays(); parts]
        };
        match fate.iter().filter(|stays| **stays).count() {
            0 => self.image.dropped += 1,
            whole if whole == parts => self.image.kept += 1,
            _ => self.image.torn += 1,
        }
        fate
    }
}

/// Cuts a write at the borders of sectors.
fn parts(offset: usize, data: &[u8]) -> Vec<Part<'_>> {
    let (mut found, mut at, mut rest) = (Vec::new(), offset, data);
    while !rest.is_empty() {
        let (part, after) = rest.split_at((SECTOR - at % SECTOR).min(rest.len()));
        found.push((at, part));
        at += part.len();
        rest = after;
    }
    found
}
