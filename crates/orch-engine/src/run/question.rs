//! What an agent asks: by a line of its output, or by a file that it leaves. It is words from
//! outside: bounded, and nothing but text.

use std::io::Read;
use std::path::Path;

use orch_agents::AgentEvent;
use orch_process::RunDir;

/// The file that asks, in the task's artifact folder.
pub const FILE: &str = "question.md";
/// The longest question, in bytes; the rest is cut.
const MAX_QUESTION: usize = 4 * 1024;

/// The question that a run left; `None` where it asked nothing. The file goes: it belongs to this
/// run and not to the branch.
pub fn take(dir: &RunDir, artifacts: &Path) -> Option<String> {
    let path = artifacts.join(FILE);
    let file = read_file(&path, MAX_QUESTION);
    // What can't be removed is discarded or committed with the rest; it asks nobody again, because
    // the next run begins without it.
    drop(std::fs::remove_file(&path));
    let told = || {
        let lines = orch_process::log::lines(dir);
        let asked = lines.filter_map(|line| match orch_agents::parse_line(&line.text) {
            AgentEvent::NeedsInput(question) => Some(question),
            _ => None,
        });
        asked.last()
    };
    let told = || told().map(|text| plain(&text, MAX_QUESTION));
    file.or_else(told).filter(|text| !text.is_empty())
}

/// What an agent wrote into a file, as plain text of at most so many bytes; `None` where it is no
/// file.
pub fn read_file(path: &Path, most: usize) -> Option<String> {
    let found = std::fs::symlink_metadata(path).ok()?;
    if !found.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).ok()?;
    Some(plain(&String::from_utf8_lossy(&bytes), most))
}

/// Text without control characters, within its bound.
fn plain(text: &str, most: usize) -> String {
    let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let text: String = text.chars().filter(kept).collect();
    let text = text.trim();
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_text_within_its_bound() {
        assert_eq!(plain("  Which \u{1b}[31mport\0?\r\n", 99), "Which [31mport?");
        let long = plain(&"ß".repeat(MAX_QUESTION), MAX_QUESTION);
        assert!(long.len() <= MAX_QUESTION + '…'.len_utf8() && long.ends_with('…'));
    }

    #[test]
    fn a_file_asks_and_goes_and_a_link_asks_nothing() {
        let home = tempfile::tempdir().unwrap();
        let dir = RunDir::new(home.path().join("run"));
        let path = home.path().join(FILE);
        std::fs::write(&path, "Which port?\n").unwrap();
        assert_eq!(take(&dir, home.path()).as_deref(), Some("Which port?"));
        assert!(!path.exists());
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(take(&dir, home.path()), None);
        std::fs::write(&path, " \n").unwrap();
        assert_eq!(take(&dir, home.path()), None, "nothing is asked by nothing");
    }
}
