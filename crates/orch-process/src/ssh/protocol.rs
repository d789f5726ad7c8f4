//! What the far side says on ssh's standard output: lines of our own, and after some of them a
//! counted number of bytes. A suite's output comes only as such bytes, so that nothing it prints
//! can pass for a line.

use std::collections::VecDeque;

use orch_core::ids::RunId;
use orch_core::remote::MAX_FRAME_BYTES;

/// Something that the far side said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Our script runs.
    Hello,
    /// It waits for the files of the revision.
    Upload,
    /// It follows this run.
    Attached(RunId),
    /// Nothing new.
    Alive,
    /// Standard output of the work.
    Out(Vec<u8>),
    /// Standard error of the work.
    Err(Vec<u8>),
    /// The result frame, not looked at yet.
    Frame(Vec<u8>),
    /// It can't go on: a word for what is wrong, and the system's words.
    Fault(String, String),
    /// What was asked for is done.
    Done(String),
}

/// What came is not what our script says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Garbled;

/// The most that a login shell may print before our script runs.
const NOISE: usize = 64 * 1024;
/// The longest line of ours.
const LINE: usize = 2048;
/// The longest piece of output; the script sends a quarter of it.
const PIECE: usize = 1 << 20;

/// Reads bytes as they come.
#[derive(Debug)]
pub(super) struct Parser {
    /// What every line of ours begins with.
    mark: Vec<u8>,
    greeted: bool,
    buffer: VecDeque<u8>,
    /// The bytes that are still to come of the last line's.
    awaited: Option<(Kind, usize)>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Out,
    Err,
    Frame,
}

impl Parser {
    /// A parser of one connection, whose lines carry its token.
    pub(super) fn new(token: &str) -> Self {
        Self {
            mark: format!("orch {token} ").into_bytes(),
            greeted: false,
            buffer: VecDeque::new(),
            awaited: None,
        }
    }

    /// Takes what came and gives what it said.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Said>, Garbled> {
        self.buffer.extend(bytes);
        let mut all = Vec::new();
        while let Some(said) = self.next()? {
            all.push(said);
        }
        Ok(all)
    }

    fn next(&mut self) -> Result<Option<Said>, Garbled> {
        if let Some((kind, length)) = self.awaited {
            if self.buffer.len() < length {
                return Ok(None);
            }
            self.awaited = None;
            let bytes = self.buffer.drain(..length).collect();
            return Ok(Some(match kind {
                Kind::Out => Said::Out(bytes),
                Kind::Err => Said::Err(bytes),
                Kind::Frame => Said::Frame(bytes),
            }));
        }
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
            line.pop();
            match self.line(&line) {
                Some(Ok(Line::Said(said))) => return Ok(Some(said)),
                Some(Ok(Line::Bytes(kind, length))) => {
                    self.awaited = Some((kind, length));
                    return self.next();
                }
                Some(Err(garbled)) => return Err(garbled),
                None => {}
            }
        }
        let most = if self.greeted { LINE } else { NOISE };
        if self.buffer.len() > most { Err(Garbled) } else { Ok(None) }
    }

    /// One line; `None` where it is a login shell's, before ours began.
    fn line(&mut self, line: &[u8]) -> Option<Result<Line, Garbled>> {
        let Some(rest) = line.strip_prefix(self.mark.as_slice()) else {
            return self.greeted.then_some(Err(Garbled));
        };
        let text = String::from_utf8_lossy(rest);
        let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
        if !self.greeted {
            self.greeted = word == "hello";
            return Some(if self.greeted { Ok(Line::Said(Said::Hello)) } else { Err(Garbled) });
        }
        Some(read(word, rest).ok_or(Garbled))
    }
}

enum Line {
    Said(Said),
    Bytes(Kind, usize),
}

fn read(word: &str, rest: &str) -> Option<Line> {
    let bytes = |kind, most| {
        let length: usize = rest.parse().ok()?;
        (length <= most).then_some(Line::Bytes(kind, length))
    };
    Some(match word {
        "out" => return bytes(Kind::Out, PIECE),
        "err" => return bytes(Kind::Err, PIECE),
        "frame" => return bytes(Kind::Frame, MAX_FRAME_BYTES),
        "upload" => Line::Said(Said::Upload),
        "attached" => Line::Said(Said::Attached(RunId::new(rest).ok()?)),
        "alive" => Line::Said(Said::Alive),
        "fault" => {
            let (word, said) = rest.split_once(' ').unwrap_or((rest, ""));
            Line::Said(Said::Fault(word.to_owned(), said.trim().to_owned()))
        }
        "done" => Line::Said(Said::Done(rest.to_owned())),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: &[&[u8]]) -> Result<Vec<Said>, Garbled> {
        let mut parser = Parser::new("t0k");
        let mut said = Vec::new();
        for part in parts {
            said.extend(parser.push(part)?);
        }
        Ok(said)
    }

    const WHOLE: &[u8] = b"Welcome to staging\nno newline\norch t0k hello\norch t0k upload\n\
        orch t0k attached r-00000000001-0000000000000002\norch t0k out 27\norch t0k fault killed x\n\
        \xff\n\norch t0k alive\norch t0k err 0\norch t0k frame 3\nabcorch t0k fault disk tar: full\n\
        orch t0k done\n";

    #[test]
    fn output_is_never_taken_for_a_line_however_it_is_cut() {
        let whole = all(&[WHOLE]).unwrap();
        assert_eq!(
            whole,
            [
                Said::Hello,
                Said::Upload,
                Said::Attached(RunId::from_parts(1, 2)),
                Said::Out(b"orch t0k fault killed x\n\xff\n\n".to_vec()),
                Said::Alive,
                Said::Err(Vec::new()),
                Said::Frame(b"abc".to_vec()),
                Said::Fault("disk".into(), "tar: full".into()),
                Said::Done(String::new()),
            ]
        );
        for cut in 0..WHOLE.len() {
            assert_eq!(all(&[&WHOLE[..cut], &WHOLE[cut..]]).unwrap(), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = WHOLE.chunks(1).collect();
        assert_eq!(all(&bytes).unwrap(), whole);
    }

    #[test]
    fn what_our_script_never_says_is_garbled() {
        for bad in [
            "orch t0k alive\n",
            "orch t0k hello\norch other alive\n",
            "orch t0k hello\nsegmentation fault\n",
            "orch t0k hello\norch t0k out many\n",
            "orch t0k hello\norch t0k out -1\n",
            "orch t0k hello\norch t0k out 99999999999\n",
            "orch t0k hello\norch t0k frame 999999\n",
            "orch t0k hello\norch t0k attached ../..\n",
            "orch t0k hello\norch t0k dance\n",
        ] {
            assert_eq!(all(&[bad.as_bytes()]), Err(Garbled), "{bad:?}");
        }
        assert_eq!(all(&[&vec![b'x'; NOISE + 1]]), Err(Garbled));
        assert_eq!(all(&[b"orch t0k hello\n", &vec![b'x'; LINE + 1]]), Err(Garbled));
        assert_eq!(all(&[b"motd\n"]), Ok(Vec::new()));
    }
}
