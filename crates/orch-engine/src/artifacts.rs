//! Reads artifacts off a disk that agents write to: no link is followed, nothing is read that is
//! not a plain file of allowed size.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use orch_core::artifact::{ArtifactContent, ArtifactSet, MAX_ARTIFACT_BYTES};

/// Every artifact of a folder by its path in it, one level of folders deep as the contract's names
/// are.
pub fn read_set(dir: &Path) -> ArtifactSet {
    let mut set = ArtifactSet::default();
    for (name, is_dir) in entries(dir) {
        let path = dir.join(&name);
        if !is_dir {
            set.insert(name, read_one(&path));
            continue;
        }
        for (inner, _) in entries(&path) {
            let content = read_one(&path.join(&inner));
            set.insert(format!("{name}/{inner}"), content);
        }
    }
    set
}

/// The names in a folder, and which are folders themselves. A name that is not UTF-8 is no
/// artifact's.
fn entries(dir: &Path) -> Vec<(String, bool)> {
    let found = fs::read_dir(dir).into_iter().flatten().flatten();
    found
        .filter_map(|entry| {
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            Some((entry.file_name().into_string().ok()?, is_dir))
        })
        .collect()
}

/// One artifact.
pub fn read_one(path: &Path) -> ArtifactContent {
    let unreadable = |error: io::Error| ArtifactContent::Unreadable { reason: error.to_string() };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return ArtifactContent::Absent,
        Err(error) => return unreadable(error),
    };
    if found.is_symlink() {
        return ArtifactContent::Symlink;
    }
    if !found.is_file() {
        return ArtifactContent::NotAFile;
    }
    let limit = MAX_ARTIFACT_BYTES as u64;
    if found.len() > limit {
        return ArtifactContent::TooLarge { bytes: found.len() };
    }
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)) {
        Ok(read) if read as u64 > limit => ArtifactContent::TooLarge { bytes: read as u64 },
        Ok(_) => ArtifactContent::Text(bytes),
        Err(error) => unreadable(error),
    }
}
