//! Signals as something to poll: SIGTERM asks for the run's end, SIGCHLD says that somebody died.
#![expect(unsafe_code, reason = "signal masks and signalfd have no safe form")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// The supervisor's signals; the descriptor is readable when one waits.
pub(crate) struct Signals(OwnedFd);

impl Signals {
    /// Takes SIGTERM and SIGCHLD over from the default handling and ignores what a terminal sends.
    pub(crate) fn take_over() -> io::Result<Self> {
        // SAFETY: plain calls on a signal set that `sigemptyset` has initialised; SIG_IGN is a
        // valid handler; the descriptor returned is new and owned by nobody else.
        unsafe {
            for ignored in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGPIPE] {
                libc::signal(ignored, libc::SIG_IGN);
            }
            // An ignored SIGCHLD, inherited from the caller, would have the kernel reap for us and
            // the child's exit status would be lost.
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            let mut set = MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
            libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
            if libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            let fd = libc::signalfd(-1, set.as_ptr(), libc::SFD_NONBLOCK | libc::SFD_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self(OwnedFd::from_raw_fd(fd)))
        }
    }

    /// Takes all waiting signals; true if SIGTERM was among them.
    pub(crate) fn drain(&self) -> bool {
        let mut terminated = false;
        let mut records = [0_u8; 8 * RECORD];
        while let Ok(count) = rustix::io::read(&self.0, &mut records)
            && count >= RECORD
        {
            // The first field of a record is the signal's number, as a native 32-bit integer.
            for record in records[..count].chunks_exact(RECORD) {
                let number = u32::from_ne_bytes([record[0], record[1], record[2], record[3]]);
                terminated |= i32::try_from(number) == Ok(libc::SIGTERM);
            }
        }
        terminated
    }
}

/// The size of one record that a signal descriptor yields.
const RECORD: usize = size_of::<libc::signalfd_siginfo>();

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Gives a child the signal handling that programs expect to start with. Called between fork and
/// exec: only async-signal-safe calls are allowed here.
pub(crate) fn restore_defaults() -> io::Result<()> {
    // SAFETY: all calls are async-signal-safe, on a set initialised by `sigemptyset`.
    unsafe {
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGPIPE, libc::SIGCHLD] {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        if libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
