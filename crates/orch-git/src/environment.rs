//! What is pinned around every git command, and which inherited variables reach it.

use std::ffi::OsStr;

/// Settings that decide the meaning of commands; `-c` wins over every file.
pub(crate) const PINNED: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.autocrlf=false",
    "core.safecrlf=false",
    // The database names commits durably, so they have to be as durable: git by itself leaves
    // loose objects to the operating system. `batch` costs one flush a command.
    "core.fsync=committed,loose-object",
    "core.fsyncMethod=batch",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "push.followTags=false",
    "push.recurseSubmodules=no",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "rerere.enabled=false",
    "rebase.autoStash=false",
    "rebase.autoSquash=false",
    "rebase.updateRefs=false",
    "rebase.backend=merge",
    "merge.conflictStyle=merge",
    "merge.renames=true",
    "diff.ignoreSubmodules=none",
    "worktree.useRelativePaths=false",
    "protocol.file.allow=always",
    "init.defaultBranch=main",
    "i18n.logOutputEncoding=UTF-8",
    "color.ui=false",
    "advice.detachedHead=false",
    "advice.mergeConflict=false",
    "advice.skippedCherryPicks=false",
    "advice.addEmbeddedRepo=false",
    "advice.pushUpdateRejected=false",
];

/// Inherited `GIT_*` variables that are kept: how to reach and trust a remote. All others
/// (`GIT_DIR`, `GIT_INDEX_FILE`, traces, …) would bend commands to another repository.
const INHERITED: &[&str] = &[
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_ASKPASS",
    "GIT_EXEC_PATH",
    "GIT_TEMPLATE_DIR",
    "GIT_ALLOW_PROTOCOL",
];
const INHERITED_PREFIXES: &[&str] = &["GIT_CONFIG_", "GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_"];

/// Whether an inherited variable would bend commands.
pub(crate) fn is_foreign(key: &OsStr) -> bool {
    let Some(key) = key.to_str() else { return false };
    key.starts_with("GIT_")
        && !INHERITED.contains(&key)
        && !INHERITED_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
        || key == "GIT_CONFIG_PARAMETERS"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_point_elsewhere_are_dropped() {
        for (key, foreign) in [
            ("GIT_DIR", true),
            ("GIT_INDEX_FILE", true),
            ("GIT_TRACE", true),
            ("GIT_AUTHOR_DATE", true),
            ("GIT_CONFIG_PARAMETERS", true),
            ("GIT_CONFIG_GLOBAL", false),
            ("GIT_CONFIG_COUNT", false),
            ("GIT_SSH_COMMAND", false),
            ("GIT_SSL_CAINFO", false),
            ("HOME", false),
            ("GITHUB_TOKEN", false),
        ] {
            assert_eq!(is_foreign(OsStr::new(key)), foreign, "{key}");
        }
    }
}
