//! One line of the log.

use super::Call;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A call from its name to its result.
    Whole { text: &'a str },
    /// A call that others interrupt.
    Begun { thread: u32, text: &'a str },
    /// The rest of such a call.
    Resumed { thread: u32, name: &'a str, rest: &'a str },
    /// A signal or an exit.
    Other,
}

pub(super) fn read(line: &str) -> Result<Line<'_>, String> {
    let strange = || format!("a line that is no system call: {line:.120}");
    let (thread, text) = line.trim_end().split_once(' ').ok_or_else(strange)?;
    let thread = thread.parse().map_err(|_| strange())?;
    let text = text.trim_start();
    if text.starts_with("+++") || text.starts_with("---") {
        return Ok(Line::Other);
    }
    if let Some(resumed) = text.strip_prefix("<... ") {
        let (name, rest) = resumed.split_once(" resumed>").ok_or_else(strange)?;
        return Ok(Line::Resumed { thread, name, rest });
    }
    if let Some(text) = text.strip_suffix("<unfinished ...>") {
        return Ok(Line::Begun { thread, text: text.trim_end() });
    }
    Ok(Line::Whole { text })
}

/// Takes a call apart: `name(argument, …) = result`.
pub(super) fn call(text: &str, began: usize, ended: usize) -> Result<Call, String> {
    let strange = || format!("a call that can't be read: {text:.120}");
    let (name, rest) = text.split_once('(').ok_or_else(strange)?;
    let (args, after) = arguments(rest).ok_or_else(strange)?;
    let result = after.trim_start().strip_prefix('=').ok_or_else(strange)?;
    let returned = result.split_whitespace().next().ok_or_else(strange)?;
    Ok(Call {
        name: name.to_owned(),
        args: args.into_iter().map(str::to_owned).collect(),
        returned: returned.to_owned(),
        began,
        ended,
    })
}

/// The arguments, and what follows their closing parenthesis. Text within quotes and within the
/// angles that name a descriptor is hexadecimal, so that neither holds a bracket of its own;
/// an arrow (`->`, in the names of sockets) closes no angle.
fn arguments(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut args, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    let (mut quoted, mut angle, mut last) = (false, false, 0_u8);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !angle => quoted = !quoted,
            _ if quoted => {}
            b'>' if angle && last != b'-' => angle = false,
            _ if angle => {}
            b'<' => angle = true,
            b'(' | b'[' | b'{' => depth += 1,
            b')' if depth == 0 => {
                let arg = text[start..index].trim();
                if !(arg.is_empty() && args.is_empty()) {
                    args.push(arg);
                }
                return Some((args, &text[index + 1..]));
            }
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                args.push(text[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
        last = byte;
    }
    None
}
