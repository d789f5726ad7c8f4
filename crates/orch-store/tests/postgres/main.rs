//! What only a server can do, or suffer: several nodes on one database, restarts, cut connections.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../conformance/engine.rs"]
#[expect(dead_code, reason = "the conformance suite uses all of it")]
mod engine;
mod events;
mod limits;
mod migrations;
mod proxy;
mod restarts;

use engine::Engine;
