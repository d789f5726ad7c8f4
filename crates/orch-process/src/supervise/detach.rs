//! Leaves the caller's process tree, session, directory and descriptors behind.
#![expect(unsafe_code, reason = "fork and close_range have no safe form")]

use std::io;

/// Which of the two processes after the fork this one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The one that the caller started and reaps; it has nothing left to do.
    Launcher,
    /// The detached one.
    Supervisor,
}

/// Forks. The launcher ends at once, so the supervisor is adopted by init; it has a session of its
/// own, adopts orphans of its tree, stands in `/` (to keep no mount busy) and holds no descriptor
/// but 0, 1 and 2.
pub(super) fn detach() -> io::Result<Role> {
    refuse_threads()?;
    // SAFETY: this process has one thread (checked above), so the child may go on as a normal
    // program: no lock can be held by a thread that does not exist in it.
    match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => {}
        _ => return Ok(Role::Launcher),
    }
    rustix::process::setsid()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    std::env::set_current_dir("/")?;
    Ok(Role::Supervisor)
}

fn refuse_threads() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads == 1 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the supervisor has to be the first thing a process does; {threads} threads run already"
    )))
}

/// Closes what the caller may have leaked to us. Must come before this process opens anything that
/// it wants to keep.
pub(super) fn close_inherited() {
    // SAFETY: nothing in this process owns a descriptor above 2 yet, so none is closed under its
    // owner. On a kernel without the call nothing happens, and leaks stay what they were.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32);
    }
}

/// Lets go of the launcher's pipe, so that its reader sees the end.
pub(super) fn close_stdout() -> io::Result<()> {
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
}
