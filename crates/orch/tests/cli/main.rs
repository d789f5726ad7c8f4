//! The real binary in an environment of its own, command by command.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod check_gate;
mod command_line;
mod init;
mod local;
mod place;
mod served;
