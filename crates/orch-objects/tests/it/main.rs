//! The object store on a directory and on a real S3 server, sound and failing.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod faults;
mod log;
mod store;
mod support;
