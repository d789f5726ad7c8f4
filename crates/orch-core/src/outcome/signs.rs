//! Signs in what a program printed: of a suite that really ran, and of infrastructure that did not.

/// What an infrastructure fault's sign promises of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It may pass by itself.
    Transient,
    /// Somebody has to mend something.
    Permanent,
}

/// What stands in an error message, in lower case, what it promises, and what it means.
const SIGNS: &[(&str, Sign, &str)] = &[
    (": command not found", Sign::Permanent, "command not found"),
    (": not found", Sign::Permanent, "command not found"),
    ("sh: 0: cannot open", Sign::Permanent, "the script is missing"),
    ("executable file not found", Sign::Permanent, "command not found"),
    ("cannot connect to the docker daemon", Sign::Permanent, "the docker daemon does not answer"),
    ("no such image", Sign::Permanent, "the image is missing"),
    ("host key verification failed", Sign::Permanent, "ssh does not trust the host's key"),
    ("permission denied (publickey", Sign::Permanent, "ssh was not let in"),
    ("no space left on device", Sign::Transient, "the disk is full"),
    ("cannot allocate memory", Sign::Transient, "out of memory"),
    ("could not resolve host", Sign::Transient, "a host name could not be resolved"),
    ("temporary failure in name resolution", Sign::Transient, "a host name could not be resolved"),
    ("connection refused", Sign::Transient, "a connection was refused"),
    ("connection timed out", Sign::Transient, "a connection timed out"),
    ("connection reset by peer", Sign::Transient, "a connection was dropped"),
    ("closed by remote host", Sign::Transient, "a connection was dropped"),
    ("network is unreachable", Sign::Transient, "the network is unreachable"),
    ("no route to host", Sign::Transient, "the network is unreachable"),
    ("too many open files", Sign::Transient, "too many open files"),
];

/// The first sign of an infrastructure fault in standard error.
pub(super) fn infrastructure_sign(stderr: &str) -> Option<(Sign, &'static str)> {
    let text = stderr.to_lowercase();
    SIGNS.iter().find(|(sign, _, _)| text.contains(sign)).map(|(_, sign, what)| (*sign, *what))
}

/// How lines begin that only a test runner prints.
const MARKS: &[&str] = &[
    "ok ",
    "not ok ",
    "1..",
    "test result:",
    "running ",
    "--- FAIL",
    "--- PASS",
    "FAIL\t",
    "ok  \t",
    "=== RUN",
    "Tests:",
    "Test Files",
    "Tests run:",
    "collected ",
    "Summary [",
    "FAILED ",
    "PASSED ",
];

/// True where what was printed shows that a suite really ran: TAP, cargo, go, pytest, the usual
/// JavaScript runners, Maven.
pub fn suite_marks(stdout: &str, stderr: &str) -> bool {
    let marked = |line: &str| MARKS.iter().any(|mark| line.trim_start().starts_with(mark));
    stdout.lines().any(marked) || stderr.lines().any(marked)
}
