//! Cuts a stream of bytes into lines of bounded length.

/// The longest piece kept whole; longer lines are split, between characters where they are UTF-8.
pub(super) const MAX_LINE: usize = 64 << 10;

/// A piece of output: a line or a part of one, without the newline.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub bytes: &'a [u8],
    /// False for a part after which the same line goes on.
    pub ends_line: bool,
}

/// Holds the unfinished line between reads.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and hands out every piece that is complete.
    pub(super) fn push(&mut self, mut chunk: &[u8], emit: &mut dyn FnMut(Piece)) {
        while !chunk.is_empty() {
            let room = MAX_LINE - self.partial.len();
            let window = &chunk[..chunk.len().min(room + 1)];
            if let Some(end) = window.iter().position(|b| *b == b'\n') {
                self.emit_line(&chunk[..end], emit);
                chunk = &chunk[end + 1..];
            } else if chunk.len() <= room {
                self.partial.extend_from_slice(chunk);
                return;
            } else {
                self.partial.extend_from_slice(&chunk[..room]);
                self.emit_full(emit);
                chunk = &chunk[room..];
            }
        }
    }

    /// Hands out what is left when the stream has ended without a newline.
    pub(super) fn finish(&mut self, emit: &mut dyn FnMut(Piece)) {
        if !self.partial.is_empty() {
            self.emit_line(&[], emit);
        }
    }

    fn emit_line(&mut self, rest: &[u8], emit: &mut dyn FnMut(Piece)) {
        if self.partial.is_empty() {
            emit(Piece { bytes: rest, ends_line: true });
        } else {
            self.partial.extend_from_slice(rest);
            emit(Piece { bytes: &self.partial, ends_line: true });
            self.partial.clear();
        }
    }

    fn emit_full(&mut self, emit: &mut dyn FnMut(Piece)) {
        let cut = character_floor(&self.partial);
        emit(Piece { bytes: &self.partial[..cut], ends_line: false });
        self.partial.drain(..cut);
    }
}

/// The length without a UTF-8 character that is cut off at the end; the full length where there is
/// none. Never less than the length minus 3.
pub(super) fn character_floor(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let needed = match bytes[at] {
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 1,
        };
        return if needed > back { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let mut lines = Lines::default();
        let mut pieces = Vec::new();
        let mut emit = |piece: Piece| pieces.push((piece.bytes.to_vec(), piece.ends_line));
        for chunk in chunks {
            lines.push(chunk, &mut emit);
        }
        lines.finish(&mut emit);
        pieces
    }

    #[test]
    fn lines_do_not_depend_on_how_they_arrive() {
        let text = b"one\n\ntwo\r\n\xff\x00\xfe\nno newline";
        let whole = cut(&[text]);
        assert_eq!(whole.len(), 5);
        assert_eq!(whole[2].0, b"two\r");
        for size in 1..text.len() {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(cut(&chunks), whole, "in chunks of {size}");
        }
    }

    #[test]
    fn huge_lines_are_split_between_characters_and_lose_nothing() {
        for (unit, count) in [("x", 3 * MAX_LINE), ("é", MAX_LINE), ("a€", 50_000), ("🦀", 40_000)]
        {
            let mut text = unit.repeat(count).into_bytes();
            let expected = text.clone();
            text.extend_from_slice(b"\nnext\n");
            for size in [1000, MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, text.len()] {
                let chunks: Vec<&[u8]> = text.chunks(size).collect();
                let pieces = cut(&chunks);
                let (next, huge) = pieces.split_last().unwrap();
                assert_eq!(next.0, b"next");
                assert!(huge.iter().all(|(bytes, _)| bytes.len() <= MAX_LINE));
                assert!(huge.iter().all(|(bytes, _)| std::str::from_utf8(bytes).is_ok()));
                assert_eq!(huge.iter().filter(|(_, ends)| *ends).count(), 1);
                let joined: Vec<u8> = huge.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
                assert!(joined == expected, "{unit:?} by {size} bytes");
            }
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_whole() {
        let mut text = vec![b'x'; MAX_LINE];
        text.push(b'\n');
        assert_eq!(cut(&[&text]).len(), 1);
        assert_eq!(cut(&[&text[..MAX_LINE], b"\n"]).len(), 1);
    }

    #[test]
    fn binary_rubbish_is_split_at_the_limit() {
        let rubbish = vec![0x80; MAX_LINE * 2];
        assert!(cut(&[&rubbish]).iter().all(|(bytes, _)| bytes.len() == MAX_LINE));
    }
}
