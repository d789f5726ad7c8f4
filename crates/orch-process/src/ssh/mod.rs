//! Work on another machine, by the system's own `ssh`.
//!
//! An [`Order`] says what is to run where; [`remote_runner_main`], started by a run's supervisor,
//! carries it out and leaves a `RemoteEnd` beside the run's log. On the far side a small script for
//! any POSIX shell detaches the work from the connection, keeps its output, and ends with a result
//! frame, so that a lost link loses nothing: the next connection attaches to the run by its id.
//!
//! A connection is kept open for others to share by the service ([`Client::keep_open`]), never by a
//! run: what a run starts is ended with it.

mod call;
mod client;
mod connection;
mod order;
mod protocol;
mod runner;
mod script;
mod watch;

pub use call::{check, clean, stop};
pub use client::Client;
pub use order::{Earlier, Order, nonce};
pub use runner::remote_runner_main;
