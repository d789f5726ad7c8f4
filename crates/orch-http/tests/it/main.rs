//! The API as its users meet it: a real server on a loopback port, a real database, the real
//! client, and for what no client would send, bytes on a socket.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod events;
mod gate;
mod guards;
mod hostile;
mod reports;
mod routes;
mod runs;
mod service;
mod tasks;
