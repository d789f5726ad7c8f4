//! The provider of the tests, asked as agent programs ask it.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod anthropic;
mod faults;
mod responses;
mod support;
