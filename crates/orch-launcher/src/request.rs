//! Asking for a switch, and what became of it: files, so that whoever asked may end meanwhile.

use std::time::Duration;

use jiff::Timestamp;
use orch_core::ids::VersionName;
use orch_core::switch::{Ended, Trial};
use orch_process::files;
use serde::{Deserialize, Serialize};

use crate::bad::{bad, forget_bad};
use crate::error::{LauncherError, Result};
use crate::prefix::Prefix;

const FILE: &str = "request.json";
/// Outcomes kept: for people; whoever waits for one reads it within moments.
const KEPT: usize = 50;
/// Looks at a request that has ended before it counts as one under way, and the wait between two.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(50);

/// A switch as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its own name; asking twice by one name is one switch.
    pub id: String,
    /// The version.
    pub to: VersionName,
}

/// A switch at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Its name.
    pub id: String,
    /// The version that was asked for.
    pub to: VersionName,
    /// The version before.
    pub from: VersionName,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    #[serde(flatten)]
    pub result: SwitchResult,
}

/// How a switch ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum SwitchResult {
    /// The new version serves.
    Switched,
    /// The version before serves again.
    Returned {
        /// Why the new one failed.
        reason: String,
        /// What is wrong with the version before too; `None` where it is healthy.
        trouble: Option<String>,
    },
    /// The new version failed and stays: the database has gone on with it.
    Kept {
        /// Why the new one failed, and why there is no way back.
        reason: String,
    },
    /// Nothing was done.
    Refused {
        /// Why.
        reason: String,
    },
}

impl From<Ended> for SwitchResult {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Switched => Self::Switched,
            Ended::Returned { reason, trouble } => Self::Returned { reason, trouble },
            Ended::Kept { reason } => Self::Kept { reason },
        }
    }
}

/// Asks for a switch; the launcher sees it within a moment. The same request twice is one. `again`
/// gives a version that failed before another chance.
pub fn ask(prefix: &Prefix, request: &Request, again: bool) -> Result<()> {
    if outcome(prefix, &request.id)?.is_some() {
        return Ok(());
    }
    if prefix.version(&request.to).is_none() {
        return Err(LauncherError::NoSuchVersion(request.to.clone()));
    }
    if again {
        forget_bad(prefix, &request.to)?;
    }
    match prefix.trial()? {
        Some(trial) if trial.id == request.id => return Ok(()),
        // One whose end is written is about to be forgotten.
        Some(trial) if outcome(prefix, &trial.id)?.is_none() => {
            return Err(LauncherError::Busy(trial.to));
        }
        _ => {}
    }
    let path = prefix.join(FILE);
    let bytes = serde_json::to_vec(request)
        .map_err(|error| LauncherError::io("cannot write", &path)(error.into()))?;
    for _ in 0..TRIES {
        let made = files::create_exclusive(&path, &bytes)
            .and_then(|made| files::sync_dir(prefix.path()).map(|()| made))
            .map_err(LauncherError::io("cannot write", &path))?;
        match pending(prefix)? {
            Some(other) if !made && other.id != request.id => {
                if outcome(prefix, &other.id)?.is_none() {
                    return Err(LauncherError::Busy(other.to));
                }
                // It has ended; the launcher takes it away within a moment.
                std::thread::sleep(PAUSE);
            }
            _ => return Ok(()),
        }
    }
    Err(LauncherError::Busy(request.to.clone()))
}

/// The request that waits for the launcher; `None` where none does.
pub fn pending(prefix: &Prefix) -> Result<Option<Request>> {
    prefix.read(FILE)
}

/// What became of a switch; `None` while it is asked for or under way.
pub fn outcome(prefix: &Prefix, id: &str) -> Result<Option<Switch>> {
    prefix.read(&file(id))
}

/// The last switches, the newest first.
pub fn recent(prefix: &Prefix) -> Vec<Switch> {
    let Ok(entries) = std::fs::read_dir(prefix.join("switches")) else { return Vec::new() };
    let mut found: Vec<Switch> = entries
        .flatten()
        .filter_map(|entry| files::read_json(&entry.path()).ok().flatten())
        .collect();
    found.sort_by(|one, two| (two.at, &two.id).cmp(&(one.at, &one.id)));
    found
}

/// An id names a file: whatever is no plain letter, digit or dash in it becomes one.
fn file(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    format!("switches/{}.json", id.chars().take(100).map(plain).collect::<String>())
}

/// Writes down how a switch ended, and lets the oldest go.
pub(crate) fn close(prefix: &Prefix, trial: &Trial, result: SwitchResult) -> Result<()> {
    let Trial { id, to, from, .. } = trial.clone();
    let name = file(&id);
    prefix.write(&name, &Switch { id, to, from, at: Timestamp::now(), result })?;
    for old in recent(prefix).into_iter().skip(KEPT) {
        // One that stays is tried again the next time.
        drop(std::fs::remove_file(prefix.join(&file(&old.id))));
    }
    Ok(())
}

/// The request that is to be followed now: one that can't be is answered and removed.
pub(crate) fn next(prefix: &Prefix, current: &VersionName) -> Option<Request> {
    let request = match pending(prefix) {
        Ok(request) => request?,
        Err(error) => {
            tracing::error!(%error, "a request for a switch can't be read and is dropped");
            done(prefix);
            return None;
        }
    };
    if let Ok(Some(_)) = outcome(prefix, &request.id) {
        done(prefix);
        return None;
    }
    let reason = match bad(prefix, &request.to) {
        Some(bad) => format!(
            "version {} failed its trial on {}: {}; `orch self switch --again` tries it once more",
            request.to, bad.at, bad.reason
        ),
        None if prefix.version(&request.to).is_none() => {
            LauncherError::NoSuchVersion(request.to.clone()).to_string()
        }
        None => return Some(request),
    };
    tracing::warn!(version = %request.to, reason, "a switch is refused");
    let trial = Trial {
        id: request.id,
        to: request.to,
        from: current.clone(),
        starts: 0,
        leg: orch_core::switch::Leg::Forth,
    };
    match close(prefix, &trial, SwitchResult::Refused { reason }) {
        Ok(()) => done(prefix),
        Err(error) => tracing::error!(%error, "a refusal could not be written; tried again"),
    }
    None
}

/// The request is on record elsewhere by now.
pub(crate) fn done(prefix: &Prefix) {
    let path = prefix.join(FILE);
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::error!(%error, "a request could not be removed");
    }
}
