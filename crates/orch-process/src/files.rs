//! Files that are whole or absent, for whoever keeps state beside runs.

pub use crate::fsio::{create_exclusive, publish, read_json, sync_dir, write_atomic};
