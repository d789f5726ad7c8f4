//! The launcher's loop: hears, asks the machine, does what it says.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use orch_core::switch::{Action, Ended, Event, Limits, Machine, Probe, Trial};

use crate::bad;
use crate::error::{LauncherError, Result};
use crate::holder::{Holder, holder};
use crate::prefix::Prefix;
use crate::probe::{self, Question};
use crate::request;
use crate::service::Service;

/// How often requests are looked for, and time is told.
const TICK: Duration = Duration::from_millis(100);
/// The wait before what the disk refused is tried again.
const DISK: Duration = Duration::from_secs(1);

/// What a launcher is made from.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the versions are.
    pub prefix: Prefix,
    /// The state directory of the service.
    pub home: PathBuf,
    /// How long it waits for what.
    pub limits: Limits,
    /// Versions that are kept.
    pub keep: usize,
    /// The API's token.
    pub token: Option<String>,
    /// What `orch serve` is given beside.
    pub args: Vec<String>,
}

/// What the launcher's threads tell it. What comes of an earlier start than the present is old.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The service ended.
    Exited { number: u64, how: String },
    /// The service was asked how it is.
    Probed { number: u64, probe: Probe },
}

struct Launcher<'a> {
    config: &'a Config,
    machine: Machine,
    begun: Instant,
    service: Option<Service>,
    /// Counts starts; whatever belongs to an earlier one is not listened to.
    present: Arc<AtomicU64>,
    hearing: Sender<Heard>,
    ended: bool,
}

/// Looks after the service until told to stop; then the service ends too, and its supervisors go on.
pub fn run(config: &Config, stop: &Receiver<()>) -> Result<()> {
    let _lock = config.prefix.lock("launcher.lock", "another launcher runs for this prefix")?;
    let missing = || LauncherError::NothingInstalled { path: config.prefix.path().to_owned() };
    let current = config.prefix.current().ok_or_else(missing)?;
    let trial = config.prefix.trial()?;
    let (hearing, heard) = mpsc::channel();
    let (machine, mut first) = Machine::begin(config.limits, current, trial, Duration::ZERO);
    let present = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut launcher =
        Launcher { config, machine, begun, service: None, present, hearing, ended: false };
    let found = launcher.settle_holder(stop)?;
    // A service that runs uses its database: it had gone back before the service was started.
    first.retain(|action| found.is_none() || *action != Action::ReturnDatabase);
    launcher.act(first, stop);
    if let Some(found) = found {
        launcher.adopt(found);
    }
    while !launcher.ended {
        launcher.turn(&heard, stop);
    }
    Ok(())
}

impl Launcher<'_> {
    /// One turn: what is heard, what is asked for, what time it is.
    fn turn(&mut self, heard: &Receiver<Heard>, stop: &Receiver<()>) {
        match heard.recv_timeout(TICK) {
            Ok(Heard::Exited { number, how }) if self.is_present(number) => self.exited(how, stop),
            Ok(Heard::Probed { number, probe }) if self.is_present(number) => {
                self.tell(Event::Probed(probe), stop);
            }
            // A sender is kept here, so the channel never closes.
            Ok(_) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        if stop.try_recv() != Err(TryRecvError::Empty) {
            self.tell(Event::Stop, stop);
        }
        if self.machine.accepts()
            && let Some(asked) = request::next(&self.config.prefix, self.machine.current())
        {
            tracing::info!(from = %self.machine.current(), to = %asked.to, "a switch is asked for");
            self.tell(Event::Requested { id: asked.id, to: asked.to }, stop);
            request::done(&self.config.prefix);
        }
        self.tell(Event::Tick, stop);
        if std::process::id() == 1 {
            let own = self.service.as_ref().map(|service| service.process().pid);
            orch_process::reap_orphans(own);
        }
    }

    fn is_present(&self, number: u64) -> bool {
        self.present.load(Ordering::Acquire) == number
    }

    /// Tells the machine, and does what it says until there is nothing left to do.
    fn tell(&mut self, event: Event, stop: &Receiver<()>) {
        let actions = self.machine.handle(self.begun.elapsed(), event);
        self.act(actions, stop);
    }

    fn act(&mut self, actions: Vec<Action>, stop: &Receiver<()>) {
        let mut todo = VecDeque::from(actions);
        while let Some(action) = todo.pop_front() {
            if let Some(event) = self.perform(action, stop) {
                todo.extend(self.machine.handle(self.begun.elapsed(), event));
            }
        }
    }

    /// Does one thing; gives what came of it, where that is for the machine to know.
    fn perform(&mut self, action: Action, stop: &Receiver<()>) -> Option<Event> {
        let prefix = &self.config.prefix;
        match action {
            Action::Record(trial) => persist(stop, || prefix.record(trial.as_ref())),
            Action::Point(version) => persist(stop, || prefix.point_current(&version)),
            Action::ReturnDatabase => return self.return_database(),
            Action::Start => return self.start(),
            Action::Terminate => self.service.iter().for_each(Service::terminate),
            Action::Kill => self.service.iter().for_each(Service::kill),
            Action::Close { trial, ended } => self.close(&trial, &ended, stop),
            Action::Quit => self.ended = true,
        }
        None
    }

    fn start(&mut self) -> Option<Event> {
        let number = self.present.fetch_add(1, Ordering::AcqRel) + 1;
        // What is there is of a service that has ended.
        drop(std::fs::remove_file(self.config.home.join("service.addr")));
        match Service::start(self.config, number, self.hearing.clone()) {
            Ok(service) => {
                tracing::info!(version = %self.machine.current(), pid = service.process().pid, "started the service");
                self.service = Some(service);
                self.watch(number);
                None
            }
            Err(error) => Some(Event::Exited(format!("it can't be started: {error}"))),
        }
    }

    /// Asks how the service is, while it is on trial.
    fn watch(&self, number: u64) {
        if self.machine.trial().is_none() {
            return;
        }
        let version = self.config.prefix.version(self.machine.current());
        let question = Question {
            home: self.config.home.clone(),
            token: self.config.token.clone(),
            revision: version.and_then(|version| version.revision),
        };
        let asking = probe::ask(question, number, Arc::clone(&self.present), self.hearing.clone());
        if let Err(error) = asking {
            tracing::error!(%error, "no thread to ask the service with; it counts as unhealthy");
        }
    }

    /// The service has ended, unless another of the same version is there in its place: one that a
    /// killed launcher had just started.
    fn exited(&mut self, how: String, stop: &Receiver<()>) {
        if self.machine.is_up()
            && let Some(found) = self.own_holder()
        {
            return self.adopt(found);
        }
        self.service = None;
        tracing::warn!(version = %self.machine.current(), how, "the service has ended");
        self.tell(Event::Exited(how), stop);
    }

    fn adopt(&mut self, found: Holder) {
        let number = self.present.fetch_add(1, Ordering::AcqRel) + 1;
        let pid = found.process.pid;
        match Service::adopt(found.process, number, self.hearing.clone()) {
            Ok(service) => {
                tracing::info!(version = %self.machine.current(), pid, "found the service running");
                self.service = Some(service);
                // Nothing follows from it but that the service is up.
                drop(self.machine.handle(self.begun.elapsed(), Event::Adopted));
                self.watch(number);
            }
            Err(error) => tracing::error!(%error, pid, "no thread to watch the service with"),
        }
    }

    /// The running service, where it is the current version of this prefix.
    fn own_holder(&self) -> Option<Holder> {
        let current = self.config.prefix.program(self.machine.current());
        holder(&self.config.home).filter(|found| found.program.as_ref() == Some(&current))
    }

    /// Whoever serves the state directory when the launcher begins: one of the current version is
    /// looked after from now on, one of another version of this prefix is ended, and anybody else's
    /// is left alone.
    fn settle_holder(&self, stop: &Receiver<()>) -> Result<Option<Holder>> {
        let Some(found) = holder(&self.config.home) else { return Ok(None) };
        if let Some(own) = self.own_holder() {
            return Ok(Some(own));
        }
        let versions = self.config.prefix.join("versions");
        let ours = found.program.as_ref().is_some_and(|program| program.starts_with(&versions));
        if !ours {
            return Err(LauncherError::InUse {
                path: self.config.home.clone(),
                pid: Some(found.process.pid),
                what: "a service that no launcher of this prefix started; stop it first",
            });
        }
        let deadline = Instant::now() + self.config.limits.stop_within;
        orch_process::terminate(&found.process);
        while orch_process::identity::liveness(&found.process).may_act() {
            if Instant::now() >= deadline || stop.try_recv() != Err(TryRecvError::Empty) {
                orch_process::kill(&found.process);
            }
            thread::sleep(TICK);
        }
        Ok(None)
    }

    /// Has the version before look whether it can use the database, and go back where it can't.
    fn return_database(&self) -> Option<Event> {
        let program = self.config.prefix.program(self.machine.current());
        let output = Command::new(program)
            .args(["db", "return", "--json"])
            .env("ORCH_HOME", &self.config.home)
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => {
                tracing::info!(said = %String::from_utf8_lossy(&output.stdout).trim(), "the database is one that the version before can use");
                None
            }
            // 3: there is no database yet, so there is nothing to go back to.
            Ok(output) if output.status.code() == Some(3) => None,
            Ok(output) => Some(Event::DatabaseStays(last_words(&output.stderr))),
            Err(error) => Some(Event::DatabaseStays(format!("it can't be asked: {error}"))),
        }
    }

    fn close(&self, trial: &Trial, ended: &Ended, stop: &Receiver<()>) {
        let prefix = &self.config.prefix;
        let failed = match ended {
            Ended::Switched => {
                tracing::info!(version = %trial.to, "the new version is healthy and stays");
                None
            }
            Ended::Returned { reason, trouble } => {
                tracing::error!(from = %trial.to, to = %trial.from, reason, trouble, "back to the version before");
                Some(reason)
            }
            Ended::Kept { reason } => {
                tracing::error!(version = %trial.to, reason, "a version that failed its trial stays");
                Some(reason)
            }
        };
        if let Some(reason) = failed {
            persist(stop, || bad::mark(prefix, &trial.to, reason));
        } else if trial.to != trial.from {
            persist(stop, || prefix.point_previous(&trial.from));
        }
        persist(stop, || request::close(prefix, trial, ended.clone().into()));
        prefix.prune(self.config.keep);
    }
}

/// Does what has to be on disk before anything else is done; a disk that refuses delays it.
fn persist(stop: &Receiver<()>, write: impl Fn() -> Result<()>) {
    let mut told = false;
    while let Err(error) = write() {
        if !told {
            tracing::error!(%error, "waiting until it can be written");
        }
        told = true;
        match stop.recv_timeout(DISK) {
            Err(RecvTimeoutError::Timeout) => {}
            // What is on disk is whole, and the next launcher goes on from it.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => std::process::exit(1),
        }
    }
}

/// The end of what a command said, in one line.
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let skip = words.chars().count().saturating_sub(600);
    words.chars().skip(skip).collect()
}
