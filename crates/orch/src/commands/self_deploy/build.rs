//! Builds a revision in a checkout that is kept for it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use orch_core::ids::Revision;
use orch_git::{BuildTree, Git};
use orch_launcher::Prefix;

use crate::env::Env;
use crate::exit::Stop;
use crate::output::plain;

/// What is built, from where, and how.
pub struct Build<'a> {
    /// The landed revision.
    pub revision: &'a Revision,
    /// A repository on this machine that has it.
    pub source: &'a Path,
    /// The build, for `sh -c`.
    pub command: &'a str,
    /// The program that the build makes, within the checkout.
    pub program: &'a Path,
}

impl Build<'_> {
    /// Builds; gives the program. Its output goes where the caller's does.
    pub fn run(&self, prefix: &Prefix, env: &Env) -> anyhow::Result<PathBuf> {
        let path = prefix.path().join("source");
        // A checkout may be large, and its history is fetched once.
        let tree = BuildTree::at(&Git::default(), &path, self.source, self.revision)?;
        let mut command = Command::new("sh");
        // What it builds is as trustworthy as its author: the service's own settings, which may hold
        // secrets, are not for it.
        for name in env.vars().keys() {
            command.env_remove(name);
        }
        let status = command
            .args(["-c", self.command])
            .current_dir(tree.path())
            .env("ORCH_REVISION", self.revision.as_str())
            .stdin(Stdio::null())
            .status()
            .map_err(|error| Stop::failed(format!("the build can't be started: {error}")))?;
        if !status.success() {
            return Err(Stop::failed(format!("the build ended with {status}"))
                .hint(format!("see its output; it was: {}", plain(self.command)))
                .into());
        }
        let program = tree.path().join(self.program);
        if !program.is_file() {
            return Err(Stop::failed(format!("the build made no {}", program.display()))
                .hint("say which program it makes: --program PATH")
                .into());
        }
        Ok(program)
    }
}
