//! Guards on changed files (S8): what an agent or a merge leaves in a file by mistake and no
//! compiler may notice: leaked tool-call tags and conflict markers.

use crate::artifact::markdown::lines_outside_fences;
use crate::verdict::Finding;

/// More findings in one file help nobody.
const MAX_PER_FILE: usize = 20;
/// A NUL among the first bytes marks a binary file, as git has it.
const PROBED: usize = 8000;

/// Tags that only tool calls have: each alone on a line is a leak.
const CALL_TAGS: [&str; 8] = [
    "invoke",
    concat!("function_", "calls"),
    concat!("function_", "results"),
    concat!("tool_", "call"),
    concat!("tool_", "calls"),
    concat!("tool_", "use"),
    concat!("tool_", "result"),
    concat!("tool_", "results"),
];
/// Tags that documents may have too: a closing one is a leak where nothing opened it.
const SHARED_TAGS: [&str; 3] = ["content", "parameter", "file_content"];
/// The name space that some models put before tags of tool calls.
const CALL_PREFIX: &str = concat!("ant", "ml:");
/// Files whose own language is tags: there every tag has to be unopened to be a leak.
const MARKUP: [&str; 14] = [
    "xml", "html", "htm", "xhtml", "svg", "scxml", "xsd", "xsl", "xslt", "plist", "vue", "svelte",
    "jsx", "tsx",
];

/// Finds leaked marks in a changed file; binary files hold none. `path` is named in the findings
/// and tells Markdown, whose code fences are left out of the search for tags, and markup apart.
pub fn scan(path: &str, bytes: &[u8]) -> Vec<Finding> {
    if bytes[..bytes.len().min(PROBED)].contains(&0) {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(bytes);
    let mut findings = conflict_markers(path, &text);
    findings.extend(leaked_tags(path, &text));
    findings.truncate(MAX_PER_FILE);
    findings
}

/// Conflict markers count as the whole of them, in order: seven equal signs alone are a heading.
/// Code fences are searched too, since a merge conflicts inside them as well.
fn conflict_markers(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut begun = None;
    let mut halved = false;
    for (index, line) in text.lines().enumerate() {
        if is_marker(line, '<') {
            (begun, halved) = (Some(index + 1), false);
        } else if begun.is_some() && line.trim_end() == "=".repeat(7) {
            halved = true;
        } else if let (Some(from), true, true) = (begun, halved, is_marker(line, '>')) {
            let to = index + 1;
            findings.push(Finding::new(format!(
                "{path}:{from}: conflict markers up to line {to}; resolve the conflict, or indent \
                 the text where it only quotes one"
            )));
            (begun, halved) = (None, false);
        }
    }
    findings
}

fn is_marker(line: &str, mark: char) -> bool {
    let rest = line.trim_start_matches(mark);
    line.len() - rest.len() == 7 && (rest.is_empty() || rest.starts_with(' '))
}

fn leaked_tags(path: &str, text: &str) -> Vec<Finding> {
    let extension = path.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    let extension = extension.as_deref().unwrap_or_default();
    let markup = MARKUP.contains(&extension);
    let lines: Vec<(usize, &str)> = match extension {
        "md" | "markdown" | "mdx" => lines_outside_fences(text).collect(),
        _ => text.lines().enumerate().map(|(index, line)| (index + 1, line)).collect(),
    };
    let leaked = |line: &str| -> Option<Tag> {
        let tag = Tag::alone_on(line)?;
        let certain = tag.prefixed || CALL_TAGS.contains(&tag.name.as_str());
        let shared = SHARED_TAGS.contains(&tag.name.as_str());
        let unopened = || tag.closing && !opened(text, &tag.name);
        ((certain && !markup) || ((certain || shared) && unopened())).then_some(tag)
    };
    lines
        .into_iter()
        .filter_map(|(number, line)| {
            let tag = leaked(line)?;
            let slash = if tag.closing { "/" } else { "" };
            let name = tag.name;
            Some(Finding::new(format!(
                "{path}:{number}: a leaked tool-call tag <{slash}{name}> stands alone on the line; \
                 remove it"
            )))
        })
        .collect()
}

fn opened(text: &str, name: &str) -> bool {
    text.match_indices(&format!("<{name}")).any(|(at, found)| {
        text[at + found.len()..].starts_with(|next: char| next == '>' || next.is_whitespace())
    })
}

struct Tag {
    name: String,
    prefixed: bool,
    closing: bool,
}

impl Tag {
    /// The tag that is all there is on a line.
    fn alone_on(line: &str) -> Option<Self> {
        let inner = line.trim().strip_prefix('<')?.strip_suffix('>')?;
        let (closing, inner) = inner.strip_prefix('/').map_or((false, inner), |rest| (true, rest));
        if inner.contains(['<', '>']) || inner.ends_with('/') {
            return None;
        }
        let name = inner.split_whitespace().next()?;
        let bare = name.strip_prefix(CALL_PREFIX);
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let name = bare.unwrap_or(name);
        name.chars().all(valid).then(|| Self {
            name: name.to_owned(),
            prefixed: bare.is_some(),
            closing,
        })
    }
}
