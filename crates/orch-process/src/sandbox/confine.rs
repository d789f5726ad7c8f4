//! A plan enforced on this very process by Landlock; all it starts inherits it.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath,
    PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope,
};

use super::cover::around;
use super::{Confinement, Network};
use crate::hide::drop_capabilities;

/// The rights that are asked for; a kernel that knows fewer enforces those it knows.
const WANTED: ABI = ABI::V6;
/// The least that has to be enforced: files, and the renaming of them between folders.
const NEEDED: ABI = ABI::V2;
/// The least for a network that is not all of it.
const NEEDED_FOR_NETWORK: ABI = ABI::V4;

/// Devices that programs expect to be able to write to.
const DEVICES: [&str; 9] =
    ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm"];

/// The version of the kernel's interface, as far as this program knows them.
pub(super) fn version() -> Result<u32, String> {
    let known = [ABI::V1, ABI::V2, ABI::V3, ABI::V4, ABI::V5, ABI::V6];
    let found = known.into_iter().take_while(|abi| knows(*abi)).count();
    if found >= 2 {
        return Ok(u32::try_from(found).unwrap_or(u32::MAX));
    }
    Err("the kernel has no usable Landlock (5.19 or later, with landlock among its `lsm=`)".into())
}

fn knows(abi: ABI) -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|set| match AccessNet::from_all(abi) {
            net if net.is_empty() => Ok(set),
            net => set.handle_access(net),
        })
        .and_then(|set| match Scope::from_all(abi) {
            scope if scope.is_empty() => Ok(set),
            scope => set.scope(scope),
        })
        .and_then(Ruleset::create)
        .is_ok()
}

/// Confines this process for good. `proxy` is the port on this machine that may be reached where
/// the plan allows some hosts only.
pub(super) fn confine(plan: &Confinement, proxy: Option<u16>) -> Result<(), String> {
    let words = |error: RulesetError| format!("Landlock: {error}");
    drop_capabilities();
    let mut set = ruleset(plan).map_err(words)?;
    allow_files(&mut set, plan);
    let set = match proxy {
        Some(port) => set.add_rule(NetPort::new(port, AccessNet::ConnectTcp)).map_err(words)?,
        None => set,
    };
    let status = set.restrict_self().map_err(words)?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err("Landlock: the kernel enforces nothing".to_owned());
    }
    Ok(())
}

fn ruleset(plan: &Confinement) -> Result<RulesetCreated, RulesetError> {
    let set = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))?;
    let set = if plan.network == Network::On {
        set
    } else {
        set.handle_access(AccessNet::from_all(NEEDED_FOR_NETWORK))?
    };
    set.set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()
}

fn allow_files(set: &mut RulesetCreated, plan: &Confinement) {
    let write = AccessFs::from_all(WANTED);
    let read = AccessFs::from_read(WANTED);
    let mut hidden = plan.hidden.clone();
    // Everybody's temporary files are as private as this run's.
    hidden.extend(["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from));
    let around = around(&hidden, &children);
    for path in around.iter().chain(&plan.readable) {
        allow(set, path, read);
    }
    let devices = DEVICES.map(|name| Path::new("/dev").join(name));
    for path in plan.writable.iter().chain([&plan.tmp]).chain(&devices) {
        allow(set, path, write);
    }
}

/// What can't be allowed, because it is not there or lies on a file system that knows no rules,
/// stays forbidden.
fn allow(set: &mut RulesetCreated, path: &Path, rights: BitFlags<AccessFs>) {
    let Ok(opened) = PathFd::new(path) else { return };
    let rights = if path.is_dir() { rights } else { rights & AccessFs::from_file(WANTED) };
    let _ = set.add_rule(PathBeneath::new(opened, rights));
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
