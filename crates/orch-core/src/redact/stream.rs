//! Masks a stream that comes in pieces: a secret may be cut in two anywhere.

use super::{Finder, Masks};

/// A stream on its way. It holds back what may be the beginning of a secret; no secret goes over
/// the end of a line, so a whole line is never held back.
#[derive(Debug, Default)]
pub struct MaskedStream {
    masks: Masks,
    held: Vec<u8>,
}

impl MaskedStream {
    /// A stream that is masked so.
    pub fn new(masks: Masks) -> Self {
        Self { masks, held: Vec::new() }
    }

    /// Whether the stream passes as it is.
    pub fn is_plain(&self) -> bool {
        self.masks.is_empty()
    }

    /// Takes the next piece and adds what is certain to `out`.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let Some(finder) = &self.masks.finder else {
            out.extend_from_slice(piece);
            return;
        };
        self.held.extend_from_slice(piece);
        let certain = finder.certain(&self.held);
        let done = finder.replace(&self.held, certain, out);
        self.held.drain(..done);
    }

    /// Adds what was held back: the stream is over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        match &self.masks.finder {
            Some(finder) => _ = finder.replace(&held, held.len(), out),
            None => out.extend_from_slice(&held),
        }
    }
}

impl Finder {
    /// How many bytes lie before the first that may begin a secret which goes on in the next piece.
    fn certain(&self, text: &[u8]) -> usize {
        let line = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let tail = line.max(text.len().saturating_sub(self.longest - 1));
        (tail..text.len())
            .find(|at| {
                let rest = &text[*at..];
                self.patterns.iter().any(|pattern| {
                    pattern.len() > rest.len() && pattern.as_bytes().starts_with(rest)
                })
            })
            .unwrap_or(text.len())
    }

    /// Adds the text up to `certain` with its secrets masked; says how far it came, which is
    /// further where a secret ends there.
    fn replace(&self, text: &[u8], certain: usize, out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        for found in self.automaton.find_iter(text) {
            if found.start() >= certain {
                break;
            }
            out.extend_from_slice(&text[at..found.start()]);
            out.extend_from_slice(self.masks[found.pattern().as_usize()].as_bytes());
            at = found.end();
        }
        if at < certain {
            out.extend_from_slice(&text[at..certain]);
            at = certain;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(secrets: &[&str]) -> MaskedStream {
        MaskedStream::new(Masks::new(secrets.iter().map(|value| ("X", (*value).to_owned()))))
    }

    fn through<'p>(secrets: &[&str], pieces: impl Iterator<Item = &'p [u8]>) -> String {
        let (mut stream, mut out) = (stream(secrets), Vec::new());
        for piece in pieces {
            stream.push(piece, &mut out);
        }
        stream.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_secret_is_masked_however_it_is_cut() {
        let secrets = ["abcabcabd", "secret-one", "secret-one-and-two"];
        for (text, expected) in [
            ("x abcabcabcabd y", "x abc[redacted X] y"),
            ("secret-one-and-tw\nsecret-one-and-two", "[redacted X]-and-tw\n[redacted X]"),
            ("secret-on", "secret-on"),
            ("äöü secret-one ß", "äöü [redacted X] ß"),
        ] {
            for size in 1..=text.len() {
                assert_eq!(
                    through(&secrets, text.as_bytes().chunks(size)),
                    expected,
                    "{text:?} in pieces of {size}"
                );
            }
        }
    }

    #[test]
    fn a_whole_line_is_not_held_back() {
        let (mut stream, mut out) = (stream(&["secret-one"]), Vec::new());
        stream.push(b"a line\nsecr", &mut out);
        assert_eq!(out, b"a line\n");
        stream.push(b"ecy\n", &mut out);
        assert_eq!(out, b"a line\nsecrecy\n");
    }

    #[test]
    fn without_secrets_everything_passes_at_once() {
        let (mut stream, mut out) = (stream(&[]), Vec::new());
        stream.push(b"as it is", &mut out);
        assert!(stream.is_plain());
        assert_eq!(out, b"as it is");
    }

    proptest::proptest! {
        /// What comes out does not depend on the cuts, and holds no secret.
        #[test]
        fn cuts_change_nothing(text in "[ab]{0,200}", size in 1_usize..20) {
            let secrets = ["abababab", "aabbaabbaabb", "bbbbbbbbb"];
            let whole = through(&secrets, std::iter::once(text.as_bytes()));
            let cut = through(&secrets, text.as_bytes().chunks(size));
            proptest::prop_assert_eq!(&cut, &whole);
            for secret in secrets {
                proptest::prop_assert!(!cut.contains(secret));
            }
        }
    }
}
