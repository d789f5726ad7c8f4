//! Keeps what a process was started with from the eyes of others.

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

/// From here on other processes of the same user can't read this one's environment and memory:
/// the API token stands there, and agents may run as the same user. A core dump is not written
/// either. Does nothing against root.
pub fn hide_environment() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        eprintln!("orch: the environment can't be hidden from other processes: {error}");
    }
}

/// Takes from this process, and from all it starts, what root could use to get around a sandbox.
/// Whoever is not root has none of it and is refused, which is as good.
pub(crate) fn drop_capabilities() {
    for capability in CapabilitySet::all().iter() {
        let _ = remove_capability_from_bounding_set(capability);
    }
}
