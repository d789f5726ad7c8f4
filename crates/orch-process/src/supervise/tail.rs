//! Keeps the last 64 KiB of a stream.

/// The most that a tail holds, as bytes and as text.
pub(super) const TAIL_BYTES: usize = 64 << 10;

/// The end of a stream, in bounded memory.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    /// True once something was dropped from the front.
    cut: bool,
}

impl Tail {
    /// Takes the next bytes; what lies further back than the limit is forgotten by and by.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        if self.bytes.len() > 2 * TAIL_BYTES {
            self.bytes.drain(..self.bytes.len() - TAIL_BYTES);
            self.cut = true;
        }
    }

    /// The end as text of at most 64 KiB, what is not UTF-8 replaced. Begins at the beginning of a
    /// line where it was cut and holds one.
    pub(super) fn text(&self) -> String {
        let skip = self.bytes.len().saturating_sub(TAIL_BYTES);
        let mut text = String::from_utf8_lossy(&self.bytes[skip..]).into_owned();
        let mut cut = self.cut || skip > 0;
        if text.len() > TAIL_BYTES {
            let start = text.ceil_char_boundary(text.len() - TAIL_BYTES);
            text.drain(..start);
            cut = true;
        }
        if cut && let Some(newline) = text.find('\n').filter(|at| at + 1 < text.len()) {
            text.drain(..=newline);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail_of(chunks: impl IntoIterator<Item = Vec<u8>>) -> String {
        let mut tail = Tail::default();
        for chunk in chunks {
            tail.push(&chunk);
        }
        tail.text()
    }

    #[test]
    fn short_output_is_kept_whole() {
        assert_eq!(tail_of([b"a\n".to_vec(), b"b".to_vec()]), "a\nb");
        assert_eq!(tail_of([]), "");
    }

    #[test]
    fn long_output_keeps_its_last_whole_lines() {
        let text = tail_of((0..50_000).map(|n| format!("line {n}\n").into_bytes()));
        assert!(text.len() <= TAIL_BYTES && text.len() > TAIL_BYTES - 100);
        assert!(text.starts_with("line ") && text.ends_with("line 49999\n"));
    }

    #[test]
    fn a_tail_is_bounded_as_text_too() {
        for byte in [0xFF, b'x', b'\n', 0] {
            let text = tail_of((0..40).map(|_| vec![byte; 10_000]));
            assert!(!text.is_empty() && text.len() <= TAIL_BYTES, "of {byte}: {}", text.len());
        }
    }
}
