//! Reads server-sent events: the text format, apart from any connection.

use std::io::{self, BufRead, Read};

/// The longest line that is taken from a stream.
const MAX_LINE: u64 = 8 << 20;

/// One event of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// What the stream would be resumed from after this event; `None` where it said nothing yet.
    pub(super) id: Option<String>,
    /// The event's name; `message` where it has none.
    pub(super) name: String,
    /// Its data. `None` where the block only moved the id: nothing happened.
    pub(super) data: Option<String>,
}

/// Reads the next block; `None` at the stream's end. A block that the end cut short is dropped.
pub(super) fn next_frame(reader: &mut impl BufRead) -> io::Result<Option<Frame>> {
    let mut frame = Frame { name: "message".to_owned(), ..Frame::default() };
    loop {
        let Some(line) = next_line(reader)? else { return Ok(None) };
        if line.is_empty() {
            if frame.data.is_some() || frame.id.is_some() {
                return Ok(Some(frame));
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" if !value.contains('\0') => frame.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut frame.name),
            "data" => match &mut frame.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                none => *none = Some(value.to_owned()),
            },
            // A comment, the time to wait, or what later versions say.
            _ => {}
        }
    }
}

fn next_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    reader.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.pop_if(|last| *last == b'\n').is_none() {
        return if line.len() as u64 == MAX_LINE {
            Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the stream is too long"))
        } else {
            Ok(None)
        };
    }
    line.pop_if(|last| *last == b'\r');
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &str) -> Vec<Frame> {
        let mut reader = text.as_bytes();
        std::iter::from_fn(|| next_frame(&mut reader).unwrap()).collect()
    }

    fn frame(id: Option<&str>, name: &str, data: Option<&str>) -> Frame {
        Frame { id: id.map(str::to_owned), name: name.to_owned(), data: data.map(str::to_owned) }
    }

    #[test]
    fn blocks_comments_and_cut_off_ends() {
        let table: [(&str, Vec<Frame>); 7] = [
            ("", vec![]),
            (": keepalive\n\n", vec![]),
            ("id: 7\n\n", vec![frame(Some("7"), "message", None)]),
            ("event: a\r\ndata: x\r\n\r\n", vec![frame(None, "a", Some("x"))]),
            ("data: one\ndata:two\n\n", vec![frame(None, "message", Some("one\ntwo"))]),
            ("retry: 5\nid: 1\ndata\n\n", vec![frame(Some("1"), "message", Some(""))]),
            ("data: whole\n\ndata: cut", vec![frame(None, "message", Some("whole"))]),
        ];
        for (text, expected) in table {
            assert_eq!(frames(text), expected, "{text:?}");
        }
    }
}
