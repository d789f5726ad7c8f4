//! The code tree: a commit's tree without the folder of work items, by which "is this the tree
//! that was tested?" is answered although artifacts keep being added.
//!
//! It is computed from the raw tree objects along the folder's path, so it costs the same in a
//! repository of any size, needs no index and writes nothing.

use orch_core::ids::{Revision, TreeId, WORK_ITEMS_DIR};

use crate::error::{GitError, Result};
use crate::objects::Objects;
use crate::parse::{self, Found};

pub(crate) fn code_tree(objects: &Objects, rev: &Revision) -> Result<TreeId> {
    let parts: Vec<&str> = WORK_ITEMS_DIR.split('/').collect();
    let requests: Vec<String> = (0..parts.len())
        .map(|depth| match depth {
            0 => format!("{rev}^{{tree}}"),
            _ => format!("{rev}:{}", parts[..depth].join("/")),
        })
        .collect();
    let levels = levels(objects, &requests)?;
    let Some(root) = levels.first() else {
        return Err(GitError::NoSuchRef { name: rev.to_string() });
    };
    match without(objects, &levels, &parts)? {
        Some(id) => Ok(id),
        None => tree_id(&root.id),
    }
}

/// The trees along the path, from the root as far down as there are folders.
fn levels(objects: &Objects, requests: &[String]) -> Result<Vec<Found>> {
    let input: String = requests.iter().flat_map(|r| [r.as_str(), "\0"]).collect();
    let out = objects.bare().args(["cat-file", "--batch", "-z"]).input(input).ok()?;
    let asked: Vec<&[u8]> = requests.iter().map(String::as_bytes).collect();
    let found = parse::batch(&out, &asked)?;
    Ok(found.into_iter().map_while(|f| f.filter(|f| f.kind == "tree")).collect())
}

/// The root's new id; `None` where the folder is not there and nothing changes.
fn without(objects: &Objects, levels: &[Found], parts: &[&str]) -> Result<Option<TreeId>> {
    if levels.len() < parts.len() {
        return Ok(None);
    }
    // The entry that takes the place of the one below; `None`: it falls away.
    let mut replacement: Option<Vec<u8>> = None;
    for (level, part) in levels.iter().zip(parts).rev() {
        let Some(bytes) = replaced(level, part.as_bytes(), replacement.as_deref())? else {
            return Ok(None);
        };
        // Git keeps no empty folders: a folder that held nothing else falls away too.
        replacement = if bytes.is_empty() { None } else { Some(hash(objects, &bytes)?) };
    }
    let id = match replacement {
        Some(id) => id,
        None => hash(objects, b"")?,
    };
    tree_id(&parse::text(&id)).map(Some)
}

/// A raw tree with one entry's id replaced, or the entry left out; `None` if it has no such entry.
fn replaced(level: &Found, name: &[u8], id: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
    let id_len = level.id.len() / 2;
    let mut bytes = Vec::with_capacity(level.bytes.len());
    let mut seen = false;
    for (entry_name, entry) in parse::tree_entries(&level.bytes, id_len)? {
        if entry_name != name {
            bytes.extend_from_slice(entry);
            continue;
        }
        seen = true;
        if let Some(id) = id {
            bytes.extend_from_slice(&entry[..entry.len() - id_len]);
            bytes.extend(unhex(id)?);
        }
    }
    Ok(seen.then_some(bytes))
}

/// The id of a raw tree, in hex.
fn hash(objects: &Objects, raw: &[u8]) -> Result<Vec<u8>> {
    let out = objects.bare().args(["hash-object", "-t", "tree", "--stdin"]).input(raw).ok()?;
    Ok(out.trim_ascii().to_vec())
}

fn unhex(hex: &[u8]) -> Result<Vec<u8>> {
    let unreadable = || GitError::unreadable("object id", hex);
    let digits = std::str::from_utf8(hex).map_err(|_| unreadable())?;
    let byte = |at| digits.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    (0..digits.len()).step_by(2).map(|at| byte(at).ok_or_else(unreadable)).collect()
}

fn tree_id(hex: &str) -> Result<TreeId> {
    TreeId::new(hex).map_err(|_| GitError::unreadable("tree id", hex.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, u8)]) -> Found {
        let mut bytes = Vec::new();
        for (name, fill) in entries {
            bytes.extend(format!("40000 {name}\0").bytes());
            bytes.extend([*fill; 20]);
        }
        Found { id: "0".repeat(40), kind: "tree".to_owned(), bytes }
    }

    #[test]
    fn an_entry_is_left_out_or_replaced_and_the_rest_kept() {
        let level = tree(&[("a", 1), ("docs", 2), ("z", 3)]);
        let left_out = replaced(&level, b"docs", None).unwrap().unwrap();
        assert_eq!(left_out, tree(&[("a", 1), ("z", 3)]).bytes);
        let id = "09".repeat(20);
        let other = replaced(&level, b"docs", Some(id.as_bytes())).unwrap().unwrap();
        assert_eq!(other, tree(&[("a", 1), ("docs", 9), ("z", 3)]).bytes);
        assert_eq!(replaced(&level, b"doc", None).unwrap(), None);
        assert!(replaced(&level, b"docs", Some(b"zz")).is_err());
    }
}
