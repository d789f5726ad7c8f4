//! What this program was built from.

/// The revision; `None` where the build did not know it.
pub const REVISION: Option<&str> = {
    let revision = env!("ORCH_BUILD_REVISION");
    if revision.is_empty() { None } else { Some(revision) }
};

/// Version and revision, as `orch --version` says them.
pub const VERSION: &str = env!("ORCH_BUILD_VERSION");
