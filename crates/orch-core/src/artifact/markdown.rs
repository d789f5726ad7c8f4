//! The little of Markdown that gates look at: what stands outside code fences and comments.

/// The lines outside code fences, each with its number from 1. An unclosed fence runs to the end.
pub(crate) fn lines_outside_fences(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<(char, usize)> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if let Some(open) = fence {
            fence = (!closes(line, open)).then_some(open);
            return None;
        }
        fence = opens(line);
        fence.is_none().then_some((index + 1, line))
    })
}

fn opens(line: &str) -> Option<(char, usize)> {
    let (mark, length, rest) = fence_mark(line)?;
    // Three backticks with another one behind them are a code span, not a fence.
    (mark == '~' || !rest.contains('`')).then_some((mark, length))
}

fn closes(line: &str, (mark, length): (char, usize)) -> bool {
    fence_mark(line).is_some_and(|(m, l, rest)| m == mark && l >= length && rest.trim().is_empty())
}

fn fence_mark(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    (length >= 3).then_some((mark, length, rest))
}

/// The list items with words in them, outside code fences and HTML comments.
pub(crate) fn list_items(text: &str) -> usize {
    let mut in_comment = false;
    lines_outside_fences(text)
        .filter(|(_, line)| {
            let item = !in_comment && is_item(line);
            in_comment = stays_in_comment(line, in_comment);
            item
        })
        .count()
}

fn stays_in_comment(line: &str, mut inside: bool) -> bool {
    let mut rest = line;
    while let Some(at) = rest.find(if inside { "-->" } else { "<!--" }) {
        rest = &rest[at + 3..];
        inside = !inside;
    }
    inside
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = (1..=9).contains(&(line.len() - digits.len()));
    let rest =
        if numbered { digits.strip_prefix(['.', ')']) } else { line.strip_prefix(['-', '*', '+']) };
    let Some(rest) = rest.filter(|rest| rest.starts_with([' ', '\t'])) else { return false };
    let rest = rest.trim_start();
    let boxed = ["[ ]", "[x]", "[X]"].iter().find_map(|mark| rest.strip_prefix(mark));
    // A rule such as `* * *` and an item left empty promise nothing.
    boxed.unwrap_or(rest).chars().any(char::is_alphanumeric)
}

/// The first lines of a text, at most `lines` of them and `bytes` bytes.
pub(crate) fn head(text: &str, lines: usize, bytes: usize) -> &str {
    let text = text.trim();
    let end = text.split_inclusive('\n').take(lines).map(str::len).sum::<usize>().min(bytes);
    text[..text.floor_char_boundary(end)].trim_end()
}
