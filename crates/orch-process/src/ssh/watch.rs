//! Follows one run on the far side through as many connections as it takes.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use orch_core::ids::{Revision, RunId};
use orch_core::remote::{
    Attempt, Expected, Fault, FaultKind, Frame, FrameError, Next, Nonce, Progress, RemoteEnd, next,
};

use super::call;
use super::client::Share;
use super::connection::{Connection, Heard};
use super::order::Order;
use super::protocol::Said;
use super::script::{Follow, Task};
use crate::supervise::Signals;

/// From one look for a signal to the next.
const SLICE: Duration = Duration::from_millis(50);

/// Follows one run.
pub(super) struct Watch<'a> {
    order: &'a Order,
    signals: &'a Signals,
    progress: Progress,
    /// The run that is followed: its own, or an earlier one.
    followed: Option<(RunId, Nonce)>,
    received: (u64, u64),
    losses: u32,
    heard_at: Instant,
}

/// Why the watch ends without an end of the run.
pub(super) enum Left {
    /// Somebody asked for the end.
    Asked,
    /// Nobody takes the output any more: the supervisor is gone, and whoever comes next attaches.
    Deaf,
}

impl<'a> Watch<'a> {
    /// A watch that has seen nothing yet.
    pub(super) fn new(order: &'a Order, signals: &'a Signals) -> Self {
        Self {
            order,
            signals,
            progress: Progress::Never,
            followed: None,
            received: (0, 0),
            losses: 0,
            heard_at: Instant::now(),
        }
    }

    /// Every run of this work that may be on the far side.
    pub(super) fn runs(&self) -> Vec<RunId> {
        let earlier = self.order.earlier.iter().map(|earlier| earlier.run_id.clone());
        std::iter::once(self.order.run_id.clone()).chain(earlier).collect()
    }

    /// Follows to the end.
    pub(super) fn follow(&mut self) -> Result<RemoteEnd, Left> {
        loop {
            let attempt = self.connect()?;
            // Our own end reaches ssh at the same time: what it died of is then no news.
            if self.signals.drain() {
                return Err(Left::Asked);
            }
            let silent = self.heard_at.elapsed();
            let patience = self.order.reattach();
            match next(self.progress, attempt, self.losses, silent, patience) {
                Next::Over(end) => return Ok(end),
                Next::Again(pause) => {
                    note("the link to the far side was lost; it is picked up again");
                    self.losses += 1;
                    self.pause(pause)?;
                }
            }
        }
    }

    fn pause(&self, pause: Duration) -> Result<(), Left> {
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if self.signals.drain() {
                return Err(Left::Asked);
            }
            std::thread::sleep(SLICE);
        }
        Ok(())
    }

    /// One connection, to its end.
    fn connect(&mut self) -> Result<Attempt, Left> {
        let order = self.order;
        // After a loss the shared connection is not to be trusted.
        let share = if self.losses == 0 { Share::Use } else { Share::Apart };
        let (run_id, nonce) = self.expected();
        let earlier = match self.followed {
            Some(_) => Vec::new(),
            None => order.earlier.iter().map(|e| (&e.run_id, e.nonce.is_some())).collect(),
        };
        let task = Task::Follow(Follow {
            run_id: &run_id,
            nonce: &nonce,
            revision: order.revision.as_ref().map_or("-", Revision::as_str),
            tree: order.tree.is_some(),
            argv: &order.argv,
            env: &order.env,
            limit_s: order.limit_s,
            earlier,
            received: self.received,
        });
        let mut connection = match Connection::open(&order.client, share, &task) {
            Ok(connection) => connection,
            Err(fault) => return Ok(Attempt::Faulty(fault)),
        };
        loop {
            if self.signals.drain() {
                return Err(Left::Asked);
            }
            match connection.hear(SLICE) {
                Heard::Nothing => {}
                Heard::Over => return Ok(Attempt::Faulty(connection.close())),
                Heard::Said(said) => {
                    self.heard_at = Instant::now();
                    if let Some(attempt) = self.take(said, &mut connection)? {
                        return Ok(attempt);
                    }
                }
            }
        }
    }

    fn expected(&self) -> (RunId, Nonce) {
        let own = || (self.order.run_id.clone(), self.order.nonce.clone());
        self.followed.clone().unwrap_or_else(own)
    }

    fn take(&mut self, said: Said, connection: &mut Connection) -> Result<Option<Attempt>, Left> {
        match said {
            Said::Hello => self.progress = self.progress.max(Progress::Perhaps),
            Said::Alive => self.losses = 0,
            Said::Upload => {
                let sent = self.order.tree.as_deref().map(|tree| connection.upload(tree));
                if let Some(Err(error)) = sent {
                    let said = format!("the files to be sent: {error}");
                    return Ok(Some(Attempt::Faulty(Fault::new(FaultKind::NotSetUp, said))));
                }
            }
            Said::Attached(run_id) => return Ok(self.attached(run_id)),
            Said::Out(bytes) => {
                self.losses = 0;
                self.received.0 += bytes.len() as u64;
                pass_on(&mut io::stdout().lock(), &bytes)?;
            }
            Said::Err(bytes) => {
                self.losses = 0;
                self.received.1 += bytes.len() as u64;
                pass_on(&mut io::stderr().lock(), &bytes)?;
            }
            Said::Frame(bytes) => return Ok(Some(self.frame(&bytes))),
            Said::Fault(word, said) => {
                return Ok(Some(Attempt::Faulty(call::told(&word, said))));
            }
            Said::Done(_) => {}
        }
        Ok(None)
    }

    /// The far side follows a run of ours; any other is none that we know the nonce of.
    fn attached(&mut self, run_id: RunId) -> Option<Attempt> {
        if self.followed.as_ref().is_some_and(|(followed, _)| *followed == run_id) {
            return None;
        }
        let own = (run_id == self.order.run_id).then(|| self.order.nonce.clone());
        let earlier = || {
            let found = self.order.earlier.iter().find(|earlier| earlier.run_id == run_id)?;
            found.nonce.clone()
        };
        let Some(nonce) = own.or_else(earlier) else {
            let said = format!("it follows {run_id}");
            return Some(Attempt::Faulty(Fault::new(FaultKind::ForeignFrame, said)));
        };
        if run_id != self.order.run_id {
            note(&format!("the run {run_id} is still there; its result is waited for"));
        }
        self.progress = Progress::Seen;
        self.followed = Some((run_id, nonce));
        None
    }

    /// A frame is believed when it is of the run that is followed and all its output has come.
    fn frame(&self, bytes: &[u8]) -> Attempt {
        let (run_id, nonce) = self.expected();
        let revision = self.order.revision.as_ref();
        let expected = Expected { nonce: &nonce, run_id: &run_id, revision };
        match Frame::read(bytes, &expected) {
            Ok(frame) if (frame.stdout_bytes, frame.stderr_bytes) == self.received => {
                Attempt::Framed(frame)
            }
            Ok(_) => {
                let said = "its output is not whole";
                Attempt::Faulty(Fault::new(FaultKind::NoFrame, said))
            }
            Err(error @ FrameError::Malformed(_)) => {
                Attempt::Faulty(Fault::new(FaultKind::NoFrame, error.to_string()))
            }
            Err(error @ FrameError::Foreign(_)) => {
                Attempt::Faulty(Fault::new(FaultKind::ForeignFrame, error.to_string()))
            }
        }
    }
}

fn pass_on(stream: &mut dyn Write, bytes: &[u8]) -> Result<(), Left> {
    stream.write_all(bytes).and_then(|()| stream.flush()).map_err(|_| Left::Deaf)
}

/// For whoever reads the run's log; the words are chosen so that no suite's are among them.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "orch: {text}");
}
