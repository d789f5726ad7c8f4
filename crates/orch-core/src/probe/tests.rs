use proptest::prelude::*;

use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, location: None, body: body.to_owned() }
}

#[test]
fn answers_are_taken_for_what_they_are() {
    let queue = r#"{"serial_gate":{"enabled":true,"width":1,"repos":[{"repo":"a.b"}]},"n":null}"#;
    let table = [
        ("/health", 200, "", "met"),
        ("/health", 204, "", "met"),
        ("/health status=ok", 200, r#"{"status":"ok"}"#, "met"),
        ("/health status=ok", 200, r#"{"status":"no"}"#, "has status \"no\", and not status=ok"),
        ("/health status=ok", 200, "{}", "has no status, and status=ok is expected"),
        ("/health status=ok", 200, "ok", "does not answer with JSON"),
        ("/health status!=no", 200, r#"{"status":"ok"}"#, "met"),
        ("/health status!=no", 200, "{}", "has no status"),
        ("/queue serial_gate.enabled exists", 200, queue, "met"),
        ("/queue serial_gate.enabled=true serial_gate.width=1", 200, queue, "met"),
        ("/queue serial_gate.repos.0.repo=a.b", 200, queue, "met"),
        ("/queue /serial_gate/repos/0/repo=a.b", 200, queue, "met"),
        ("/queue serial_gate.repos.1 exists", 200, queue, "has no serial_gate.repos.1"),
        ("/queue n=null n exists", 200, queue, "met"),
        ("/queue serial_gate.width=01", 200, queue, "has serial_gate.width 1"),
        ("/health", 404, "gone", "answers with status 404"),
        ("/health", 500, "", "answers with status 500"),
        ("/health", 301, "", "is a redirect"),
        ("/health", 503, "", "not there"),
        ("/health", 429, "", "not there"),
        ("/health status=ok", 502, "<html>", "not there"),
        ("/health", 401, "", "not let in"),
    ];
    for (probe, status, body, expected) in table {
        let probe: Probe = probe.parse().unwrap();
        let said = match probe.judge(&answer(status, body)) {
            Judged::Met => "met".to_owned(),
            Judged::Unmet(finding) => finding.title,
            Judged::NotThere { .. } => "not there".to_owned(),
            Judged::NotLetIn { .. } => "not let in".to_owned(),
        };
        assert!(said.contains(expected), "{probe} {status} {body}: {said}, and not {expected}");
    }
}

#[test]
fn what_is_no_probe_says_what_one_is() {
    for line in
        ["", "health", "http://x/health", "/a b", "/a =x", "/a b exists c", "/a exists", "/a#b"]
    {
        let error = line.parse::<Probe>().expect_err(line).to_string();
        assert!(error.contains("such as /health status=ok"), "{line}: {error}");
    }
}

#[test]
fn what_is_no_expectation_says_what_one_is() {
    for text in ["", "ok", "=ok", "a=b c=d", "a exists b", "exists"] {
        let error = text.parse::<Expectation>().expect_err(text).to_string();
        assert!(error.contains("such as status=ok"), "{text}: {error}");
    }
    for text in ["status=ok", "/a.b/0!=x", "a exists", "a="] {
        assert_eq!(text.parse::<Expectation>().unwrap().to_string(), text);
    }
}

proptest! {
    /// Whatever a service answers, judging it ends, and a 2xx alone never meets an expectation.
    #[test]
    fn no_answer_is_too_odd(status in 0..1000_u16, body: String, line: String) {
        let odd = answer(status, &body);
        if let Ok(probe) = line.parse::<Probe>() {
            let _ = probe.judge(&odd);
        }
        let strict: Probe = "/health never.there=1".parse().unwrap();
        prop_assert_ne!(strict.judge(&odd), Judged::Met);
    }

    #[test]
    fn a_probe_is_read_back(path in "/[a-z/]{0,12}", field in "[a-z]{1,5}(\\.[a-z0-9]{1,3}){0,2}", value in "[a-z0-9]{0,6}") {
        let line = format!("{path} {field}={value} {field}!=x{value} {field} exists");
        prop_assert_eq!(line.parse::<Probe>().unwrap().to_string(), line);
    }
}
