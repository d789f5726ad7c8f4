//! Runs on another machine: a real sshd on loopback, real connections, real cuts.
#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod bed;
mod channels;
mod ends;
mod links;
