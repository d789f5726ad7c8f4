//! From the end of a process to an outcome: exit code *and* what was printed, because exit 1 is
//! ambiguous (S7).

use super::Outcome;
use super::signs::{Sign, infrastructure_sign, suite_marks};
use crate::process::{ExitCause, RunExit};
use crate::verdict::tail;

/// Who worked; the same exit means different things of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// An agent: it has no verdict of its own, so anything but exit 0 is the agent's environment.
    Agent,
    /// A suite or a deploy command: its failure is a verdict unless there are signs to the contrary.
    Suite,
}

/// Signals by which a program that is itself at fault dies: ABRT, BUS, FPE, ILL, SEGV, SYS, TRAP.
const FAULTS_OF_THE_PROGRAM: [i32; 7] = [6, 7, 8, 4, 11, 31, 5];

/// Classifies the end of a run.
pub fn classify(worked: Worked, exit: &RunExit) -> Outcome {
    match &exit.cause {
        ExitCause::Exited { code: 0 } => Outcome::SuiteRan { exit_code: 0 },
        ExitCause::Exited { code } => failed(worked, *code, exit),
        ExitCause::Signaled { signal } => signaled(worked, *signal),
        ExitCause::TimedOut { limit_ms } => Outcome::TimedOut { limit_ms: *limit_ms },
        ExitCause::Stalled { limit_ms } => Outcome::Stalled { limit_ms: *limit_ms },
        ExitCause::Cancelled => Outcome::Cancelled,
        ExitCause::SpawnFailed { message, missing: true } => {
            Outcome::PermanentEnv { reason: format!("the program could not be started: {message}") }
        }
        ExitCause::SpawnFailed { message, missing: false } => Outcome::TransientInfra {
            reason: format!("the program could not be started: {message}"),
        },
    }
}

fn signaled(worked: Worked, signal: i32) -> Outcome {
    if worked == Worked::Suite && FAULTS_OF_THE_PROGRAM.contains(&signal) {
        return Outcome::SuiteRan { exit_code: 128 + signal };
    }
    let hint = if signal == 9 { " (out of memory?)" } else { "" };
    Outcome::TransientInfra { reason: format!("killed by signal {signal}{hint}") }
}

fn failed(worked: Worked, code: i32, exit: &RunExit) -> Outcome {
    let marks = worked == Worked::Suite && suite_marks(&exit.stdout_tail, &exit.stderr_tail);
    if marks && !(129..=192).contains(&code) {
        return Outcome::SuiteRan { exit_code: code };
    }
    let last = last_line(exit);
    let said =
        |what: &str| if last.is_empty() { what.to_owned() } else { format!("{what}: {last}") };
    if matches!(code, 126 | 127) {
        let what = if code == 127 { "command not found" } else { "command not executable" };
        return Outcome::PermanentEnv { reason: said(&format!("{what} (exit {code})")) };
    }
    if (129..=192).contains(&code) {
        return signaled(worked, code - 128);
    }
    match infrastructure_sign(&exit.stderr_tail) {
        Some((Sign::Permanent, what)) => Outcome::PermanentEnv { reason: said(what) },
        Some((Sign::Transient, what)) => Outcome::TransientInfra { reason: said(what) },
        None if worked == Worked::Agent => {
            Outcome::TransientInfra { reason: said(&format!("the agent exited with {code}")) }
        }
        None => Outcome::SuiteRan { exit_code: code },
    }
}

/// The last line that says something, at most 300 bytes: errors stand at the end.
fn last_line(exit: &RunExit) -> String {
    let said = |text: &str| {
        text.lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(|line| tail(line, 300).to_owned())
    };
    said(&exit.stderr_tail).or_else(|| said(&exit.stdout_tail)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::now;

    fn exit(cause: ExitCause, stdout: &str, stderr: &str) -> RunExit {
        RunExit {
            cause,
            started_at: now(),
            finished_at: now(),
            stdout_tail: stdout.into(),
            stderr_tail: stderr.into(),
            lines: 0,
            survivors_killed: 0,
        }
    }

    fn code(code: i32) -> ExitCause {
        ExitCause::Exited { code }
    }

    #[test]
    fn a_suite_that_ran_is_code_and_everything_else_is_infrastructure() {
        let table: &[(ExitCause, &str, &str, &str)] = &[
            (code(0), "", "", "suite_ran"),
            (code(1), "not ok 1 - adds", "", "suite_ran"),
            (code(1), "", "assertion failed", "suite_ran"),
            (
                code(101),
                "test result: FAILED. 1 passed; 1 failed",
                "error: test failed",
                "suite_ran",
            ),
            (code(1), "", "sh: 1: docker: not found", "permanent_env"),
            (code(127), "", "sh: 1: docker: not found", "permanent_env"),
            (code(127), "", "bash: line 1: docker: command not found", "permanent_env"),
            (code(126), "", "sh: ./run: Permission denied", "permanent_env"),
            (code(127), "ok 1 - a\nnot ok 2 - b", "sh: 3: add: not found", "suite_ran"),
            (
                code(1),
                "",
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
                "permanent_env",
            ),
            (code(1), "", "write: No space left on device", "transient_infra"),
            (
                code(255),
                "",
                "ssh: connect to host staging port 22: Connection refused",
                "transient_infra",
            ),
            (code(255), "", "Host key verification failed.", "permanent_env"),
            (code(255), "", "deploy@staging: Permission denied (publickey).", "permanent_env"),
            (code(1), "", "curl: (6) Could not resolve host: x", "transient_infra"),
            (code(137), "", "Killed", "transient_infra"),
            (code(139), "not ok 1", "Segmentation fault", "suite_ran"),
            (ExitCause::Signaled { signal: 9 }, "not ok 1", "", "transient_infra"),
            (ExitCause::Signaled { signal: 11 }, "", "", "suite_ran"),
            (ExitCause::TimedOut { limit_ms: 5 }, "not ok 1", "", "timed_out"),
            (ExitCause::Stalled { limit_ms: 5 }, "", "", "stalled"),
            (ExitCause::Cancelled, "", "", "cancelled"),
            (
                ExitCause::SpawnFailed { message: "ENOENT".into(), missing: true },
                "",
                "",
                "permanent_env",
            ),
            (
                ExitCause::SpawnFailed { message: "EAGAIN".into(), missing: false },
                "",
                "",
                "transient_infra",
            ),
        ];
        for (cause, stdout, stderr, kind) in table {
            let outcome = classify(Worked::Suite, &exit(cause.clone(), stdout, stderr));
            assert_eq!(outcome.kind(), *kind, "{cause:?} {stdout:?} {stderr:?} gave {outcome:?}");
        }
    }

    #[test]
    fn an_agent_that_fails_never_speaks_for_the_code() {
        for code_ in [1, 2, 101, 124, 126, 127, 137, 139, 255] {
            let outcome = classify(
                Worked::Agent,
                &exit(code(code_), "not ok 1\ntest result: FAILED", "boom"),
            );
            assert!(!matches!(outcome, Outcome::SuiteRan { .. }), "exit {code_} gave {outcome:?}");
        }
        let killed = exit(ExitCause::Signaled { signal: 11 }, "", "");
        assert_eq!(classify(Worked::Agent, &killed).kind(), "transient_infra");
    }

    #[test]
    fn the_reason_quotes_the_last_words() {
        let outcome = classify(Worked::Agent, &exit(code(3), "", "first\nlast words\n\n"));
        assert_eq!(
            outcome,
            Outcome::TransientInfra { reason: "the agent exited with 3: last words".into() }
        );
    }
}
