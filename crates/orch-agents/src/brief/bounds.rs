//! Bounds of texts from outside: control characters away, long texts cut with a visible note.

use orch_core::verdict::tail;

/// The text as plain lines: line ends are `\n`, and characters that hide text from people or move
/// it about (controls, direction marks, invisible tags) become U+FFFD.
pub(super) fn plain(text: &str) -> String {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).replace("\r\n", "\n");
    text.chars()
        .map(|c| match c {
            '\r' => '\n',
            '\n' | '\t' => c,
            c if hides(c) => '\u{FFFD}',
            c => c,
        })
        .collect()
}

fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        || ('\u{E0000}'..='\u{E007F}').contains(&c)
}

/// The text on one line of at most `max` bytes.
pub(super) fn line(text: &str, max: usize) -> String {
    let words: Vec<String> = text.split_whitespace().map(plain).collect();
    let text = words.join(" ");
    if text.len() <= max { text } else { format!("{}…", head(&text, max.saturating_sub(3))) }
}

/// The beginning of a text in at most `max` bytes and a note.
pub(super) fn cut_end(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let kept = head(text, max);
    format!("{kept}\n[cut: {} more bytes]", text.len() - kept.len())
}

/// The ends of a text in at most `max` bytes and a note: errors stand at the end, their cause often
/// at the beginning.
pub(super) fn cut_middle(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let first = head(text, max / 3);
    let last = tail(text, max - max / 3);
    let gone = text.len() - first.len() - last.len();
    format!("{first}\n[cut: {gone} bytes]\n{last}")
}

/// The largest bound that lets texts of these lengths fit into `total`; at most `each`.
pub(super) fn share(lengths: &[usize], each: usize, total: usize) -> usize {
    let mut sorted: Vec<usize> = lengths.iter().map(|length| (*length).min(each)).collect();
    sorted.sort_unstable();
    let mut left = total;
    for (index, length) in sorted.iter().enumerate() {
        let even = left / (sorted.len() - index);
        if *length > even {
            return even;
        }
        left -= length;
    }
    each
}

fn head(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so_and_breaks_no_character() {
        assert_eq!(cut_end("aäb", 2), "a\n[cut: 3 more bytes]");
        assert_eq!(cut_end("aäb", 4), "aäb");
        assert_eq!(cut_middle("ääääää", 7), "ä\n[cut: 6 bytes]\nää");
        assert_eq!(line("one\r\n two\u{1b}[31m", 100), "one two\u{FFFD}[31m");
        assert_eq!(line("ääää", 6), "ä…");
    }

    #[test]
    fn small_texts_are_whole_and_large_ones_share_the_rest() {
        for (lengths, expected) in [
            (&[10, 20][..], 50),
            (&[], 50),
            (&[90, 90], 50),
            (&[10, 90, 90], 45),
            (&[90, 90, 90, 90], 25),
        ] {
            assert_eq!(share(lengths, 50, 100), expected, "{lengths:?}");
            let bound = share(lengths, 50, 100);
            let used: usize = lengths.iter().map(|length| bound.min(*length)).sum();
            assert!(used <= 100, "{lengths:?} use {used}");
        }
    }

    #[test]
    fn what_hides_text_is_shown() {
        let hidden = "a\u{0}b\u{202E}c\u{E0041}d\re\r\nf\tg";
        assert_eq!(plain(hidden), "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\ne\nf\tg");
    }
}
