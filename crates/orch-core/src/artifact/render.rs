//! Writes the artifacts that the service makes itself.

use std::fmt::Write;

use super::front_matter::is_unsafe;
use crate::verdict::Finding;

/// Renders a front matter of strings and a body. Whatever a value holds (line breaks, `---`,
/// colons, control characters), [`FrontMatter::parse`](super::FrontMatter::parse) gives it back;
/// keys have to differ by more than case.
pub fn render(fields: &[(String, String)], body: &str) -> String {
    render_with(fields, &[], body)
}

/// The same with a list `findings`, which [`reported_findings`](super::reported_findings) gives
/// back; none is no field.
pub fn render_with(fields: &[(String, String)], findings: &[Finding], body: &str) -> String {
    let mut text = String::from("---\n");
    for (key, value) in fields {
        text.push_str(&scalar(key));
        text.push_str(": ");
        text.push_str(&scalar(value));
        text.push('\n');
    }
    if !findings.is_empty() {
        text.push_str("findings:\n");
    }
    for finding in findings {
        text.push_str("  - {");
        if let Some(severity) = &finding.severity {
            let _ = write!(text, "severity: {}, ", quoted(severity));
        }
        let _ = write!(text, "title: {}", quoted(&finding.title));
        if !finding.detail.is_empty() {
            let _ = write!(text, ", detail: {}", quoted(&finding.detail));
        }
        text.push_str("}\n");
    }
    text.push_str("---\n");
    if !body.is_empty() {
        text.push('\n');
        text.push_str(body);
        if !body.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

fn scalar(text: &str) -> String {
    if is_plain_word(text) || is_plain_number(text) { text.to_owned() } else { quoted(text) }
}

/// A word that no YAML reader takes for a boolean, null or number.
fn is_plain_word(text: &str) -> bool {
    const RESERVED: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A decimal number short enough that no reader rounds it, without leading zeros.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole)
        && all_digits(fraction)
        && digits.len() <= 15
        && (whole == "0" || !whole.starts_with('0'))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => {
                let code = u32::from(c);
                write!(out, "\\u{code:04X}").expect("writing to a String never fails");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
