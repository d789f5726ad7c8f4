//! The provider of the tests, asked as agent programs ask it.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod anthropic;
mod chat;
mod faults;
mod gemini;
mod responses;
mod support;
