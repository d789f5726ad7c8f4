//! Writes a file where none is, as a whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was not there and is now.
    New,
    /// It was there and was not touched.
    Kept,
}

impl Written {
    /// As one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "written",
            Self::Kept => "kept",
        }
    }
}

/// Writes a new file; one that is there is kept.
pub fn new_file(path: &Path, text: &str) -> anyhow::Result<Written> {
    let context = || format!("{} can't be written", path.display());
    if fs::symlink_metadata(path).is_ok() {
        return Ok(Written::Kept);
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).with_context(context)?;
    let aside = path.with_extension("toml.new");
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    write().with_context(context)?;
    Ok(Written::New)
}
