//! Signs of infrastructure that failed, in what a program printed.

/// What an infrastructure fault's sign promises of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// It may pass by itself.
    Transient,
    /// Somebody has to mend something.
    Permanent,
}

use Promise::{Permanent, Transient};

/// Words of an error in lower case, what they promise, and what they mean.
type Sign = (&'static str, Promise, &'static str);

/// The machine itself is at fault: these count even beside failing tests, which fail because of it.
const MACHINE: &[Sign] = &[
    ("no space left on device", Transient, "the disk is full"),
    ("enospc", Transient, "the disk is full"),
    ("disk quota exceeded", Transient, "the disk quota is used up"),
    ("edquot", Transient, "the disk quota is used up"),
    ("disk i/o error", Transient, "the disk fails"),
    ("input/output error", Transient, "the disk fails"),
    ("read-only file system", Permanent, "the file system is read-only"),
    ("erofs", Permanent, "the file system is read-only"),
    ("cannot allocate memory", Transient, "out of memory"),
    ("out of memory: killed process", Transient, "out of memory"),
    ("oom-kill", Transient, "out of memory"),
    ("oomkilled", Transient, "out of memory"),
    ("(signal: 9, sigkill", Transient, "a process was killed (out of memory?)"),
    ("received signal 9", Transient, "a process was killed (out of memory?)"),
    ("resource temporarily unavailable", Transient, "no more processes could be started"),
    ("could not reserve enough space for", Transient, "out of memory"),
    ("insufficient memory for the java runtime", Transient, "out of memory"),
    ("cannot connect to the docker daemon", Permanent, "the docker daemon does not answer"),
    ("docker daemon is not running", Permanent, "the docker daemon does not answer"),
    ("error during connect: ", Permanent, "the docker daemon does not answer"),
    ("temporary failure in name resolution", Transient, "a host name could not be resolved"),
    ("eai_again", Transient, "a host name could not be resolved"),
    ("host key verification failed", Permanent, "ssh does not trust the host's key"),
    ("remote host identification has changed", Permanent, "ssh does not trust the host's key"),
    ("permission denied (publickey", Permanent, "ssh was not let in"),
    ("permission denied (password", Permanent, "ssh was not let in"),
    ("too many authentication failures", Permanent, "ssh was not let in"),
    ("ssh: connect to host", Transient, "ssh could not connect"),
    ("ssh: could not resolve hostname", Transient, "a host name could not be resolved"),
    ("kex_exchange_identification", Transient, "ssh could not connect"),
    ("client_loop: send disconnect", Transient, "ssh lost its connection"),
    ("closed by remote host", Transient, "a connection was dropped"),
    ("timeout, server", Transient, "ssh lost its connection"),
];

/// Something that a suite needs is at fault. Failing tests may say the same of what they test, so
/// these count only where no test failed.
const SURROUNDINGS: &[Sign] = &[
    ("sh: 0: cannot open", Permanent, "the script is missing"),
    ("dash: 0: cannot open", Permanent, "the script is missing"),
    ("sh: can't open", Permanent, "the script is missing"),
    ("can't open input file:", Permanent, "the script is missing"),
    ("executable file not found", Permanent, "command not found"),
    ("is not recognized as an internal or external command", Permanent, "command not found"),
    ("] error 127", Permanent, "command not found"),
    ("] error 126", Permanent, "command not executable"),
    ("docker: unknown command:", Permanent, "a docker plugin is missing"),
    ("is not a docker command", Permanent, "a docker plugin is missing"),
    ("no such image", Permanent, "the image is missing"),
    ("pull access denied", Permanent, "the image is missing or may not be pulled"),
    ("manifest unknown", Permanent, "the image is missing"),
    ("errimagepull", Permanent, "the image is missing or may not be pulled"),
    ("imagepullbackoff", Permanent, "the image is missing or may not be pulled"),
    ("unauthorized: ", Permanent, "credentials are missing or wrong"),
    ("authentication failed", Permanent, "credentials are missing or wrong"),
    ("could not read username for", Permanent, "credentials are missing or wrong"),
    ("could not read password for", Permanent, "credentials are missing or wrong"),
    ("unable to locate credentials", Permanent, "credentials are missing or wrong"),
    ("npm error code e401", Permanent, "credentials are missing or wrong"),
    ("npm error code e403", Permanent, "credentials are missing or wrong"),
    ("license has expired", Permanent, "a licence is missing or expired"),
    ("no valid license", Permanent, "a licence is missing or expired"),
    ("license checkout failed", Permanent, "a licence is missing or expired"),
    ("certificate has expired", Permanent, "a certificate is not valid"),
    ("certificate verify failed", Permanent, "a certificate is not valid"),
    ("error: linker `", Permanent, "the linker is missing"),
    ("error: no such command: `", Permanent, "a cargo plugin is missing"),
    ("could not find `cargo.toml`", Permanent, "there is no project where the command runs"),
    ("no test target named", Permanent, "there is no such test target"),
    ("package id specification", Permanent, "there is no such package"),
    ("go.mod file not found", Permanent, "there is no project where the command runs"),
    ("does not contain main module", Permanent, "there is no project where the command runs"),
    ("failed to change working directory", Permanent, "there is no such folder"),
    ("is not a directory", Permanent, "there is no such folder"),
    (": can't open file '", Permanent, "the script is missing"),
    ("error: unrecognized arguments", Permanent, "the command has a wrong argument"),
    ("there is no pom in this directory", Permanent, "there is no project where the command runs"),
    ("no rule to make target", Permanent, "make has no such target"),
    ("no targets specified and no makefile found", Permanent, "make finds no Makefile"),
    ("npm error missing script", Permanent, "package.json has no such script"),
    (": no module named ", Permanent, "a Python module is missing"),
    ("the java_home environment variable is not defined", Permanent, "no Java is set up"),
    ("toolchain '", Permanent, "a toolchain is missing"),
    ("could not find a version that satisfies", Transient, "a package could not be fetched"),
    ("newconnectionerror", Transient, "a connection could not be made"),
    ("failed to download", Transient, "a package could not be fetched"),
    ("could not resolve host", Transient, "a host name could not be resolved"),
    ("name or service not known", Transient, "a host name could not be resolved"),
    ("enotfound", Transient, "a host name could not be resolved"),
    ("no such host", Transient, "a host name could not be resolved"),
    ("unknown host ", Transient, "a host name could not be resolved"),
    ("unknownhostexception", Transient, "a host name could not be resolved"),
    ("network failure seems to have happened", Transient, "the network fails"),
    ("could not resolve dependencies", Transient, "a package could not be fetched"),
    ("one of its dependencies could not be resolved", Transient, "a package could not be fetched"),
    ("has not been downloaded from it before", Transient, "a package could not be fetched"),
    ("spurious network error", Transient, "the network fails"),
    ("toomanyrequests", Transient, "a registry asks for patience"),
    ("429 too many requests", Transient, "a registry asks for patience"),
    ("503 service unavailable", Transient, "a service is not available"),
    ("502 bad gateway", Transient, "a service is not available"),
    ("504 gateway time-out", Transient, "a service is not available"),
    ("connection refused", Transient, "a connection was refused"),
    ("econnrefused", Transient, "a connection was refused"),
    ("couldn't connect to server", Transient, "a connection was refused"),
    ("connection timed out", Transient, "a connection timed out"),
    ("operation timed out", Transient, "a connection timed out"),
    ("etimedout", Transient, "a connection timed out"),
    ("i/o timeout", Transient, "a connection timed out"),
    ("connection reset by peer", Transient, "a connection was dropped"),
    ("econnreset", Transient, "a connection was dropped"),
    ("broken pipe", Transient, "a connection was dropped"),
    ("the remote end hung up", Transient, "a connection was dropped"),
    ("network is unreachable", Transient, "the network is unreachable"),
    ("no route to host", Transient, "the network is unreachable"),
    ("tls handshake timeout", Transient, "a connection timed out"),
    ("too many open files", Transient, "too many open files"),
    ("address already in use", Transient, "a port is in use"),
    ("eaddrinuse", Transient, "a port is in use"),
    ("port is already allocated", Transient, "a port is in use"),
    ("index.lock': file exists", Transient, "another git holds a lock"),
    ("another git process seems to be running", Transient, "another git holds a lock"),
    ("could not lock config file", Transient, "another git holds a lock"),
    ("could not acquire package cache lock", Transient, "another cargo holds a lock"),
    ("could not get lock", Transient, "another package manager holds a lock"),
    ("timeout waiting to lock", Transient, "another build holds a lock"),
    ("javascript heap out of memory", Transient, "out of memory"),
    ("java.lang.outofmemoryerror", Transient, "out of memory"),
    ("virtual memory exhausted", Transient, "out of memory"),
    ("memory allocation of", Transient, "out of memory"),
    ("memoryerror", Transient, "out of memory"),
    ("database is locked", Transient, "a database is locked"),
    ("too many clients already", Transient, "a database has no connection left"),
];

/// What of the machine itself failed.
pub(super) fn machine_sign<'a>(output: &[&'a str]) -> Option<Found<'a>> {
    find(MACHINE, output)
}

/// What of a suite's surroundings failed, the machine included.
pub(super) fn infrastructure_sign<'a>(output: &[&'a str]) -> Option<Found<'a>> {
    missing_program(output).or_else(|| find(MACHINE, output)).or_else(|| find(SURROUNDINGS, output))
}

/// A sign where it was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) promise: Promise,
    /// What it means.
    pub(super) what: &'static str,
    /// The line that says it.
    pub(super) line: &'a str,
}

fn find<'a>(signs: &[Sign], output: &[&'a str]) -> Option<Found<'a>> {
    output.iter().filter(|line| !quotes(line)).find_map(|line| {
        let lower = line.to_lowercase();
        let (_, promise, what) = signs.iter().find(|(sign, _, _)| lower.contains(sign))?;
        Some(Found { promise: *promise, what, line })
    })
}

/// A shell or another starter of programs says that one is missing.
fn missing_program<'a>(output: &[&'a str]) -> Option<Found<'a>> {
    let says = |line: &str| {
        let lower = line.to_lowercase();
        let shell = [
            "sh: ", "dash: ", "bash: ", "ash: ", "ksh: ", "zsh:", "fish: ", "env: ", "make: ",
            "xargs: ", "sudo: ", "nohup: ", "time: ",
        ];
        let starter = shell.iter().any(|shell| lower.starts_with(shell)) || in_script(&lower);
        starter
            && (lower.ends_with(": not found")
                || lower.contains("command not found")
                || lower.contains("unknown command")
                || lower.ends_with(": no such file or directory"))
    };
    let line = output.iter().filter(|line| !quotes(line)).find(|line| says(line))?;
    Some(Found { promise: Permanent, what: "command not found", line })
}

/// `./run.sh: line 3: docker: …` or `./run.sh: 3: docker: …`.
fn in_script(lower: &str) -> bool {
    let Some((_, rest)) = lower.split_once(": ") else { return false };
    let rest = rest.strip_prefix("line ").unwrap_or(rest);
    rest.split_once(": ")
        .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// A line that tells a test's name or quotes source: what it says is no error of this run.
fn quotes(line: &str) -> bool {
    let text = line.trim_start();
    let named = [
        "ok ",
        "not ok ",
        "test ",
        "PASS",
        "--- PASS",
        "--- FAIL",
        "=== RUN",
        "✓",
        "✔",
        "✕",
        "✖",
        "×",
        "●",
        "○",
        "+ ",
        "- ",
        ">    ",
        "# Subtest",
        "Expected:",
        "Received:",
        "expected",
        "Actual",
        "left:",
        "right:",
        "assert",
        "E       assert",
    ];
    let numbered_source = text
        .trim_start_matches(|c: char| c == '>' || c == ' ' || c.is_ascii_digit())
        .starts_with('|');
    numbered_source || named.iter().any(|start| text.starts_with(start))
}

/// Words by which a program says that a check of its own failed.
const OWN_WORDS: &[&str] = &["assertion failed", "assertionerror", "assertion `", "panicked at"];

/// True where a program without a known runner says that a check of its own failed.
pub(super) fn own_words(output: &[&str]) -> bool {
    output.iter().any(|line| {
        let lower = line.to_lowercase();
        OWN_WORDS.iter().any(|words| lower.contains(words))
    })
}

/// Words of compilers and interpreters for code that is no program.
const BROKEN_SOURCE: &[&str] = &[
    "syntaxerror: ",
    "indentationerror: ",
    "error ts",
    "error cs",
    "ld returned 1 exit status",
    "cannot find module './",
    "cannot find module '../",
    "failed to parse manifest",
    "while loading conftest",
    "conftest.py:",
    "cargo.toml:",
];

/// True where a compiler or an interpreter refuses the source.
pub(super) fn broken_source(output: &[&str]) -> bool {
    output.iter().any(|line| {
        let lower = line.to_lowercase();
        BROKEN_SOURCE.iter().any(|words| lower.contains(words)) || c_error(&lower)
    })
}

/// `calc.c:3:5: error: …`, as C compilers and many others write it.
fn c_error(lower: &str) -> bool {
    let Some((place, _)) =
        lower.split_once(": error: ").or_else(|| lower.split_once(": fatal error: "))
    else {
        return false;
    };
    place.rsplit(':').next().is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
