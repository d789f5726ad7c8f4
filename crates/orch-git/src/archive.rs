//! The files of a revision as a tar archive, for a machine without the repository.

use std::path::Path;

use orch_core::ids::Revision;

use crate::error::Result;
use crate::files;
use crate::objects::Objects;

/// An archive is the revision's own tree: what a repository leaves out of its releases, such as its
/// tests, or rewrites in them, is kept as it is. Only this file has more weight than the
/// repository's own attributes.
const EXACT: &str = "* -export-ignore -export-subst\n";

impl Objects {
    /// Writes the files of a revision as a tar archive, line ends and filters applied as in a
    /// checkout. Submodules are empty folders.
    pub fn archive(&self, rev: &Revision, to: &Path) -> Result<()> {
        let attributes = self.git_dir().join("info/attributes");
        if std::fs::read_to_string(&attributes).ok().as_deref() != Some(EXACT) {
            files::make_folder(&self.git_dir().join("info"))?;
            files::write(&attributes, EXACT)?;
        }
        let output = format!("--output={}", to.display());
        self.bare().args(["archive", "--format=tar", &output, rev.as_str()]).ok().map(drop)
    }
}
