//! The service's process: started, or found running; watched, asked to end, killed.

use std::io;
use std::process::{Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use orch_core::process::ProcessIdentity;
use orch_process::identity;

use crate::run::{Config, Heard};

/// How often a service that is not our child is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A running service.
#[derive(Debug)]
pub(crate) struct Service {
    process: ProcessIdentity,
}

impl Service {
    /// Starts one; its end is heard under that number.
    pub(crate) fn start(config: &Config, number: u64, heard: Sender<Heard>) -> io::Result<Self> {
        let mut child = Command::new(config.prefix.current_program())
            .arg("serve")
            .args(&config.args)
            .env("ORCH_HOME", &config.home)
            // Where its own versions are, for `[deploy] kind = "self"`.
            .env("ORCH_LAUNCHER_PREFIX", config.prefix.path())
            .stdin(Stdio::null())
            .spawn()?;
        let process = match identity::of(child.id()) {
            Ok(Some(process)) => process,
            other => {
                // Ours and not reaped yet, so it is there to be named; without /proc nothing works.
                drop(child.kill());
                drop(child.wait());
                return Err(other.err().unwrap_or_else(|| io::Error::other("it can't be named")));
            }
        };
        thread::Builder::new().name("service".to_owned()).spawn(move || {
            let how = match child.wait() {
                Ok(status) => format!("it ended with {status}; its log says why"),
                Err(error) => format!("its end could not be seen: {error}"),
            };
            // Nobody listens where the launcher ends at the same time.
            let _ = heard.send(Heard::Exited { number, how });
        })?;
        Ok(Self { process })
    }

    /// Watches one that somebody else started.
    pub(crate) fn adopt(
        process: ProcessIdentity,
        number: u64,
        heard: Sender<Heard>,
    ) -> io::Result<Self> {
        let watched = process.clone();
        thread::Builder::new().name("service".to_owned()).spawn(move || {
            while identity::liveness(&watched).may_act() {
                thread::sleep(LOOK);
            }
            let how = "it ended; nobody was there to see how".to_owned();
            let _ = heard.send(Heard::Exited { number, how });
        })?;
        Ok(Self { process })
    }

    /// Its process.
    pub(crate) fn process(&self) -> &ProcessIdentity {
        &self.process
    }

    /// Asks it to end: it alone, its supervisors go on.
    pub(crate) fn terminate(&self) {
        orch_process::terminate(&self.process);
    }

    /// Kills it: it alone.
    pub(crate) fn kill(&self) {
        orch_process::kill(&self.process);
    }
}
