//! SIGKILL, SIGSTOP and SIGCONT.

use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;

use super::hold;
use crate::chaos::bed::Bed;
use crate::chaos::processes::{Kind, Process};

/// A process of this kind, chosen at random; `None` where there is none at the moment.
pub fn choose(bed: &Bed, rng: &mut Rng, kind: Kind) -> Option<Process> {
    let mut found: Vec<Process> =
        bed.processes().into_iter().filter(|process| process.kind == kind).collect();
    // The order of /proc is not the seed's doing.
    found.sort_by_key(|process| process.pid);
    (!found.is_empty()).then(|| found.swap_remove(rng.usize(0..found.len())))
}

/// Kills a process of this kind, an agent by turns alone and with its descendants; false where
/// there was none.
pub fn kill(bed: &Bed, rng: &mut Rng, kind: Kind) -> bool {
    let Some(process) = choose(bed, rng, kind) else { return false };
    if kind == Kind::Agent && rng.bool() {
        let family = bed.processes().into_iter().filter(|other| other.mark == process.mark);
        return family.filter(|other| other.signal(Signal::KILL)).count() > 0;
    }
    process.signal(Signal::KILL)
}

/// Lets a stopped process lie for some time, and go on.
pub fn lie(process: &Process, lasts: Duration, stop: &dyn Fn() -> bool) {
    hold(lasts, stop);
    process.signal(Signal::CONT);
}
