//! Properties over arbitrary bytes.

use std::collections::HashSet;

use orch_core::artifact::{
    ArtifactContent, ArtifactSet, FrontMatter, Value, judge_file, render, render_with,
    reported_findings,
};
use orch_core::gate::guards::scan;
use orch_core::stage::Gate;
use orch_core::verdict::Finding;
use proptest::prelude::*;

use crate::support::ask;

/// Pieces that YAML and Markdown care about, so that random texts come near the grammar.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("---\n"),
        Just("result"),
        Just(": "),
        Just("\n"),
        Just("  "),
        Just("- "),
        Just("PASS"),
        Just("FAIL"),
        Just("\""),
        Just("'"),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(","),
        Just("#"),
        Just("&a "),
        Just("*a"),
        Just("!!str "),
        Just("|\n"),
        Just(">-\n"),
        Just("? "),
        Just("<<"),
        Just("\t"),
        Just("\r\n"),
        Just("\u{feff}"),
        Just("..."),
        Just("```\n"),
        Just("\\"),
        Just("%"),
        Just("é"),
        Just("\0"),
        Just("findings"),
        Just("P1"),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let content = ArtifactContent::Text(bytes.clone());
        for name in ["01-a.md", "03-a.md", "ADR-001-a.md", "12-a.md", "13-a.md", "x.md"] {
            let _ = judge_file(name, &content);
        }
        let _ = scan("a.md", &bytes);
    }

    #[test]
    fn texts_near_the_grammar_are_judged_without_a_panic(inner in pieces()) {
        for text in [inner.clone(), format!("---\n{inner}\n---\n"), format!("---\nresult: PASS\nx: {inner}\n---\n")] {
            let content = ArtifactContent::text(text);
            for name in ["03-a.md", "12-a.md", "13-a.md"] {
                let _ = judge_file(name, &content);
            }
        }
    }

    #[test]
    fn what_is_rendered_is_parsed_back(
        fields in proptest::collection::vec(("[a-zA-Z][a-zA-Z0-9_ :#é-]{0,20}[a-z]", value()), 0..8),
        body in any::<String>(),
    ) {
        let mut seen = HashSet::new();
        let fields: Vec<(String, String)> =
            fields.into_iter().filter(|(key, _)| seen.insert(key.to_lowercase())).collect();
        let text = render(&fields, &body);
        let front = FrontMatter::parse(&ArtifactContent::text(&text))
            .map_err(|problem| TestCaseError::fail(format!("{problem}: {text:?}")))?;
        for (key, value) in &fields {
            prop_assert_eq!(front.get(key).and_then(Value::text), Some(value.as_str()), "{}", text);
        }
        prop_assert_eq!(front.fields().count(), fields.len());
        prop_assert_eq!(front.body().trim(), body.trim());
    }

    #[test]
    fn findings_forge_no_field_whatever_they_hold(
        findings in proptest::collection::vec((any::<String>(), value()), 0..5),
    ) {
        let fields = [("result".to_owned(), "FAIL".to_owned())];
        let findings: Vec<Finding> = findings
            .iter()
            .map(|(title, detail)| Finding::new(&**title).with_detail(detail))
            .collect();
        let text = render_with(&fields, &findings, "");
        let front = FrontMatter::parse(&ArtifactContent::text(&text))
            .map_err(|problem| TestCaseError::fail(format!("{problem}: {text:?}")))?;
        prop_assert_eq!(front.get("result").and_then(Value::text), Some("FAIL"));
        prop_assert_eq!(front.fields().count(), 1 + usize::from(!findings.is_empty()));
        let read = reported_findings(&front).map_err(TestCaseError::fail)?;
        prop_assert_eq!(read.len(), findings.len());
        prop_assert!(read.iter().all(|finding| finding.open));
    }

    #[test]
    fn no_damage_elsewhere_turns_a_failure_into_a_pass(edit in edit()) {
        let (mut before, mut after) = (BEFORE.as_bytes().to_vec(), AFTER.as_bytes().to_vec());
        edit.apply(if edit.before { &mut before } else { &mut after });
        let report = [before, b"result: FAIL\n".to_vec(), after].concat();
        let files: ArtifactSet =
            [("13-test-report.md", ArtifactContent::Text(report.clone()))].into_iter().collect();
        let verdict = ask(Gate::TestsPassed, &files, None);
        prop_assert_ne!(verdict.word(), "pass", "{}", String::from_utf8_lossy(&report));
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        pieces(),
        "[0-9a-f.eE+-]{0,40}",
        "[ \t\r\n]{0,5}",
        Just("x".repeat(5_000)),
        proptest::sample::select(vec![
            "null", "~", "yes", "NO", "true", "0", "-0", "01", "1e5", "---", "...", "a: b", "# x",
            "\u{85}", "\u{2028}", "\u{feff}", "\u{7f}", "\u{ffff}", "-", "?", "1:30", "0x1F", "😀",
        ])
        .prop_map(str::to_owned),
    ]
}

const BEFORE: &str = "---\ntask: X-1\nmeta:\n  result: PASS\n  status: PASS\nnote: \"PASS\"\n";
const AFTER: &str = "command: make test\nlog: |\n  result: PASS\n---\n# Report\n\n---\nresult: PASS\n---\n```yaml\nresult: PASS\n```\n";

/// One piece of damage to a text.
#[derive(Debug, Clone)]
struct Edit {
    before: bool,
    at: usize,
    len: usize,
    insert: Vec<u8>,
}

impl Edit {
    fn apply(&self, text: &mut Vec<u8>) {
        let at = self.at % (text.len() + 1);
        let end = (at + self.len).min(text.len());
        text.splice(at..end, self.insert.iter().copied());
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let insert = prop_oneof![
        Just(Vec::new()),
        proptest::collection::vec(any::<u8>(), 0..6),
        proptest::sample::select(vec![
            "\n", "---\n", "\"", "'", "  ", "|", ">", "{", "}", "status: ", "a: "
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    (any::<bool>(), any::<usize>(), 0_usize..40, insert)
        .prop_map(|(before, at, len, insert)| Edit { before, at, len, insert })
}
