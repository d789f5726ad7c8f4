//! As much of Markdown as facts need: pages, tables, code.

use std::path::{Path, PathBuf};

/// A page.
#[derive(Debug, Clone)]
pub struct Markdown {
    /// Its path from the workspace's root.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// One page.
pub fn page(path: &str) -> Markdown {
    Markdown { path: path.to_owned(), text: super::source(path) }
}

/// Every page of the project.
pub fn all_pages() -> Vec<Markdown> {
    let root = crate::root();
    let files = super::tree::files(&root);
    let pages = files.iter().filter(|path| path.extension().is_some_and(|end| end == "md"));
    let found: Vec<_> = pages.map(|path| page(&relative(&root, path))).collect();
    assert!(found.len() > 15, "only {} pages were found", found.len());
    found
}

/// A path from the workspace's root.
pub fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// The words that begin with a prefix, letters, digits and `_` long.
pub fn words<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(move |c| !part(c))
        .filter(move |word| word.len() > prefix.len() && word.starts_with(prefix))
        .map(ToOwned::to_owned)
}

impl Markdown {
    /// The rows of its tables as cells, without headers; at least five cells, empty ones added.
    pub fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_rule = |line: &str| line.starts_with("| ---");
        let rows = lines.iter().enumerate().filter(|(at, line)| {
            let header = lines.get(at + 1).is_some_and(|next| is_rule(next));
            line.starts_with("| ") && !is_rule(line) && !header
        });
        rows.map(|(_, line)| {
            let inner = line.trim_matches('|');
            let mut cells: Vec<_> = inner.split(" | ").map(|cell| cell.trim().to_owned()).collect();
            cells.resize(cells.len().max(5), String::new());
            cells
        })
        .collect::<Vec<_>>()
        .into_iter()
    }

    /// Its lines, each with the language of the code block it stands in; `None` outside of blocks.
    pub fn lines(&self) -> Vec<(Option<String>, &str)> {
        let mut inside: Option<(usize, String)> = None;
        let mut lines = Vec::new();
        for line in self.text.lines() {
            let ticks = line.len() - line.trim_start_matches('`').len();
            match &inside {
                None if ticks >= 3 => inside = Some((ticks, line[ticks..].trim().to_owned())),
                Some((open, _)) if ticks >= *open => inside = None,
                found => lines.push((found.as_ref().map(|(_, language)| language.clone()), line)),
            }
        }
        lines
    }

    /// The code blocks of a language, each as a whole.
    pub fn blocks(&self, language: &str) -> Vec<String> {
        let opening = format!("```{language}\n");
        let parts = self.text.split(opening.as_str()).skip(1);
        parts.filter_map(|rest| rest.split("```").next().map(ToOwned::to_owned)).collect()
    }

    /// The code spans outside of blocks; one may go over the end of a line.
    pub fn code_spans(&self) -> Vec<String> {
        let prose: Vec<&str> =
            self.lines().into_iter().filter(|(code, _)| code.is_none()).map(|(_, l)| l).collect();
        let paragraphs = prose.join("\n");
        let spans = paragraphs.split("\n\n").flat_map(|text| text.split('`').skip(1).step_by(2));
        spans.map(|span| span.replace('\n', " ")).collect()
    }

    /// The targets of its relative links, resolved.
    pub fn links(&self) -> Vec<PathBuf> {
        let folder = Path::new(&self.path).parent().unwrap_or(Path::new(""));
        let prose = self.lines().into_iter().filter(|(code, _)| code.is_none());
        let mut links = Vec::new();
        for (_, line) in prose {
            for rest in line.split("](").skip(1) {
                let target = rest.split(')').next().unwrap_or_default();
                let file = target.split('#').next().unwrap_or_default();
                if !file.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                    links.push(folder.join(file));
                }
            }
        }
        links
    }
}

#[test]
fn tables_spans_and_links_are_read() {
    let text =
        "a `b c` [x](y.md#z) `d\ne`\n\n| h | i |\n| --- | --- |\n| `1` | 2 |\n\n```sh\n`no`\n```\n";
    let page = Markdown { path: "docs/p.md".to_owned(), text: text.to_owned() };
    assert_eq!(page.code_spans(), ["b c", "d e", "1"]);
    assert_eq!(page.links(), [PathBuf::from("docs/y.md")]);
    assert_eq!(page.rows().map(|row| row[..2].join(",")).collect::<Vec<_>>(), ["`1`,2"]);
    assert_eq!(page.blocks("sh"), ["`no`\n"]);
}
