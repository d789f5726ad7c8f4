//! Money, accounts, questions: what stops an agent, what goes on, and what is said of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod bed;
mod beside;
mod money;
mod questions;
