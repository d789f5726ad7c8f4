//! What an argument says: text, numbers, descriptors with their files.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// A file descriptor with what it stands for: `5<\x2f\x74…>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Descriptor {
    /// The file's path; `None` where the log names none.
    pub path: Option<PathBuf>,
    /// True where the file has no name any more.
    pub deleted: bool,
}

/// The bytes of a quoted text. One that was cut short is an error: the rest is not known.
pub(in super::super) fn bytes(arg: &str) -> Result<Vec<u8>, String> {
    let strange = || format!("not a quoted text: {arg:.80}");
    let rest = arg.strip_prefix('"').ok_or_else(strange)?;
    let (text, after) = rest.split_once('"').ok_or_else(strange)?;
    match after {
        "" => unescape(text),
        "..." => Err(format!("a text of {} characters was cut short", text.len())),
        _ => Err(strange()),
    }
}

/// A quoted path.
pub(in super::super) fn path(arg: &str) -> Result<PathBuf, String> {
    bytes(arg).map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
}

/// A number, decimal.
pub(in super::super) fn number(arg: &str) -> Result<u64, String> {
    arg.parse().map_err(|_| format!("not a number: {arg:.80}"))
}

/// A descriptor; also what `openat` returned, and `AT_FDCWD<…>`.
pub(in super::super) fn descriptor(arg: &str) -> Result<Descriptor, String> {
    let Some((_, rest)) = arg.split_once('<') else {
        return Ok(Descriptor { path: None, deleted: false });
    };
    let (name, after) =
        rest.rsplit_once('>').ok_or_else(|| format!("not a descriptor: {arg:.80}"))?;
    let path = unescape(name).map(|bytes| PathBuf::from(OsString::from_vec(bytes)))?;
    Ok(Descriptor { path: Some(path), deleted: after == "(deleted)" })
}

/// Undoes `\xHH`; other characters stand for themselves.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut found = Vec::with_capacity(text.len() / 4);
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'\\' {
            found.push(first);
            rest = after;
            continue;
        }
        let (Some(b'x'), Some(high), Some(low)) = (
            after.first(),
            after.get(1).copied().and_then(hex),
            after.get(2).copied().and_then(hex),
        ) else {
            return Err(format!("an escape that is not \\xHH in {text:.80}"));
        };
        found.push(high << 4 | low);
        rest = &after[3..];
    }
    Ok(found)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}
