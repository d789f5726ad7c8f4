//! What is to run on another machine: the content of `remote.json` in a run's directory.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_core::ids::{Revision, RunId};
use orch_core::remote::{Nonce, RemoteEnd, SshTarget};
use serde::{Deserialize, Serialize};

use super::client::Client;
use crate::fsio;
use crate::run_dir::RunDir;

/// One run on another machine, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Names the run, here and there.
    pub run_id: RunId,
    /// What makes its result frame believed.
    pub nonce: Nonce,
    /// How the machine is reached.
    pub client: Client,
    /// Program and arguments, no shell implied; looked up on the far side's `PATH`.
    pub argv: Vec<String>,
    /// What is added to the far side's environment.
    pub env: BTreeMap<String, String>,
    /// What it runs on; the frame has to name it.
    pub revision: Option<Revision>,
    /// A tar archive of the files that it starts in; `None` starts it in the user's home.
    pub tree: Option<PathBuf>,
    /// The far side's own limit in seconds, so that a lost link leaves nothing there for ever.
    pub limit_s: u64,
    /// How long a lost link is tried to be picked up, in milliseconds.
    pub reattach_ms: u64,
    /// Earlier runs of the same work, newest first: one whose result is still wanted is attached
    /// to, the others are ended before this one starts.
    pub earlier: Vec<Earlier>,
}

/// An earlier run of the same work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// Its id.
    pub run_id: RunId,
    /// What makes its frame believed; `None` where its result is not wanted.
    pub nonce: Option<Nonce>,
}

impl Order {
    /// Writes the order into the run's directory, readable by its owner only.
    pub fn write(&self, dir: &RunDir) -> io::Result<()> {
        dir.create()?;
        fsio::write_atomic(&order_file(dir), &serde_json::to_vec(self)?)
    }

    /// The order of a run; `None` where it has none or it can't be read.
    pub fn read(dir: &RunDir) -> Option<Self> {
        fsio::read_json(&order_file(dir)).ok().flatten()
    }

    /// What a supervisor starts to have it carried out.
    pub fn argv(program: &Path, dir: &RunDir) -> Vec<String> {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        vec![shown(program), "remote-runner".to_owned(), shown(dir.path())]
    }

    /// How the run ended; `None` where it was not seen to end.
    pub fn end(dir: &RunDir) -> Option<RemoteEnd> {
        fsio::read_json(&end_file(dir)).ok().flatten()
    }

    pub(super) fn write_end(dir: &RunDir, end: &RemoteEnd) -> io::Result<()> {
        fsio::write_atomic(&end_file(dir), &serde_json::to_vec(end)?)
    }

    /// Takes an earlier run of the same work over where its result is still wanted: it was left
    /// without its frame, and is of the same machine, revision and command.
    pub fn earlier(&self, run_id: &RunId, dir: &RunDir) -> Earlier {
        let wanted = |earlier: &Self| {
            let left = match Self::end(dir) {
                None => true,
                Some(RemoteEnd::Faulty(fault)) => fault.kind.is_of_the_link(),
                Some(RemoteEnd::Framed(_) | RemoteEnd::Ended { .. }) => false,
            };
            left && earlier.client.target == self.client.target
                && earlier.revision == self.revision
                && earlier.argv == self.argv
        };
        let nonce = Self::read(dir).filter(wanted).map(|earlier| earlier.nonce);
        Earlier { run_id: run_id.clone(), nonce }
    }

    /// The machine it is for.
    pub fn target(&self) -> &SshTarget {
        &self.client.target
    }

    pub(super) fn reattach(&self) -> Duration {
        Duration::from_millis(self.reattach_ms)
    }
}

/// A new nonce, from the system's own randomness.
pub fn nonce() -> io::Result<Nonce> {
    let mut bits = [0; 16];
    let mut file = std::fs::File::open("/dev/urandom")?;
    io::Read::read_exact(&mut file, &mut bits)?;
    Ok(Nonce::from_random(bits))
}

fn order_file(dir: &RunDir) -> PathBuf {
    dir.path().join("remote.json")
}

fn end_file(dir: &RunDir) -> PathBuf {
    dir.path().join("remote-end.json")
}
