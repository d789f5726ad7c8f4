//! The staging suite on another machine: a real sshd on loopback, reached by the real service.
#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod bed;
mod faults;
mod staging;
