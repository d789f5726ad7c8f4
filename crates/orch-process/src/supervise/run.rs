//! One run from its child's start to the last process's end.

use std::io;
use std::os::fd::AsFd;
use std::process::Child;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use orch_core::process::{ExitCause, Polite, RunExit};
use orch_core::redact::Masks;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, WaitStatus};

use super::child;
use super::deadline::Deadlines;
use super::kill::{Killed, Tree};
use super::log_file::LogFile;
use super::output::Output;
use super::quota::Quota;
use super::reap::Reaper;
use super::signals::Signals;
use super::steps::Steps;
use crate::cgroup::Leaf;
use crate::run_dir::RunDir;
use crate::spec::RunSpec;
use crate::{fsio, identity};

/// How often the stop file is looked for; a signal makes it sooner.
const STOP_POLL: Duration = Duration::from_millis(200);

/// Carries the run out. Never fails: what goes wrong is the run's result.
pub(super) fn carry_out(dir: &RunDir, signals: &Signals, masks: Masks) -> RunExit {
    let started_at = Timestamp::now();
    let spec: RunSpec = match fsio::read_json(&dir.spec()) {
        Ok(Some(spec)) => spec,
        Ok(None) => return not_started(dir, started_at, failed("spec.json is missing")),
        Err(error) => {
            let cause = failed(&format!("spec.json can't be read: {error}"));
            return not_started(dir, started_at, cause);
        }
    };
    if signals.drain() || stop_requested(dir) {
        return not_started(dir, started_at, ExitCause::Cancelled);
    }
    let started = child::start(&spec).and_then(|mut child| {
        let pid = pid_of(&child)?;
        let log = LogFile::open(&dir.log(), spec.log_limit);
        Ok((Output::new(&mut child, log, Steps::new(&spec.steps), masks), pid))
    });
    let (output, pid) = match started {
        Ok(started) => started,
        Err(cause) => return not_started(dir, started_at, cause),
    };
    let begun = Instant::now();
    record_child(dir, pid);
    let leaf = Leaf::create(&spec.run_id);
    if let Some(leaf) = &leaf {
        leaf.enter(raw(pid));
    }
    let run = Run {
        dir,
        signals,
        output,
        deadlines: Deadlines::new(&spec, begun),
        quota: Quota::new(spec.disk, begun),
        reaper: Reaper::new(pid),
        polite: if spec.polite.is_empty() { vec![Polite::Term] } else { spec.polite },
        grace: spec.grace,
        stop_looked: begun,
        stop_wanted: false,
    };
    run.finish(Tree::new(pid, spec.run_id, leaf), started_at)
}

struct Run<'a> {
    dir: &'a RunDir,
    signals: &'a Signals,
    output: Output,
    deadlines: Deadlines,
    quota: Quota,
    reaper: Reaper,
    /// The signals that ask for the end, in this order.
    polite: Vec<Polite>,
    /// How long each of them may take.
    grace: Duration,
    stop_looked: Instant,
    stop_wanted: bool,
}

/// How far the end of the run has come.
enum Phase {
    /// The child runs.
    Running,
    /// The tree was asked to end so many times; at the moment given, if there is one, it is asked
    /// by the next signal or killed.
    Ending { cause: ExitCause, asked: usize, next_at: Option<Instant> },
}

impl Run<'_> {
    fn finish(mut self, tree: Tree, started_at: Timestamp) -> RunExit {
        let cause = self.until_kill(&tree);
        let killed = tree.kill(&mut self.reaper);
        self.output.drain();
        self.report(killed);
        self.output.log.finish();
        let (stdout_tail, stderr_tail) = self.output.tails();
        RunExit {
            cause,
            started_at,
            finished_at: Timestamp::now(),
            stdout_tail,
            stderr_tail,
            lines: self.output.lines,
            survivors_killed: killed.survivors,
        }
    }

    /// Runs until the child has ended by itself, or the tree has ended on request, or its grace is
    /// over: until whatever is left has to be killed.
    fn until_kill(&mut self, tree: &Tree) -> ExitCause {
        let mut phase = Phase::Running;
        loop {
            let any_left = self.reaper.reap();
            let now = Instant::now();
            phase = match phase {
                Phase::Running => match (self.reaper.status(), self.reason_to_end(now)) {
                    (Some(status), _) => return cause_of(status),
                    (None, Some(cause)) => self.begin_end(cause, tree, now),
                    (None, None) if !any_left => return failed("the child was lost track of"),
                    (None, None) => Phase::Running,
                },
                Phase::Ending { cause, asked, next_at } => {
                    let due = next_at.is_some_and(|at| now >= at);
                    if !any_left || (due && asked >= self.polite.len()) {
                        return cause;
                    }
                    if due {
                        self.ask(cause, asked, tree, now)
                    } else {
                        Phase::Ending { cause, asked, next_at }
                    }
                }
            };
            self.wait(&phase, now);
        }
    }

    fn reason_to_end(&mut self, now: Instant) -> Option<ExitCause> {
        if !self.stop_wanted && now.duration_since(self.stop_looked) >= STOP_POLL {
            self.stop_looked = now;
            self.stop_wanted = stop_requested(self.dir);
        }
        if self.stop_wanted {
            return Some(ExitCause::Cancelled);
        }
        self.deadlines
            .overdue(now)
            .or_else(|| self.output.looping())
            .or_else(|| self.quota.look(now))
    }

    fn begin_end(&mut self, cause: ExitCause, tree: &Tree, now: Instant) -> Phase {
        let why = match &cause {
            ExitCause::TimedOut { limit_ms } => format!("the time limit of {limit_ms} ms passed"),
            ExitCause::Stalled { limit_ms } => format!("nothing was printed for {limit_ms} ms"),
            ExitCause::Looping { steps, same: true } => format!("it did the same {steps} times"),
            ExitCause::Looping { steps, .. } => format!("it took {steps} steps"),
            ExitCause::OverDisk { limit_bytes, used_bytes } => {
                format!("it takes up {used_bytes} bytes of the disk, and {limit_bytes} are allowed")
            }
            _ => "somebody asked for the end".to_owned(),
        };
        // One that fills the disk would go on with that for as long as it is asked politely.
        if matches!(cause, ExitCause::OverDisk { .. }) {
            self.output.log.say(&format!("{why}; the process tree is killed"));
            let asked = self.polite.len();
            return Phase::Ending { cause, asked, next_at: Some(now) };
        }
        self.output.log.say(&format!("{why}; the process tree is asked to end"));
        self.output.log.flush();
        self.ask(cause, 0, tree, now)
    }

    /// Asks by the next signal.
    fn ask(&self, cause: ExitCause, asked: usize, tree: &Tree, now: Instant) -> Phase {
        if let Some(how) = self.polite.get(asked) {
            tree.ask(&self.reaper, *how);
        }
        Phase::Ending { cause, asked: asked + 1, next_at: now.checked_add(self.grace) }
    }

    /// Sleeps until there is something to do, and takes what came.
    fn wait(&mut self, phase: &Phase, now: Instant) {
        let longest = match phase {
            Phase::Running => self.quota.pause(now, self.deadlines.pause(now, STOP_POLL)),
            Phase::Ending { next_at, .. } => {
                next_at.map_or(STOP_POLL, |at| at.saturating_duration_since(now).min(STOP_POLL))
            }
        };
        self.sleep(longest);
        self.stop_wanted |= self.signals.drain();
        if self.output.read() {
            self.deadlines.output_seen(Instant::now());
        }
    }

    fn sleep(&self, longest: Duration) {
        let timeout = Timespec {
            tv_sec: longest.as_secs() as i64,
            tv_nsec: i64::from(longest.subsec_nanos()),
        };
        let mut fds = vec![PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN)];
        let streams = self.output.open_streams();
        fds.extend(streams.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        // An interrupted or failed poll is an early return; the loop looks at everything anyway.
        let _ = rustix::event::poll(&mut fds, Some(&timeout));
    }

    fn report(&mut self, killed: Killed) {
        let Killed { survivors, immortal } = killed;
        if survivors > 0 {
            self.output
                .log
                .say(&format!("{survivors} processes outlived the child and were killed"));
        }
        if immortal > 0 {
            self.output.log.say(&format!("{immortal} processes could not be killed in 60 s"));
        }
    }
}

fn cause_of(status: WaitStatus) -> ExitCause {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ExitCause::Exited { code },
        (None, Some(signal)) => ExitCause::Signaled { signal },
        // Stops and continues are not asked for in `wait`.
        (None, None) => ExitCause::Exited { code: -1 },
    }
}

fn stop_requested(dir: &RunDir) -> bool {
    dir.stop().symlink_metadata().is_ok()
}

fn pid_of(child: &Child) -> Result<Pid, ExitCause> {
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| failed("the system gave an impossible process id"))
}

fn raw(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

/// Only for people and for `observe`: a failure to write it does not harm the run.
fn record_child(dir: &RunDir, pid: Pid) {
    let record = || -> io::Result<()> {
        let identity = identity::of(raw(pid))?;
        std::fs::write(dir.child(), serde_json::to_vec(&identity)?)
    };
    let _ = record();
}

fn failed(message: &str) -> ExitCause {
    ExitCause::SpawnFailed { message: message.to_owned(), missing: false }
}

/// The end of a run whose child never was.
fn not_started(dir: &RunDir, started_at: Timestamp, cause: ExitCause) -> RunExit {
    let mut log = LogFile::open(&dir.log(), u64::MAX);
    match &cause {
        ExitCause::SpawnFailed { message, .. } => log.say(&format!("not started: {message}")),
        _ => log.say("not started: somebody asked for the end before"),
    }
    log.finish();
    RunExit {
        cause,
        started_at,
        finished_at: Timestamp::now(),
        stdout_tail: String::new(),
        stderr_tail: String::new(),
        lines: 0,
        survivors_killed: 0,
    }
}
