//! An origin for a repository that has no remote: a bare copy in the state directory. The user's
//! own repository is only read.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use orch_core::ids::RepoName;
use orch_git::Git;
use orch_git::checkout::{self, CheckoutInfo};

use crate::env::Env;
use crate::exit::Stop;
use crate::local;

/// A bare repository that stands in for a remote.
#[derive(Debug)]
pub struct Origin {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was made just now.
    pub fresh: bool,
}

/// Names the checkout that a bare copy was made from, so that two repositories of one name never
/// share an origin.
const MARK: &str = "orch-checkout";

/// Makes the origin, or finds the one made before.
pub fn ensure(
    env: &Env,
    git: &Git,
    info: &CheckoutInfo,
    name: &RepoName,
) -> anyhow::Result<Origin> {
    let path = local::home(env)?.path().join("origins").join(format!("{name}.git"));
    let mark = path.join(MARK);
    let own = info.root.display().to_string();
    let fresh = !path.exists();
    if !fresh {
        let marked = fs::read_to_string(&mark).ok();
        // Without a mark an earlier call may have been cut off; then the copies are still equal.
        let ours = match marked {
            Some(marked) => marked.trim_end_matches('\n') == own,
            None => checkout::inspect(git, &path)?.head == info.head,
        };
        if !ours {
            let what = format!("{} is the origin of another repository", path.display());
            return Err(Stop::failed(what)
                .hint("give this one a name of its own: orch init --name NAME")
                .into());
        }
    }
    checkout::create_bare_from(git, &info.root, &path)?;
    fs::write(&mark, format!("{own}\n"))
        .with_context(|| format!("{} can't be written", mark.display()))?;
    Ok(Origin { path, fresh })
}
