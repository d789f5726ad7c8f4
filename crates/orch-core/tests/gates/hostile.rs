//! Hostile test reports: each is refused, or judged, for the right reason.

use orch_core::artifact::{ArtifactContent, ArtifactSet, MAX_ARTIFACT_BYTES};
use orch_core::stage::Gate;

use crate::support::{ask, expect, text};

fn testing(content: ArtifactContent, word: &str, reason: &str, case: &str) {
    let artifacts: ArtifactSet = [("13-test-report.md", content)].into_iter().collect();
    let verdict = ask(Gate::TestsPassed, &artifacts, None);
    expect(&verdict, word, reason, case);
    let named = verdict.lines().iter().any(|line| line.starts_with("13-test-report.md: "));
    assert!(named, "{case}: the file is not named in {:?}", verdict.lines());
}

#[test]
fn lawful_spellings_of_a_verdict_are_read() {
    let front = |line: &str| format!("---\n{line}\n---\n");
    let cases = [
        (front("result: PASS"), "pass", "`result: PASS`"),
        (front("result: pass"), "pass", "`result: pass`"),
        (front("RESULT: Passed"), "pass", "`result: Passed`"),
        (front("result: \"PASS\""), "pass", "PASS"),
        (front("result: 'success'"), "pass", "success"),
        (front("\"result\": ok"), "pass", "ok"),
        (front("result: PASS # all 42 of them"), "pass", "PASS"),
        (front("# a comment\nresult:   PASS   "), "pass", "PASS"),
        (front("result: \tPASS"), "pass", "PASS"),
        (front("result: |\n  PASS"), "pass", "PASS"),
        (front("result:\n  PASS"), "pass", "PASS"),
        (front("{result: PASS, exit_code: 0}"), "pass", "exit code 0"),
        (front("result: FAIL"), "fail", "`result: FAIL`"),
        (front("result: failed"), "fail", "failed"),
        (front("result: ERROR"), "fail", "ERROR"),
        ("\u{feff}---\nresult: PASS\n---\n".into(), "pass", "PASS"),
        ("---\r\nresult: PASS\r\n---\r\nbody\r\n".into(), "pass", "PASS"),
        ("\u{feff}---\r\nresult: FAIL\r\n---\r\n".into(), "fail", "FAIL"),
        ("---  \nresult: PASS\n---\t\nbody".into(), "pass", "PASS"),
        ("---\nresult: PASS\n---".into(), "pass", "PASS"),
        ("---\nresult: PASS\n---\n---\nresult: FAIL\n---\n".into(), "pass", "PASS"),
        ("---\nresult: PASS\n---\nbody with NUL \0 in its output".into(), "pass", "PASS"),
        (front("result: PASS\nnote: \"a --- b\""), "pass", "PASS"),
        (front("result: PASS\nnote: |\n  ---\n  result: FAIL\n  ..."), "pass", "PASS"),
        (front("result: PASS\nmeta:\n  result: FAIL"), "pass", "PASS"),
        (front("result: PASS\nstatus: ok\nverdict: APPROVED"), "pass", "PASS"),
    ];
    for (content, word, reason) in &cases {
        testing(text(content), word, reason, content);
    }
}

#[test]
fn a_verdict_elsewhere_than_at_the_top_level_is_absent() {
    let absent = "no field `result` at the top level";
    let cases = [
        "---\n---\nresult: PASS\n",
        "---\ntask: X-1\n---\n```yaml\nresult: PASS\n```\n",
        "---\ntask: X-1\n---\n```\n---\nresult: PASS\n---\n```\n",
        "---\nmeta:\n  result: PASS\n---\n",
        "---\nnote: |\n  result: PASS\n---\n",
        "---\nnote: \"\n  result: PASS\"\n---\n",
        "---\n# result: PASS\n---\n",
        "---\nresults: PASS\n---\n",
        "---\nthe result: PASS\n---\n",
        "---\nr\u{435}sult: PASS\n---\n",
        "---\nstatus: PASS\n---\n",
        "---\n{meta: {result: PASS}}\n---\n",
    ];
    for content in cases {
        testing(text(content), "refused", absent, content);
    }
}

#[test]
fn without_a_front_matter_there_is_no_verdict() {
    let none = "the first line has to be `---`";
    let cases = [
        ("", none),
        ("result: PASS\n", none),
        ("\n---\nresult: PASS\n---\n", none),
        ("# Report\n---\nresult: PASS\n---\n", none),
        ("```\n---\nresult: PASS\n---\n```\n", none),
        (" ---\nresult: PASS\n---\n", none),
        ("----\nresult: PASS\n----\n", none),
        ("--- result: PASS\n---\n", none),
        ("+++\nresult = \"PASS\"\n+++\n", none),
        ("\u{feff}\u{feff}---\nresult: PASS\n---\n", none),
        ("---\rresult: PASS\r---\r", none),
        ("---", "no closing `---` line"),
        ("---\nresult: PASS\n", "no closing `---` line"),
        ("---\nresult: PASS\n ---\n", "no closing `---` line"),
        ("---\nresult: PASS\n----\n", "no closing `---` line"),
    ];
    for (content, reason) in cases {
        testing(text(content), "refused", reason, content);
    }
}

#[test]
fn words_that_are_no_verdict_are_refused() {
    for value in [
        "PASS|FAIL",
        "PASS | FAIL",
        "<PASS or FAIL>",
        "PASS, FAIL",
        "\"PASS|FAIL\"",
        "PASSING",
        "PASS!",
        "PASS FAIL",
        "PASS#1",
        "\"PASS # FAIL\"",
        "yes",
        "true",
        "1",
        "0",
        "✅",
        "✅ PASS",
        "ＰＡＳＳ",
        "PA\u{200b}SS",
        "ΡASS",
        "\"PASS\\nFAIL\"",
        "\"\\0PASS\"",
        "|\n  PASS\n  FAIL",
        ">\n  PASS\n  FAIL",
        "PASS\n  FAIL",
        "unknown",
        "\"\"",
        "\"null\"",
    ] {
        testing(
            text(&format!("---\nresult: {value}\n---\n")),
            "refused",
            "which is no verdict",
            value,
        );
    }
    for (value, shown) in [
        ("", "`result` is empty"),
        ("~", "`result` is empty"),
        ("null", "`result` is empty"),
        ("[PASS]", "`result` is a list"),
        ("\n  - PASS", "`result` is a list"),
        ("\n- PASS", "`result` is a list"),
        ("{PASS: 1}", "`result` is a mapping"),
        ("\n  value: PASS", "`result` is a mapping"),
        ("# PASS", "`result` is empty"),
    ] {
        testing(text(&format!("---\nresult: {value}\n---\n")), "refused", shown, value);
    }
}

#[test]
fn repeated_and_contradictory_fields_are_refused() {
    let cases = [
        ("result: PASS\nresult: FAIL", "the key `result` is repeated"),
        ("result: PASS\nresult: PASS", "line 3: the key `result` is repeated"),
        ("result: FAIL\nResult: PASS", "the key `Result` is repeated"),
        ("result: FAIL\n\"result\": PASS", "the key `result` is repeated"),
        ("result: FAIL\n\"result \": PASS", "the key `result ` is repeated"),
        ("result: FAIL\n\"\\x72esult\": PASS", "the key `result` is repeated"),
        ("result: PASS\nmeta: {a: 1, A: 2}", "the key `A` is repeated"),
        ("result: PASS\nstatus: FAIL", "`result: PASS` and `status: FAIL` contradict"),
        ("result: FAIL\nstatus: PASS", "`result: FAIL` and `status: PASS` contradict"),
        ("result: PASS\nverdict: REQUEST_CHANGES", "`verdict: REQUEST_CHANGES` contradict"),
        ("result: PASS\nstatus: done", "`status` is \"done\", which is no verdict"),
        ("result: PASS\nverdict:", "`verdict` is empty, which is no verdict"),
        ("result: PASS\nexit_code: 1", "`result: PASS` and `exit_code: 1` contradict"),
        ("result: PASS\nexit_code: -9", "`exit_code: -9` contradict"),
        ("result: FAIL\nexit_code: 0", "`result: FAIL` and `exit_code: 0` contradict"),
        ("result: PASS\nexit_code: zero", "`exit_code` is \"zero\"; it has to be a whole number"),
        ("result: PASS\nexit_code:", "`exit_code` is empty"),
        ("result: PASS\nexit_code: [0]", "`exit_code` is a list"),
        ("result: PASS\nexit_code: 99999999999999999999", "a whole number"),
    ];
    for (front, reason) in cases {
        testing(text(&format!("---\n{front}\n---\n")), "refused", reason, front);
    }
}

#[test]
fn yaml_that_two_readers_could_take_differently_is_refused() {
    let cases = [
        ("a: &x PASS\nresult: PASS", "line 2: the front matter uses an anchor"),
        ("result: &x PASS", "uses an anchor"),
        ("a: &x PASS\nresult: *x", "uses an anchor"),
        ("result: *x", "uses an alias"),
        ("result: !!str PASS", "uses a tag"),
        ("result: ! PASS", "uses a tag"),
        ("!!map\nresult: PASS", "uses a tag"),
        ("<<: {result: PASS}", "uses a merge key"),
        ("? [a]\n: b\nresult: PASS", "a key has to be plain text"),
        ("? {a: b}\n: c\nresult: PASS", "a key has to be plain text"),
        (": x\nresult: PASS", "a key has to be plain text"),
        ("result: PASS\n...", "a second YAML document"),
        ("result: FAIL\n...\nresult: PASS", "line 3: the front matter holds a second YAML"),
        ("--- {result: FAIL}\nresult: PASS", "a second YAML document"),
        ("- result: PASS", "not a mapping"),
        ("PASS", "not a mapping"),
        ("[result, PASS]", "not a mapping"),
        ("result: PASS: FAIL", "not valid YAML"),
        ("result: \"PASS", "not valid YAML"),
        ("result: \"PASS\" FAIL", "not valid YAML"),
        ("result: [PASS", "not valid YAML"),
        ("result: PASS]}\n- x", "not valid YAML"),
        ("result: @PASS", "not valid YAML"),
        ("result: `PASS`", "not valid YAML"),
        ("result: %PASS", "not valid YAML"),
        ("meta:\n\tresult: PASS", "not valid YAML"),
        ("\tresult: PASS", "line 2: the front matter is not valid YAML: a tab can't indent"),
        ("result:\tPASS", "not valid YAML"),
        ("result PASS\nstatus: PASS", "not valid YAML"),
        ("result: PASS\n  status: PASS", "not valid YAML"),
        ("%YAML 1.2\nresult: PASS", "not valid YAML"),
        (
            "result: PASS\0\nresult: FAIL",
            "line 2 of the front matter holds the control character U+0000",
        ),
        ("a: b\nresult: PASS\x07", "line 3 of the front matter holds the control character U+0007"),
        ("result: FAIL\rresult: PASS", "U+000D"),
        ("result: FAIL\u{85}result: PASS", "U+0085"),
        ("result: FAIL\u{2028}result: PASS", "U+2028"),
        ("result: \u{feff}PASS", "U+FEFF"),
    ];
    for (front, reason) in cases {
        testing(text(&format!("---\n{front}\n---\n")), "refused", reason, front);
    }
}

#[test]
fn files_that_are_no_small_regular_text_are_refused() {
    let cases = [
        (ArtifactContent::Absent, "no such file"),
        (ArtifactContent::Symlink, "symbolic link"),
        (ArtifactContent::NotAFile, "not a regular file"),
        (ArtifactContent::TooLarge { bytes: 50 << 20 }, "52428800 bytes"),
        (ArtifactContent::Unreadable { reason: "Permission denied".into() }, "Permission denied"),
        (
            ArtifactContent::Text(b"---\nresult: PASS\n---\n\xff\xfe".to_vec()),
            "not valid UTF-8 from byte 21",
        ),
        (ArtifactContent::Text(b"\xff\xfe-\0-\0-\0".to_vec()), "not valid UTF-8 from byte 0"),
    ];
    for (content, reason) in cases {
        testing(content.clone(), "refused", reason, &format!("{content:?}"));
    }
}

#[test]
fn sizes_are_bounded_to_the_byte() {
    let head = "---\nresult: PASS\n---\n";
    let full = |len: usize| text(&format!("{head}{}", "x".repeat(len - head.len())));
    testing(full(MAX_ARTIFACT_BYTES), "pass", "PASS", "1 MiB");
    testing(full(MAX_ARTIFACT_BYTES + 1), "refused", "1048577 bytes", "1 MiB and a byte");
    let front = format!("---\nresult: PASS\n# {}\n---\n", "x".repeat(300_000));
    testing(text(&front), "refused", "256 KiB", "a huge front matter");
}

#[test]
fn bombs_are_refused_before_they_grow() {
    let deep_flow = format!("result: PASS\na: {}{}", "[".repeat(200), "]".repeat(200));
    let deeper_flow = format!("result: PASS\na: {}", "[{a: ".repeat(40_000));
    let deep_block = (0..400).fold(String::new(), |all, n| all + &" ".repeat(n) + "a:\n");
    let dashes = format!("a: \n{}", "- ".repeat(100_000));
    let marks = "? ".repeat(100_000);
    let many = format!("result: PASS\na: [{}]", "1,".repeat(30_000));
    let laughs = (1..30).fold("a0: &a0 [x]\n".to_owned(), |all, n| {
        format!("{all}a{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(9))
    });
    let cases = [
        (deep_flow, "nested more than 16 deep"),
        (deeper_flow, "nested more than 16 deep"),
        (deep_block, "nested more than 16 deep"),
        (dashes, "nested more than 16 deep"),
        (marks, "a key has to be plain text"),
        (many, "more than 20000 values"),
        (laughs, "uses an anchor"),
    ];
    for (front, reason) in cases {
        let case: String = front.chars().take(60).collect();
        testing(text(&format!("---\n{front}\n---\n")), "refused", reason, &case);
    }
}
