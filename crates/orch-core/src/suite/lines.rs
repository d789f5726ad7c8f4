//! What the readers share: plain lines, numbers before words, blocks of lines.

/// Lines of one failure that are looked at.
const MAX_BLOCK: usize = 60;

/// The text without terminal escapes, and without what a carriage return overwrote.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                // Parameters, then one letter that ends the sequence.
                for c in chars.by_ref() {
                    if c.is_ascii_alphabetic() {
                        break;
                    }
                }
            }
            '\r' => out.push('\n'),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Every number with the word behind it: `2 failed, 1 passed (3)` gives `(2, failed)`, `(1, passed)`.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let words =
        || text.split(|c: char| c.is_whitespace() || ",;|()".contains(c)).filter(|w| !w.is_empty());
    words().zip(words().skip(1)).filter_map(|(number, word)| Some((number.parse().ok()?, word)))
}

/// The number behind a label: `Failures: 2` for `Failures:`.
pub(super) fn labelled(text: &str, label: &str) -> Option<u64> {
    let rest = text.split(label).nth(1)?.trim_start();
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The lines from `start` up to the first that ends the block.
pub(super) fn block(lines: &[&str], start: usize, ends: impl Fn(&str) -> bool) -> String {
    let rest = lines.get(start..).unwrap_or_default();
    rest.iter()
        .take(MAX_BLOCK)
        .take_while(|line| !ends(line))
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}
