//! Readers of the object store's output: `cat-file --batch`, `ls-tree`, raw trees.

use orch_core::ids::Revision;

use crate::error::{GitError, Result};
use crate::objects::{EntryKind, TreeEntry};
use crate::parse::{records, text};

/// One object out of `git cat-file --batch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub id: String,
    pub kind: String,
    pub bytes: Vec<u8>,
}

/// `git cat-file --batch`: the answer to each request, `None` where there is no such object.
/// A missing one is echoed as asked, so `asked` is needed to know where its line ends.
pub(crate) fn batch(mut bytes: &[u8], asked: &[&[u8]]) -> Result<Vec<Option<Found>>> {
    let mut all = Vec::with_capacity(asked.len());
    for request in asked {
        let (found, rest) =
            batch_one(bytes, request).ok_or_else(|| GitError::unreadable("cat-file", bytes))?;
        all.push(found);
        bytes = rest;
    }
    Ok(all)
}

fn batch_one<'a>(bytes: &'a [u8], request: &[u8]) -> Option<(Option<Found>, &'a [u8])> {
    if let Some(rest) = bytes.strip_prefix(request).and_then(|r| r.strip_prefix(b" missing\n")) {
        return Some((None, rest));
    }
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let header = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut words = header.split(' ');
    let (id, kind) = (words.next()?.to_owned(), words.next()?.to_owned());
    let size: usize = words.next()?.parse().ok()?;
    let rest = &bytes[end + 1..];
    let content = rest.get(..size)?.to_vec();
    let rest = rest.get(size..)?.strip_prefix(b"\n")?;
    Some((Some(Found { id, kind, bytes: content }), rest))
}

/// `git ls-tree -z -l`.
pub(crate) fn ls_tree(bytes: &[u8]) -> Result<Vec<TreeEntry>> {
    let read = |r: &[u8]| ls_tree_record(r).ok_or_else(|| GitError::unreadable("ls-tree", r));
    records(bytes).map(read).collect()
}

fn ls_tree_record(record: &[u8]) -> Option<TreeEntry> {
    let tab = record.iter().position(|b| *b == b'\t')?;
    let head = std::str::from_utf8(&record[..tab]).ok()?;
    let mut words = head.split_ascii_whitespace();
    let kind = match words.next()? {
        "040000" => EntryKind::Folder,
        "120000" => EntryKind::Symlink,
        "160000" => EntryKind::Submodule,
        "100755" => EntryKind::Executable,
        mode if mode.starts_with("100") => EntryKind::File,
        _ => return None,
    };
    let object = Revision::new(words.nth(1)?).ok()?;
    let size = words.next()?.parse().unwrap_or(0);
    Some(TreeEntry { kind, object, size, path: text(&record[tab + 1..]) })
}

/// The entries of a raw tree object: name and the bytes of the whole entry. `id_len` is the
/// length of a binary object id.
pub(crate) fn tree_entries(mut bytes: &[u8], id_len: usize) -> Result<Vec<(&[u8], &[u8])>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let split = || {
            let space = bytes.iter().position(|b| *b == b' ')?;
            let nul = bytes.iter().position(|b| *b == 0).filter(|nul| *nul > space)?;
            let end = nul + 1 + id_len;
            Some((bytes.get(space + 1..nul)?, bytes.get(..end)?, bytes.get(end..)?))
        };
        let (name, entry, rest) = split().ok_or_else(|| GitError::unreadable("tree", bytes))?;
        all.push((name, entry));
        bytes = rest;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "2bc8468b99aaff4527ab036a2b03937c104045ac";

    #[test]
    fn batches_are_read_even_with_content_that_looks_like_headers() {
        let content = "x missing\nabc blob 3\n";
        let out = format!("{OID} blob {}\n{content}\nHEAD:a b\nc missing\n", content.len());
        let all = batch(out.as_bytes(), &[b"x", b"HEAD:a b\nc"]).unwrap();
        assert_eq!(all[0].as_ref().unwrap().bytes, content.as_bytes());
        assert_eq!(all[1], None);
        for bad in ["", "id blob 99\nshort\n", "id blob\n", "id blob x\n\n", "id blob 1\nab"] {
            assert!(batch(bad.as_bytes(), &[b"q"]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tree_listings_are_read() {
        let out = format!(
            "100644 blob {OID}       5\ta\tb\n\0040000 tree {OID}       -\td\0\
             120000 blob {OID}       1\tl\0160000 commit {OID}       -\ts\0"
        );
        let all = ls_tree(out.as_bytes()).unwrap();
        let kinds: Vec<_> = all.iter().map(|e| e.kind).collect();
        assert_eq!(
            kinds,
            [EntryKind::File, EntryKind::Folder, EntryKind::Symlink, EntryKind::Submodule]
        );
        assert_eq!((all[0].path.as_str(), all[0].size), ("a\tb\n", 5));
        for bad in ["x\0", "100644 blob nothex 5\ta\0", "999999 blob x 1\ta\0"] {
            assert!(ls_tree(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn raw_trees_are_split() {
        let mut raw = b"100644 a b\0".to_vec();
        raw.extend([0_u8; 20]);
        raw.extend(b"40000 docs\0");
        raw.extend([b' '; 20]);
        let entries = tree_entries(&raw, 20).unwrap();
        assert_eq!(entries.iter().map(|e| e.0).collect::<Vec<_>>(), [&b"a b"[..], b"docs"]);
        assert_eq!(entries[0].1.len() + entries[1].1.len(), raw.len());
        for cut in [1, 8, 11, 30] {
            assert!(tree_entries(&raw[..cut], 20).is_err(), "{cut}");
        }
    }
}
