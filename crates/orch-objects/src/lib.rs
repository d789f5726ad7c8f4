//! The object store: what runs leave behind (logs, briefs, exits, artifacts), in a directory or in
//! a bucket of an S3-compatible service, so that every machine can read it (S14).
//!
//! Calls block and are bounded in time; an object is there whole or not at all. Keys are made from
//! parsed ids only ([`Key`]). Nothing here is needed for a run: whoever writes tries again later.

mod backend;
mod error;
mod key;
mod log;
mod objects;

pub use error::ObjectsError;
pub use key::{ArtifactName, BadArtifactName, Key};
pub use log::{CHUNK, LogPiece, MAX_LOG, Place};
pub use objects::{Objects, Stored};
