//! How a run on another machine ended, as seen from here.

use serde::{Deserialize, Serialize};

use super::{Ended, Fault, FaultKind, Frame, SshTarget};
use crate::outcome::Outcome;
use crate::process::{ExitCause, RunExit};

/// How a run on another machine ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum RemoteEnd {
    /// The far side's frame was received and believed.
    Framed(Frame),
    /// No frame: nothing is known of the work.
    Faulty(Fault),
    /// It was asked to end from here.
    Ended {
        /// Why the far side could not be seen to be empty; `None` where it was.
        unsure: Option<Fault>,
    },
}

impl RemoteEnd {
    /// What the local process that watched the run ended with, put right: the exit of the work
    /// itself, or the outcome where there is none. `exit` is how its supervisor saw it end.
    pub fn resolve(
        seen: Option<&Self>,
        target: &SshTarget,
        limit_ms: u64,
        exit: RunExit,
    ) -> Result<RunExit, Outcome> {
        match (&exit.cause, seen) {
            // Our own supervisor ended it, or never began: that is what happened, whatever came back.
            (
                ExitCause::TimedOut { .. }
                | ExitCause::Stalled { .. }
                | ExitCause::Looping { .. }
                | ExitCause::OverDisk { .. }
                | ExitCause::Cancelled,
                _,
            )
            | (ExitCause::SpawnFailed { .. }, None) => Ok(exit),
            (_, Some(Self::Framed(frame))) => match frame.ended {
                Ended::Exited => {
                    Ok(RunExit { cause: ExitCause::Exited { code: frame.exit_code }, ..exit })
                }
                Ended::Limit => Err(Outcome::TimedOut { limit_ms }),
                Ended::Stopped => Err(Fault::new(FaultKind::Stopped, "").outcome(target)),
            },
            (_, Some(Self::Faulty(fault))) => Err(fault.outcome(target)),
            (_, Some(Self::Ended { .. })) => Err(Outcome::Cancelled),
            (ExitCause::Exited { .. } | ExitCause::Signaled { .. }, None) => {
                let said = "what watched it here ended without a word";
                Err(Fault::new(FaultKind::NoFrame, said).outcome(target))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RunId;
    use crate::outcome::{Worked, classify};
    use crate::suite::read;
    use crate::testing::now;

    fn exit(cause: ExitCause, stderr: &str) -> RunExit {
        RunExit {
            cause,
            started_at: now(),
            finished_at: now(),
            stdout_tail: String::new(),
            stderr_tail: stderr.into(),
            lines: 0,
            survivors_killed: 0,
        }
    }

    fn framed(ended: Ended, exit_code: i32) -> RemoteEnd {
        RemoteEnd::Framed(Frame {
            run_id: RunId::from_parts(1, 1),
            revision: None,
            ended,
            exit_code,
            stdout_bytes: 0,
            stderr_bytes: 0,
            seconds: 0,
            survivors: 0,
        })
    }

    fn fault(kind: FaultKind) -> RemoteEnd {
        RemoteEnd::Faulty(Fault::new(kind, ""))
    }

    #[test]
    fn every_end_reads_back_as_written() {
        for end in [
            framed(Ended::Limit, 3),
            RemoteEnd::Faulty(Fault::new(FaultKind::Refused, "x")),
            RemoteEnd::Ended { unsure: None },
            RemoteEnd::Ended { unsure: Some(Fault::new(FaultKind::Dropped, "")) },
        ] {
            let text = serde_json::to_string(&end).unwrap();
            assert_eq!(serde_json::from_str::<RemoteEnd>(&text).unwrap(), end, "{text}");
        }
    }

    /// With a frame the work ran whatever ssh says; without one nothing passes and nothing bounces.
    #[test]
    fn only_a_frame_makes_a_verdict() {
        use ExitCause::{Exited, Signaled, TimedOut};
        let docker = "sh: 1: docker: not found";
        let table = [
            (Exited { code: 255 }, Some(framed(Ended::Exited, 0)), "", "suite_ran"),
            (Exited { code: 255 }, Some(framed(Ended::Exited, 1)), "assertion failed", "suite_ran"),
            (Signaled { signal: 9 }, Some(framed(Ended::Exited, 0)), "", "suite_ran"),
            (Exited { code: 127 }, Some(framed(Ended::Exited, 127)), docker, "permanent_env"),
            (Exited { code: 137 }, Some(framed(Ended::Exited, 137)), "", "transient_infra"),
            (Exited { code: 1 }, Some(framed(Ended::Limit, 1)), "", "timed_out"),
            (Exited { code: 1 }, Some(framed(Ended::Stopped, 1)), "", "transient_infra"),
            (Exited { code: 0 }, None, "ok 1", "transient_infra"),
            (Exited { code: 0 }, Some(fault(FaultKind::NoFrame)), "", "transient_infra"),
            (Exited { code: 0 }, Some(fault(FaultKind::ForeignFrame)), "", "transient_infra"),
            (Exited { code: 1 }, Some(fault(FaultKind::HostKeyChanged)), "", "permanent_env"),
            (Exited { code: 1 }, Some(fault(FaultKind::Other)), "", "unknown"),
            (TimedOut { limit_ms: 1 }, Some(framed(Ended::Stopped, 0)), "", "timed_out"),
            (ExitCause::Cancelled, Some(framed(Ended::Exited, 0)), "", "cancelled"),
            (Exited { code: 143 }, Some(RemoteEnd::Ended { unsure: None }), "", "cancelled"),
        ];
        let target = SshTarget::new("staging").unwrap();
        for (cause, seen, stderr, kind) in table {
            let told = format!("{cause:?} {seen:?}");
            let resolved = RemoteEnd::resolve(seen.as_ref(), &target, 5, exit(cause, stderr));
            let outcome = match resolved {
                Ok(exit) => classify(Worked::Suite(&read("", stderr, &[])), &exit),
                Err(outcome) => outcome,
            };
            assert_eq!(outcome.kind(), kind, "{told}");
        }
    }
}
