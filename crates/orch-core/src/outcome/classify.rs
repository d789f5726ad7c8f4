//! From the end of a process to an outcome: exit code *and* what was printed *and* the suite's own
//! marks, because exit 1 is ambiguous (S7).
//!
//! A failure is booked as the code's only on positive evidence: the suite's own marks, a compiler
//! that refuses the source, a program's own words. What shows neither that nor a sign of
//! infrastructure is unknown.

use super::Outcome;
use super::signs::{Found, Promise, broken_source, infrastructure_sign, machine_sign, own_words};
use crate::process::{ExitCause, RunExit};
use crate::suite::SuiteReport;
use crate::verdict::tail;

/// Who worked; the same exit means different things of each.
#[derive(Debug, Clone, Copy)]
pub enum Worked<'a> {
    /// An agent: it has no verdict of its own, so anything but exit 0 is the agent's environment.
    Agent,
    /// A suite, with what was read from its output.
    Suite(&'a SuiteReport),
    /// A deploy command: its failure is a verdict unless there are signs to the contrary.
    Deploy,
}

/// Signals by which a program that is itself at fault dies: ABRT, BUS, FPE, ILL, SEGV, SYS, TRAP.
const FAULTS_OF_THE_PROGRAM: [i32; 7] = [6, 7, 8, 4, 11, 31, 5];

/// Classifies the end of a run.
pub fn classify(worked: Worked<'_>, exit: &RunExit) -> Outcome {
    match &exit.cause {
        ExitCause::Exited { code: 0 } => went_well(worked),
        ExitCause::Exited { code } => failed(worked, *code, exit),
        ExitCause::Signaled { signal } => signaled(worked, *signal, exit),
        ExitCause::TimedOut { limit_ms } => Outcome::TimedOut { limit_ms: *limit_ms },
        ExitCause::Stalled { limit_ms } => Outcome::Stalled { limit_ms: *limit_ms },
        // Steps are counted of agents alone, whose ends `AgentEnd` tells apart.
        ExitCause::Looping { steps, .. } => {
            Outcome::Unknown { reason: format!("it was ended after {steps} steps") }
        }
        ExitCause::OverDisk { limit_bytes, used_bytes } => {
            Outcome::OverDisk { limit_bytes: *limit_bytes, used_bytes: *used_bytes }
        }
        ExitCause::Cancelled => Outcome::Cancelled,
        ExitCause::SpawnFailed { message, missing: true } => {
            Outcome::PermanentEnv { reason: format!("the program could not be started: {message}") }
        }
        ExitCause::SpawnFailed { message, missing: false } => Outcome::TransientInfra {
            reason: format!("the program could not be started: {message}"),
        },
    }
}

/// Exit 0 of a suite proves nothing where its own output says otherwise.
fn went_well(worked: Worked<'_>) -> Outcome {
    let well = Outcome::SuiteRan { exit_code: 0 };
    let Worked::Suite(suite) = worked else { return well };
    if suite.ran_nothing() {
        return nothing_ran(suite);
    }
    if suite.has_failure() || suite.build_failed {
        let what = match suite.failures.first() {
            Some(first) => format!("failing tests ({})", first.name),
            None => "a failure".to_owned(),
        };
        let reason = format!(
            "the command ended with exit code 0, and its output tells of {what}; let it end with \
             the suite's own exit code (a pipe or `|| true` hides it)"
        );
        return Outcome::Unproven { reason };
    }
    if let Some(runner) = suite.unfinished.first() {
        let reason = format!(
            "the command ended with exit code 0, and the output of {runner} breaks off before its \
             end: it was killed, or a pipe hides its exit code (`set -o pipefail`, or no pipe)"
        );
        return Outcome::Unproven { reason };
    }
    if suite.marks_missing {
        let reason = "the command ended with exit code 0 and printed none of the configured marks";
        return Outcome::Unknown { reason: reason.to_owned() };
    }
    well
}

fn nothing_ran(suite: &SuiteReport) -> Outcome {
    let skipped = suite.counts.map_or(0, |counts| counts.skipped);
    let runner = suite.runners.first().copied().unwrap_or("the suite");
    let left_out = if skipped > 0 { format!(" and {skipped} were skipped") } else { String::new() };
    let reason = format!(
        "zero tests ran ({runner}){left_out}: that proves nothing; look at the command's filter and \
         folder"
    );
    Outcome::Unproven { reason }
}

fn signaled(worked: Worked<'_>, signal: i32, exit: &RunExit) -> Outcome {
    let output = lines(worked, exit);
    let judged = !matches!(worked, Worked::Agent);
    if judged && FAULTS_OF_THE_PROGRAM.contains(&signal) {
        return match infrastructure_sign(&output) {
            Some(found) if found.what == "out of memory" => infrastructure(found),
            _ => Outcome::SuiteRan { exit_code: 128 + signal },
        };
    }
    let hint = if signal == 9 { " (out of memory?)" } else { "" };
    Outcome::TransientInfra { reason: format!("killed by signal {signal}{hint}") }
}

fn failed(worked: Worked<'_>, code: i32, exit: &RunExit) -> Outcome {
    let output = lines(worked, exit);
    let ran = Outcome::SuiteRan { exit_code: code };
    let by_signal = (129..=192).contains(&code);
    if let Worked::Suite(suite) = worked
        && suite.has_failure()
        && !by_signal
    {
        return machine_sign(&output).map_or(ran, infrastructure);
    }
    if matches!(code, 126 | 127) {
        let what = if code == 127 { "command not found" } else { "command not executable" };
        return Outcome::PermanentEnv { reason: said(&format!("{what} (exit {code})"), exit) };
    }
    if by_signal {
        return signaled(worked, code - 128, exit);
    }
    if let Some(found) = infrastructure_sign(&output) {
        return infrastructure(found);
    }
    match worked {
        Worked::Agent => {
            let reason = said(&format!("the agent exited with {code}"), exit);
            Outcome::TransientInfra { reason }
        }
        Worked::Deploy => ran,
        Worked::Suite(_) if code == 124 => {
            Outcome::TransientInfra { reason: "a time limit within the command passed".to_owned() }
        }
        Worked::Suite(suite) if suite.build_failed => ran,
        Worked::Suite(suite) if suite.ran_nothing() => nothing_ran(suite),
        Worked::Suite(suite) if suite.counts.is_some() => ran,
        Worked::Suite(_) if own_words(&output) || broken_source(&output) => ran,
        Worked::Suite(_) => {
            let what = format!(
                "exit code {code} without a mark of a suite that ran; where the suite is one that \
                 is not known, set `marks`"
            );
            Outcome::Unknown { reason: said(&what, exit) }
        }
    }
}

fn infrastructure(found: Found<'_>) -> Outcome {
    let line = tail(found.line.trim(), 300);
    let reason = format!("{}: {line}", found.what);
    match found.promise {
        Promise::Permanent => Outcome::PermanentEnv { reason },
        Promise::Transient => Outcome::TransientInfra { reason },
    }
}

/// Standard error first: that is where errors stand. An agent's standard output is its talk.
fn lines<'a>(worked: Worked<'_>, exit: &'a RunExit) -> Vec<&'a str> {
    let talk = if matches!(worked, Worked::Agent) { "" } else { exit.stdout_tail.as_str() };
    exit.stderr_tail.lines().chain(talk.lines()).collect()
}

fn said(what: &str, exit: &RunExit) -> String {
    let last = last_line(exit);
    if last.is_empty() { what.to_owned() } else { format!("{what}: {last}") }
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
            let suite = crate::suite::read(stdout, stderr, &[]);
            let outcome = classify(Worked::Suite(&suite), &exit(cause.clone(), stdout, stderr));
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
    fn what_an_agent_says_is_no_sign() {
        let talk = "I ran it: sh: 1: docker: not found";
        let outcome = classify(Worked::Agent, &exit(code(1), talk, ""));
        assert_eq!(outcome.kind(), "transient_infra");
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
