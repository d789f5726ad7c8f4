//! The scripted agent at work in a folder of its own.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod choice;
mod endings;
mod format;
mod hostile;
mod places;
mod steps;
mod support;
mod texts;
