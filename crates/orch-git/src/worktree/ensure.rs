//! Makes sure that a task has a healthy worktree, whatever a crash or an agent left.

use std::fs;
use std::path::{Path, PathBuf};

use orch_core::ids::{Revision, TaskKey};

use crate::error::{GitError, Result};
use crate::mirror::Mirror;
use crate::worktree::Worktree;
use crate::{files, parse};

impl Mirror {
    /// The task's worktree at `path`, made from `base` if the task has no branch yet, here or on
    /// origin (as of the last fetch). A healthy one is reused with its uncommitted files; an
    /// interrupted rebase or merge in it is aborted. A broken one is made anew from the branch:
    /// only what was committed survives. A folder that was never ours is `Occupied`.
    pub fn ensure_worktree(&self, key: &TaskKey, path: &Path, base: &Revision) -> Result<Worktree> {
        if let Some(worktree) = self.existing_worktree(key, path, base)? {
            return Ok(worktree);
        }
        let root = files::real(path)?;
        self.clear_place(&root, &self.admins_of(&root))?;
        self.add_worktree(key, &root, base)
    }

    /// The task's worktree at `path`, if it is there and whole, with its uncommitted files; an
    /// interrupted rebase or merge in it is aborted. `None` where it would have to be made anew.
    pub fn existing_worktree(
        &self,
        key: &TaskKey,
        path: &Path,
        base: &Revision,
    ) -> Result<Option<Worktree>> {
        let root = files::real(path)?;
        let admins = self.admins_of(&root);
        if let [admin] = admins.as_slice()
            && root.is_dir()
            // Emptied, it is gone: its files must not be taken for deleted by the task.
            && !files::is_free(&root)
            && is_whole(admin)
        {
            let worktree = self.worktree(key, &root, admin);
            match worktree.revive(base) {
                Ok(()) => return Ok(Some(worktree)),
                Err(e) if e.is_transient() || matches!(e, GitError::DiskFull { .. }) => {
                    return Err(e);
                }
                // Beyond repair in place: the branch has all that was committed.
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Puts a task's branch where another machine has pushed it, unless this mirror's has that and
    /// more. A worktree of the branch goes: what it held was of a run that has lost its job. Says
    /// whether it moved. As of the last fetch; a branch that origin does not have stays as it is.
    pub fn follow_origin(&self, key: &TaskKey, path: &Path) -> Result<bool> {
        let branch = key.branch();
        let Some(there) = self.remote_head(&branch)? else { return Ok(false) };
        if let Some(here) = self.branch_head(key)?
            && self.is_ancestor(&there, &here)?
        {
            return Ok(false);
        }
        self.remove_worktree(path)?;
        let name = format!("refs/heads/{branch}");
        self.bare().args(["update-ref", &name, there.as_str()]).ok()?;
        Ok(true)
    }

    /// Removes a task's worktree in whatever state it is; the branch stays. Fine if it is gone.
    pub fn remove_worktree(&self, path: &Path) -> Result<()> {
        let root = files::real(path)?;
        let admins = self.admins_of(&root);
        self.clear_place(&root, &admins)
    }

    fn worktree(&self, key: &TaskKey, root: &Path, admin: &Path) -> Worktree {
        Worktree {
            mirror: self.clone(),
            key: key.clone(),
            root: root.to_owned(),
            admin: admin.to_owned(),
        }
    }

    /// The administrative folders that belong to the worktree at `root`; one, if all is well.
    fn admins_of(&self, root: &Path) -> Vec<PathBuf> {
        let folder = self.git_dir().join("worktrees");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let ours = |admin: &PathBuf| {
            let link = fs::read_to_string(admin.join("gitdir")).unwrap_or_default();
            Path::new(link.trim_end_matches('\n')) == root.join(".git")
        };
        entries.map(|entry| entry.path()).filter(ours).collect()
    }

    /// Frees the folder, if it is ours to free.
    fn clear_place(&self, root: &Path, admins: &[PathBuf]) -> Result<()> {
        let link = fs::read_to_string(root.join(".git")).unwrap_or_default();
        let linked = link
            .strip_prefix("gitdir: ")
            .is_some_and(|target| Path::new(target.trim_end()).starts_with(self.git_dir()));
        if !files::is_free(root) && !linked && admins.is_empty() {
            return Err(GitError::Occupied { path: root.to_owned() });
        }
        files::remove_all(root)?;
        admins.iter().try_for_each(|admin| files::remove_all(admin))
    }

    fn add_worktree(&self, key: &TaskKey, root: &Path, base: &Revision) -> Result<Worktree> {
        let branch = key.branch();
        let (here, on_origin) = self.both_heads(&branch)?;
        let add = self.bare().args(["worktree", "add", "--quiet", "--force"]);
        let add = match (here, on_origin) {
            (true, _) => add.arg(root).arg(&branch),
            (false, Some(head)) => {
                add.args(["--no-track", "-b", &branch]).arg(root).arg(head.as_str())
            }
            (false, None) => add.args(["--no-track", "-b", &branch]).arg(root).arg(base.as_str()),
        };
        add.ok()?;
        match self.admins_of(root).as_slice() {
            [admin] => Ok(self.worktree(key, root, admin)),
            _ => Err(GitError::NotARepository { path: root.to_owned() }),
        }
    }

    /// Whether the branch is in this mirror, and where it is on origin, in one question.
    fn both_heads(&self, branch: &str) -> Result<(bool, Option<Revision>)> {
        let here = format!("refs/heads/{branch}");
        let there = format!("refs/remotes/origin/{branch}");
        let asked = ["for-each-ref", "--format=%(objectname) %(refname)", &here, &there];
        let out = parse::text(&self.bare().args(asked).ok()?);
        let mut found = (false, None);
        for (id, name) in out.lines().filter_map(|line| line.split_once(' ')) {
            if name == here {
                found.0 = true;
            } else if name == there {
                found.1 = Some(parse::revision(id.as_bytes())?);
            }
        }
        Ok(found)
    }
}

fn is_whole(admin: &Path) -> bool {
    let head = fs::read_to_string(admin.join("HEAD")).unwrap_or_default();
    let readable = head.starts_with("ref: refs/")
        || matches!(head.trim_end().len(), 40 | 64) && head.trim_end().is_ascii();
    readable && admin.join("commondir").is_file()
}

impl Worktree {
    /// Brings a worktree that is there into order and proves that git can work in it.
    fn revive(&self, base: &Revision) -> Result<()> {
        self.relink()?;
        self.recover()?;
        match self.probe() {
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.restart_branch(base),
            Err(e) if e.is_transient() => Err(e),
            Err(_) => {
                // Most likely the index is damaged; the files themselves are worth keeping.
                files::remove_file(&self.admin.join("index"))?;
                self.git().args(["reset", "--quiet", "--mixed"]).ok()?;
                self.probe().map(drop)
            }
        }
    }

    /// Writes the link file anew where it is missing or points elsewhere.
    pub(crate) fn relink(&self) -> Result<()> {
        let link = self.root.join(".git");
        let wanted = format!("gitdir: {}\n", self.admin.display());
        if fs::read_to_string(&link).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        files::remove_all(&link)?;
        files::write(&link, &wanted)
    }

    /// The head; also reads the whole index. `None`: the branch has no commit.
    fn probe(&self) -> Result<Option<Revision>> {
        let status = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no"];
        let out = self.git().args(status).ok()?;
        Ok(parse::status_branch(&out).0)
    }

    /// The branch was deleted under the worktree: begins it again, and keeps the files.
    fn restart_branch(&self, base: &Revision) -> Result<()> {
        let (_, on_origin) = self.mirror.both_heads(&self.key.branch())?;
        let start = on_origin.unwrap_or_else(|| base.clone());
        self.git().args(["update-ref", &self.branch_ref(), start.as_str()]).ok()?;
        self.git().args(["reset", "--quiet", "--mixed"]).ok().map(drop)
    }
}
