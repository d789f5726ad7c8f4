//! Leaked tags and conflict markers. The marks are put together from pieces, so that this file
//! holds none of them.

use orch_core::gate::guards::scan;

fn tag(name: &str) -> String {
    format!("<{name}>")
}

fn titles(path: &str, text: &str) -> Vec<String> {
    scan(path, text.as_bytes()).into_iter().map(|finding| finding.title).collect()
}

#[test]
fn leaked_tags_alone_on_a_line_are_found() {
    let calls = concat!("function_", "calls");
    let invoke = format!("{} name=\"Write\"", "invoke");
    let prefixed = concat!("/ant", "ml:parameter");
    let cases = [
        ("src/a.rs", tag("/content"), true),
        ("src/a.rs", tag("/invoke"), true),
        ("src/a.rs", tag("/parameter"), true),
        ("src/a.rs", format!("  {}  ", tag("/content")), true),
        ("src/a.rs", format!("{}\r", tag("/content")), true),
        ("src/a.rs", tag(calls), true),
        ("src/a.rs", tag(&invoke), true),
        ("README.md", tag(prefixed), true),
        ("README.md", tag("/content"), true),
        ("README.md", format!("```\n{}\n```", tag("/content")), false),
        ("README", format!("```\n{}\n```", tag("/content")), true),
        ("README.md", format!("the tag `{}` is a leak", tag("/content")), false),
        ("src/a.rs", format!("let x = \"{}\";", tag("/invoke")), false),
        ("feed.xml", format!("{}\nhello\n{}", tag("content"), tag("/content")), false),
        ("feed.xml", format!("{}\nhello\n{}", tag("content type=\"x\""), tag("/content")), false),
        ("feed.xml", format!("{}\nhello\n{}", tag("invoke"), tag("/invoke")), false),
        ("feed.xml", format!("hello\n{}", tag("/content")), true),
        ("page.html", format!("{}\n{}", tag("contents"), tag("/content")), true),
        ("a.rs", tag("/div"), false),
        ("a.rs", tag("Vec"), false),
        ("a.rs", "<>".into(), false),
        ("a.rs", "</>".into(), false),
    ];
    for (path, text, leaked) in cases {
        let found = titles(path, &format!("first\n{text}\nlast\n"));
        assert_eq!(!found.is_empty(), leaked, "{path} {text:?}: {found:?}");
        assert!(found.iter().all(|title| title.starts_with(&format!("{path}:"))), "{found:?}");
    }
}

#[test]
fn a_leak_is_named_with_its_line() {
    let text = format!("fn main() {{}}\n{}\n{}\n", tag("/content"), tag("/invoke"));
    let found = titles("src/a.rs", &text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("src/a.rs:2: a leaked tool-call tag"), "{found:?}");
    assert!(found[1].starts_with("src/a.rs:3: a leaked tool-call tag"), "{found:?}");
}

#[test]
fn conflict_markers_count_as_a_whole() {
    let (ours, half, theirs) = (
        format!("{} HEAD\n", "<".repeat(7)),
        format!("{}\n", "=".repeat(7)),
        format!("{} work\n", ">".repeat(7)),
    );
    let base = format!("{} base\n", "|".repeat(7));
    let cases = [
        (format!("{ours}a\n{half}b\n{theirs}"), 1),
        (format!("{ours}a\n{base}o\n{half}b\n{theirs}"), 1),
        (format!("{ours}a\n{half}b\n{theirs}x\n{ours}a\n{half}b\n{theirs}"), 2),
        (format!("```\n{ours}a\n{half}b\n{theirs}```\n"), 1),
        (format!("{ours}a\n{half}b\n{theirs}").replace('\n', "\r\n"), 1),
        (format!("Heading\n{half}text\n"), 0),
        (format!("{ours}a\n{half}b\n"), 0),
        (format!("{half}{theirs}"), 0),
        (format!("{ours}{theirs}"), 0),
        (format!("{theirs}{half}{ours}"), 0),
        (format!("    {ours}    {half}    {theirs}"), 0),
        (format!("<{ours}{half}{theirs}"), 0),
    ];
    for (text, count) in cases {
        let found = titles("notes.md", &text);
        assert_eq!(found.len(), count, "{text:?}: {found:?}");
    }
    let found = titles("a.rs", &format!("x\n{ours}a\n{half}b\n{theirs}"));
    assert!(found[0].contains("a.rs:2: conflict markers up to line 6"), "{found:?}");
}

#[test]
fn binary_files_are_left_alone_and_findings_are_bounded() {
    let text = format!("{}\n", tag("/invoke"));
    assert!(scan("a.bin", format!("\0{text}").as_bytes()).is_empty());
    assert_eq!(scan("a.rs", text.repeat(1_000).as_bytes()).len(), 20);
    let mut invalid = b"\xff\xfe\n".to_vec();
    invalid.extend(text.bytes());
    assert_eq!(scan("a.rs", &invalid).len(), 1);
}
