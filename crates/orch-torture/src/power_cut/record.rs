//! The recording: the load as a process of its own under `strace`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, anyhow, bail};

use super::history::{Builder, History};
use super::strace::Reader;
use super::workload::Load;

/// The calls that change files or flush them, and those that could in ways that the replay does
/// not know; a machine that lacks one (`?`) is none the worse.
const CALLS: &str = "trace=openat,?open,?creat,write,pwrite64,writev,pwritev,?pwritev2,ftruncate,\
     truncate,?fallocate,fsync,fdatasync,sync,syncfs,?sync_file_range,?unlink,unlinkat,?rename,\
     ?renameat,renameat2,?link,linkat,?copy_file_range,?sendfile,mmap";
/// Longer than anything that SQLite writes at once; a text that is cut short is refused.
const LONGEST: &str = "1048576";

/// Runs the load under `strace`; the log is in that folder.
pub(super) fn record(load: &Load) -> anyhow::Result<PathBuf> {
    let log = load.dir.join("strace.log");
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let done = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", LONGEST, "-e", CALLS, "-e", "signal=none", "-o"])
        .arg(&log)
        .arg("--")
        .arg(own)
        .args(["power-cut", "workload", "--dir"])
        .arg(&load.dir)
        .args(["--seed", &load.seed.to_string(), "--threads", &load.threads.to_string()])
        .args(["--steps", &load.steps.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output();
    let done = match done {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("strace is not there; install the package `strace`")
        }
        done => done.context("cannot start strace")?,
    };
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("the recorded load ended with {}: {}", done.status, said.trim());
    }
    Ok(log)
}

/// Reads a log.
pub(super) fn read(log: &Path) -> anyhow::Result<History> {
    let file =
        std::fs::File::open(log).with_context(|| format!("cannot read {}", log.display()))?;
    let mut lines = BufReader::new(file);
    let (mut reader, mut builder) = (Reader::default(), Builder::default());
    let (mut text, mut number) = (String::new(), 0_usize);
    loop {
        text.clear();
        number += 1;
        if lines.read_line(&mut text).with_context(|| format!("{} line {number}", log.display()))?
            == 0
        {
            break;
        }
        let taken = reader.line(&text).and_then(|call| match call {
            Some(call) => builder.call(&call),
            None => Ok(()),
        });
        taken.map_err(|what| anyhow!("{} line {number}: {what}", log.display()))?;
    }
    builder.finish().map_err(|what| anyhow!("{}: {what}", log.display()))
}
