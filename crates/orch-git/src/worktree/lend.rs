//! A git directory of a run's own (S6): a confined agent commits into it, and can reach neither the
//! mirror's configuration nor any other branch. What it committed on top of the task's branch is
//! taken over afterwards, checked object by object.

use std::fs;
use std::path::Path;

use orch_core::ids::Revision;

use crate::command::Place;
use crate::error::{GitError, Result};
use crate::worktree::Worktree;
use crate::{files, parse};

/// Where what was taken over stands for a moment.
const TAKEN: &str = "refs/orch/taken";

/// Where the service writes within a lent directory. A link that a run left in place of one would
/// lead that writing elsewhere.
const FOLDERS: [&str; 4] = ["", "objects", "objects/info", "info"];

/// What became of the commits in a lent directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenBack {
    /// There was none, or nothing had been committed in it.
    Unchanged,
    /// The task's branch has these commits now.
    Moved(Revision),
    /// They are not on top of the task's branch, or are damaged: the branch stays as it was. The
    /// files of the worktree are as the run left them.
    Refused(String),
}

impl Worktree {
    /// Makes a git directory at `dir` that knows the task's branch and the default branch and
    /// borrows the mirror's objects without being able to change them, and points the worktree's
    /// `.git` at it. The service itself never follows that link.
    pub fn lend(&self, dir: &Path, default_branch: &str) -> Result<()> {
        files::remove_all(dir)?;
        let head = self.head()?;
        for folder in FOLDERS.iter().chain(&["objects/pack", "refs/heads/orch", "refs/tags"]) {
            files::make_folder(&dir.join(folder))?;
        }
        files::write(&dir.join("HEAD"), &format!("ref: {}\n", self.branch_ref()))?;
        files::write(&dir.join(self.branch_ref()), &format!("{head}\n"))?;
        if let Some(main) = self.mirror.remote_head(default_branch)? {
            let packed = format!("{main} refs/remotes/origin/{default_branch}\n");
            files::write(&dir.join("packed-refs"), &packed)?;
        }
        self.settle_lent(dir)?;
        let index = self.admin.join("index");
        if index.is_file() {
            fs::copy(&index, dir.join("index"))
                .map_err(|e| GitError::io("copy the index to", dir, e))?;
        }
        let link = self.root.join(".git");
        files::remove_all(&link)?;
        files::write(&link, &format!("gitdir: {}\n", dir.display()))
    }

    /// Takes over what was committed in a lent directory, and removes it. Fine if it is gone.
    pub fn take_back(&self, dir: &Path) -> Result<TakenBack> {
        if dir.symlink_metadata().is_err() {
            return Ok(TakenBack::Unchanged);
        }
        let taken = self.take_over(dir);
        self.relink()?;
        files::remove_all(dir)?;
        match taken {
            Ok(taken) => Ok(taken),
            Err(e) if e.is_transient() || matches!(e, GitError::DiskFull { .. }) => Err(e),
            Err(e) => Ok(TakenBack::Refused(e.to_string())),
        }
    }

    fn take_over(&self, dir: &Path) -> Result<TakenBack> {
        if let Some(odd) = FOLDERS.iter().find(|name| !is_folder(&dir.join(name))) {
            return Ok(TakenBack::Refused(format!("its {odd:?} is no folder")));
        }
        self.settle_lent(dir)?;
        let theirs = self.mirror.objects().git.at(Place::Bare(dir));
        let asked = theirs.args(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).run()?;
        if asked.code != Some(0) {
            return Ok(TakenBack::Refused("its HEAD names no commit".to_owned()));
        }
        let theirs = parse::revision(&asked.stdout)?;
        let own = self.head()?;
        if theirs == own {
            return Ok(TakenBack::Unchanged);
        }
        self.fetch_lent(dir)?;
        let builds_on = self.is_ancestor(&own, &theirs)?;
        self.git().args(["update-ref", "-d", TAKEN]).ok()?;
        if !builds_on {
            let reason = format!("{} is not on top of {}", theirs.short(), own.short());
            return Ok(TakenBack::Refused(reason));
        }
        self.git().args(["update-ref", &self.branch_ref(), theirs.as_str(), own.as_str()]).ok()?;
        // The index is still the one from before; the files are not touched.
        self.git().args(["reset", "--quiet", "--mixed"]).ok()?;
        Ok(TakenBack::Moved(theirs))
    }

    fn fetch_lent(&self, dir: &Path) -> Result<()> {
        let check = ["-c", "fetch.fsckObjects=true"];
        let flags = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc"];
        let fetch = self.git().args(check).args(flags);
        fetch.arg(dir).arg(format!("+HEAD:{TAKEN}")).ok().map(drop)
    }

    /// Writes everything of a lent directory that steers git's own doing: nothing that the run put
    /// there is obeyed.
    fn settle_lent(&self, dir: &Path) -> Result<()> {
        for name in ["config", "config.worktree", "commondir", "hooks", "shallow", "info/grafts"] {
            files::remove_all(&dir.join(name))?;
        }
        let alternates = dir.join("objects/info/alternates");
        files::remove_all(&alternates)?;
        let objects = self.mirror.git_dir().join("objects");
        files::write(&alternates, &format!("{}\n", objects.display()))?;
        files::remove_all(&dir.join("objects/info/http-alternates"))?;
        let sha256 = self.head()?.as_str().len() == 64;
        let (name, email) = self.mirror.objects().git.committer();
        files::write(&dir.join("config"), &config(sha256, name, email))
    }
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_dir())
}

/// The configuration of a lent directory.
fn config(sha256: bool, name: &str, email: &str) -> String {
    let format = if sha256 {
        "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n[core]\n"
    } else {
        "\trepositoryformatversion = 0\n"
    };
    format!(
        "[core]\n{format}\tbare = false\n\tlogallrefupdates = false\n[user]\n\tname = {name:?}\n\
         \temail = {email:?}\n[gc]\n\tauto = 0\n"
    )
}
