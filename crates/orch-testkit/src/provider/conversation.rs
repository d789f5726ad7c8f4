//! A request, whatever its dialect.

use serde_json::Value;

use super::script;

/// What a conversation consists of, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Entry {
    /// The user, or the agent's program in the user's name, says something.
    User(String),
    /// A tool answered.
    Result,
}

/// A tool that the agent offers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tool {
    /// The group it belongs to, where the dialect has groups.
    pub(super) namespace: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// The JSON schema of its arguments.
    pub(super) schema: Value,
}

/// A request, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Conversation {
    /// In order.
    pub(super) entries: Vec<Entry>,
    /// What the model may call; nothing where the agent asks for a title or a summary.
    pub(super) tools: Vec<Tool>,
    /// Standing instructions: where some programs name the working directory.
    pub(super) instructions: String,
    /// The model asked.
    pub(super) model: String,
    /// Whether events are wanted.
    pub(super) streams: bool,
}

/// How programs name their working directory.
const DIRECTORY: [(&str, &[char]); 4] = [
    ("rimary working directory: ", &['\n']),
    ("<cwd>", &['<']),
    ("orking directory: ", &['\n']),
    ("working in the directory: ", &['\n']),
];

impl Conversation {
    /// The prompt that scripts the answers: the last one with directives. The calls that were
    /// answered since then go with it.
    pub(super) fn prompt(&self) -> (&str, usize) {
        let scripted =
            |entry: &Entry| matches!(entry, Entry::User(text) if script::is_script(text));
        let Some(at) = self.entries.iter().rposition(scripted) else { return ("", 0) };
        let Entry::User(text) = &self.entries[at] else { return ("", 0) };
        (text, self.entries[at..].iter().filter(|entry| **entry == Entry::Result).count())
    }

    /// The working directory, if the program names it.
    pub(super) fn directory(&self) -> Option<&str> {
        let said = self.entries.iter().filter_map(|entry| match entry {
            Entry::User(text) => Some(text.as_str()),
            Entry::Result => None,
        });
        said.chain([self.instructions.as_str()]).find_map(|text| {
            DIRECTORY.iter().find_map(|(before, after)| {
                let (_, rest) = text.split_once(before)?;
                let named = rest.split(*after).next()?.trim();
                named.starts_with('/').then_some(named)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_script_counts_and_what_was_answered_since() {
        let user = |text: &str| Entry::User(text.to_owned());
        let first = vec![user("Rules"), user("[[say a]]"), Entry::Result, Entry::Result];
        let conversation = Conversation { entries: first.clone(), ..Conversation::default() };
        assert_eq!(conversation.prompt(), ("[[say a]]", 2));
        let more = [first.clone(), vec![user("go on"), Entry::Result]].concat();
        let conversation = Conversation { entries: more, ..Conversation::default() };
        assert_eq!(conversation.prompt(), ("[[say a]]", 3));
        let again = [first, vec![user("[[say b]]"), Entry::Result]].concat();
        let conversation = Conversation { entries: again, ..Conversation::default() };
        assert_eq!(conversation.prompt(), ("[[say b]]", 1));
    }

    #[test]
    fn the_working_directory_is_found_where_programs_name_it() {
        for text in [
            "x\n - Primary working directory: /a b/c\n - more",
            "<environment_context>\n  <cwd>/a b/c</cwd>",
            "  Working directory: /a b/c\n",
            "I'm currently working in the directory: /a b/c\nHere is",
        ] {
            let entries = vec![Entry::User(text.to_owned())];
            let conversation = Conversation { entries, ..Conversation::default() };
            assert_eq!(conversation.directory(), Some("/a b/c"), "{text}");
        }
        let entries = vec![Entry::User("Your working directory: a git worktree".to_owned())];
        assert_eq!(Conversation { entries, ..Conversation::default() }.directory(), None);
    }
}
