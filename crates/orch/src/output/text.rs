//! Text that came from outside, made safe to show: a title or a log line must not be able to
//! move the cursor or rename the window of who reads it.

/// One line without control characters; line ends and tabs become blanks.
pub fn plain(text: &str) -> String {
    text.trim_end().chars().map(|c| if c.is_control() { blank(c) } else { c }).collect()
}

/// Several lines without other control characters than line ends and tabs.
pub fn plain_lines(text: &str) -> String {
    let keep = |c: char| c == '\n' || c == '\t' || !c.is_control();
    text.chars().map(|c| if keep(c) { c } else { blank(c) }).collect()
}

fn blank(c: char) -> char {
    if c.is_ascii_whitespace() { ' ' } else { '\u{fffd}' }
}

/// The known word that is nearest to what was written; `None` where none is near.
pub fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    let word: String = word.chars().take(64).collect();
    let near = |candidate: &&'a String| (strsim::levenshtein(&word, candidate), candidate.len());
    let best = known.iter().min_by_key(near)?;
    // Half of the word changed is another word.
    (strsim::levenshtein(&word, best) <= (best.chars().count() / 2).min(3)).then_some(best.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_not() {
        let known: Vec<String> = ["testing", "review", "deploy"].map(str::to_owned).into();
        let table = [("tesing", Some("testing")), ("Review", Some("review")), ("xyz", None)];
        for (word, expected) in table {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(plain("a\x1b]0;owned\x07b\r\nc\n"), "a\u{fffd}]0;owned\u{fffd}b  c");
        assert_eq!(plain_lines("a\tb\n\x1b[2Jc"), "a\tb\n\u{fffd}[2Jc");
    }
}
