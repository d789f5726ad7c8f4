//! What differs from recording to recording and says nothing.

use std::cell::RefCell;
use std::path::Path;

use regex_lite::{Captures, Regex};

/// Makes recordings alike.
pub(crate) struct Redactor {
    root: String,
    id: Regex,
    time: Regex,
    port: Regex,
    programs: Regex,
    ids: RefCell<Vec<String>>,
}

impl Redactor {
    /// The folder of the recording is called `/place`.
    pub(crate) fn new(root: &Path) -> Self {
        let regex = |text: &str| Regex::new(text).expect("it is a constant");
        let hex = "[0-9a-f]";
        let uuid = format!("{hex}{{8}}-{hex}{{4}}-{hex}{{4}}-{hex}{{4}}-{hex}{{12}}");
        Self {
            root: root.display().to_string(),
            id: regex(&format!(r"{uuid}|\b(?:ses|prt|msg)_{hex}{{9,14}}[0-9A-Za-z]{{10,20}}\b")),
            programs: regex(r"/[^ :]*/agent-clis/"),
            time: regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
            port: regex(r"127\.0\.0\.1:\d+"),
            ids: RefCell::default(),
        }
    }

    /// The line without paths, times and ports, its ids numbered.
    pub(crate) fn redact(&self, line: &str) -> String {
        let line = line.replace(&self.root, "/place");
        // Programs spell a path as the name of a folder, too.
        let line = line.replace(&self.root.replace(['/', '.', '_'], "-"), "-place");
        let line = self.time.replace_all(&line, "2026-01-01T00:00:00.000Z");
        let line = self.programs.replace_all(&line, "/clis/");
        let line = self.port.replace_all(&line, "127.0.0.1:1");
        self.id.replace_all(&line, |found: &Captures<'_>| self.alike(&found[0])).into_owned()
    }

    /// Ids are numbered in the order of their coming.
    fn alike(&self, id: &str) -> String {
        let mut ids = self.ids.borrow_mut();
        let number = ids.iter().position(|known| known == id).unwrap_or_else(|| {
            ids.push(id.to_owned());
            ids.len() - 1
        });
        format!("00000000-0000-4000-8000-{number:012}")
    }
}
