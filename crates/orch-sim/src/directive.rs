//! Directives: everything that can happen in the simulated world, each one line of text.

mod parse;
mod span;
mod words;

use std::fmt;

use orch_core::ids::{RepoName, TaskKey};

pub use span::Span;
pub use words::{Effect, End, Expect, Fault, Place, SLOW};

/// One thing that happens. What can't happen at the moment changes nothing, so that any list of
/// directives is a script, and so is what is left of it when some are taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// Somebody submits a task.
    Submit {
        /// To this repository.
        repo: RepoName,
        /// Higher goes first.
        priority: i32,
    },
    /// A worker asks the queue for a job.
    Claim(Worker),
    /// A worker drives its run of a task by one step.
    Step(Worker, TaskKey),
    /// A worker prolongs its leases.
    Beat(Worker),
    /// A worker's reaper looks at the running jobs.
    Reap(Worker),
    /// A worker's reconciler compares the records with the world.
    Reconcile(Worker),
    /// A worker's service is killed; its supervisors live on.
    Crash(Worker),
    /// A worker's service starts, and recovers first.
    Start(Worker),
    /// A worker's machine boots again: every process is gone, pids begin anew.
    Reboot(Worker),
    /// A worker's container starts again on the same boot: a fresh pid namespace, pids begin anew
    /// and are given to others.
    Container(Worker),
    /// The supervisor of a worker's run of a task is killed.
    Kill(Worker, TaskKey),
    /// A worker's machine sleeps.
    Suspend(Worker),
    /// A worker's machine wakes.
    Wake(Worker),
    /// A worker is cut off from the database.
    Partition(Worker),
    /// A worker reaches the database again.
    Heal(Worker),
    /// A worker's clock jumps.
    Skew(Worker, Span),
    /// The next effect of that kind by this actor fails in that way.
    Arm(Place, Fault),
    /// The faults that were armed against this actor are called off.
    Calm(Place),
    /// The work that runs on a worker for a task comes to an end.
    Exit(Worker, TaskKey, End),
    /// Somebody else pushes to a repository's default branch.
    Push {
        /// The repository.
        repo: RepoName,
        /// It touches the files that tasks touch.
        clash: bool,
    },
    /// An operator steps a task aside.
    Pause(TaskKey),
    /// An operator puts it back in its place.
    Resume(TaskKey),
    /// An operator cancels a task.
    Cancel(TaskKey),
    /// An operator sets a held task going.
    Retry(TaskKey),
    /// An operator approves.
    Approve(TaskKey),
    /// An operator answers.
    Answer(TaskKey),
    /// An operator lets nobody enter a repository's gate.
    Freeze(RepoName),
    /// An operator lets tasks enter again.
    Unfreeze(RepoName),
    /// Time goes by for everybody.
    Advance(Span),
    /// A worker claims where it has nothing, and drives a task's run to its decision; the work
    /// ends like this.
    Run(Worker, TaskKey, End),
    /// The faults are over: everything is healed and set going, and every task must come to its
    /// end.
    Drain,
    /// Writes the state of every task and worker into the transcript.
    Show,
    /// Writes why a task stands where it stands.
    Why(TaskKey),
    /// Something has to be so.
    Expect(Expect),
}

/// A worker, by its number from 1; written `w1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Worker(pub usize);

impl fmt::Display for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "w{}", self.0)
    }
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit { repo, priority: 0 } => write!(f, "submit {repo}"),
            Self::Submit { repo, priority } => write!(f, "submit {repo} priority {priority}"),
            Self::Claim(w) => write!(f, "claim {w}"),
            Self::Step(w, key) => write!(f, "step {w} {key}"),
            Self::Beat(w) => write!(f, "beat {w}"),
            Self::Reap(w) => write!(f, "reap {w}"),
            Self::Reconcile(w) => write!(f, "reconcile {w}"),
            Self::Crash(w) => write!(f, "crash {w}"),
            Self::Start(w) => write!(f, "start {w}"),
            Self::Reboot(w) => write!(f, "reboot {w}"),
            Self::Container(w) => write!(f, "container {w}"),
            Self::Kill(w, key) => write!(f, "kill {w} {key}"),
            Self::Suspend(w) => write!(f, "suspend {w}"),
            Self::Wake(w) => write!(f, "wake {w}"),
            Self::Partition(w) => write!(f, "partition {w}"),
            Self::Heal(w) => write!(f, "heal {w}"),
            Self::Skew(w, span) => write!(f, "skew {w} {span}"),
            Self::Arm(place, fault) => write!(f, "fault {place} {fault}"),
            Self::Calm(place) => write!(f, "calm {place}"),
            Self::Exit(w, key, end) => write!(f, "exit {w} {key} {end}"),
            Self::Push { repo, clash } => {
                write!(f, "push {repo}{}", if *clash { " clash" } else { "" })
            }
            Self::Pause(key) => write!(f, "pause {key}"),
            Self::Resume(key) => write!(f, "resume {key}"),
            Self::Cancel(key) => write!(f, "cancel {key}"),
            Self::Retry(key) => write!(f, "retry {key}"),
            Self::Approve(key) => write!(f, "approve {key}"),
            Self::Answer(key) => write!(f, "answer {key}"),
            Self::Freeze(repo) => write!(f, "freeze {repo}"),
            Self::Unfreeze(repo) => write!(f, "unfreeze {repo}"),
            Self::Advance(span) => write!(f, "advance {span}"),
            Self::Run(w, key, end) => write!(f, "run {w} {key} {end}"),
            Self::Drain => f.write_str("drain"),
            Self::Show => f.write_str("show"),
            Self::Why(key) => write!(f, "why {key}"),
            Self::Expect(what) => write!(f, "expect {what}"),
        }
    }
}
