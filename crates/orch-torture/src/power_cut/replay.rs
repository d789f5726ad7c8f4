//! The replay: every chosen cut, several images of each, each looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use fastrand::Rng;

use super::check::{Fault, Harm, look};
use super::disk::{Disk, Flush, Image, Survives};
use super::history::{DATABASE, History};

/// What is to be replayed.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub history: &'a History,
    /// The moments, in order.
    pub cuts: &'a [usize],
    /// Images per cut that chance decides, beside the two that it does not.
    pub scrambles: u32,
    pub seed: u64,
    pub flush: Flush,
    /// Where images with faults are kept.
    pub keep: &'a Path,
    /// The most of them that are kept.
    pub keep_at_most: usize,
}

/// An image with faults.
#[derive(Debug)]
pub(super) struct Broken {
    pub cut: usize,
    pub image: u32,
    pub faults: Vec<Fault>,
    /// Where it lies; `None` where enough others were kept.
    pub kept: Option<PathBuf>,
}

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub images: u64,
    /// Writes in the cache at a cut, summed over the images: there whole, in part, not at all.
    pub kept_writes: u64,
    pub torn_writes: u64,
    pub dropped_writes: u64,
    /// Acknowledged operations looked for, summed over the images.
    pub checked: u64,
    /// By harm, how much of it was found.
    pub faults: BTreeMap<Harm, u64>,
    pub broken: Vec<Broken>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.images += other.images;
        self.kept_writes += other.kept_writes;
        self.torn_writes += other.torn_writes;
        self.dropped_writes += other.dropped_writes;
        self.checked += other.checked;
        for (harm, count) in other.faults {
            *self.faults.entry(harm).or_default() += count;
        }
        self.broken.extend(other.broken);
    }

    /// How much of that harm was found.
    pub(super) fn count(&self, harm: Harm) -> u64 {
        self.faults.get(&harm).copied().unwrap_or_default()
    }
}

/// Replays everything, on every core; `done` hears how many cuts are behind.
pub(super) fn replay(plan: &Plan<'_>, done: &(dyn Fn(usize) + Sync)) -> anyhow::Result<Tally> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = plan.cuts.len().div_ceil(cores).max(1);
    let behind = AtomicUsize::new(0);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let behind = &behind;
        let workers: Vec<_> = plan
            .cuts
            .chunks(share)
            .map(|cuts| scope.spawn(move || part(plan, cuts, behind, done)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            let part = worker.join().map_err(|_| anyhow::anyhow!("a replay panicked"))??;
            tally.add(part);
            anyhow::Ok(())
        })
    })?;
    tally.broken.sort_by_key(|broken| (broken.cut, broken.image));
    Ok(tally)
}

fn part(
    plan: &Plan<'_>,
    cuts: &[usize],
    behind: &AtomicUsize,
    done: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut disk = Disk::new(&plan.history.events, plan.flush);
    let scratch = tempfile::tempdir().context("cannot make a folder for images")?;
    for cut in cuts {
        disk.advance(*cut);
        let acked = plan.history.acks.iter().filter(|(since, _)| since <= cut);
        let acked: Vec<_> = acked.map(|(_, ack)| ack).collect();
        for number in 0..plan.scrambles + 2 {
            let survives = match number {
                0 => Survives::All,
                1 => Survives::Nothing,
                _ => Survives::Some,
            };
            let mut rng = Rng::with_seed(mix(plan.seed, *cut as u64, number.into()));
            let mut image = disk.cut(survives, &mut rng);
            if survives == Survives::Some && rng.bool() {
                image.files.insert(format!("{DATABASE}-shm"), stale(&mut rng));
            }
            let faults = within(&image, &scratch.path().join("image"), |file| look(file, &acked))?;
            tally.images += 1;
            tally.kept_writes += image.kept;
            tally.torn_writes += image.torn;
            tally.dropped_writes += image.dropped;
            tally.checked += acked.len() as u64;
            for fault in &faults {
                *tally.faults.entry(fault.harm).or_default() += 1;
            }
            if !faults.is_empty() {
                let mut broken = Broken { cut: *cut, image: number, faults, kept: None };
                if tally.broken.len() < plan.keep_at_most {
                    let folder = plan.keep.join(format!("cut-{cut}-image-{number}"));
                    image.write(&folder).context("cannot keep an image")?;
                    broken.kept = Some(folder);
                }
                tally.broken.push(broken);
            }
        }
        done(behind.fetch_add(1, Ordering::Relaxed) + 1);
    }
    Ok(tally)
}

/// An index to the log from before the cut: it is never flushed, so that anything may be in it.
fn stale(rng: &mut Rng) -> Vec<u8> {
    let mut content = vec![0; 32_768];
    rng.fill(&mut content);
    content
}

/// Looks at an image in a folder that is there only for that long.
fn within<T>(image: &Image, folder: &Path, look: impl FnOnce(&Path) -> T) -> anyhow::Result<T> {
    image.write(folder).context("cannot write an image")?;
    let seen = look(&folder.join(DATABASE));
    std::fs::remove_dir_all(folder).context("cannot remove an image")?;
    Ok(seen)
}

/// A seed for each image, so that one can be made again without the others.
fn mix(seed: u64, cut: u64, image: u64) -> u64 {
    let mut rng = Rng::with_seed(seed ^ cut.rotate_left(32) ^ image.rotate_left(56));
    rng.u64(..)
}
