//! Lines of output become events; nothing that an agent prints is an error.

use orch_agents::events::rate_limited_report;
use orch_agents::{AgentEvent, Usage, parse_line};
use orch_core::money::{Consumed, Figure};

#[test]
fn lines_become_events() {
    let text = |line: &str| AgentEvent::Text(line.to_owned());
    let unknown = |line: &str| AgentEvent::Unknown(line.to_owned());
    let usage = |input_tokens, output_tokens, cost_usd| {
        AgentEvent::Usage(Usage { input_tokens, output_tokens, cost_usd, ..Usage::default() })
    };
    let told = Usage {
        input_tokens: 9,
        cached_input_tokens: 4,
        output_tokens: 5,
        reasoning_tokens: 2,
        model: Some("gpt-5".into()),
        tokens_of: Figure::Session,
        cost_of: Figure::Session,
        ..Usage::default()
    };
    let deep = format!("{{\"orch\":{}", "[".repeat(100_000));
    let table = [
        ("", text("")),
        ("compiling", text("compiling")),
        ("{\"orch\"", text("{\"orch\"")),
        (deep.as_str(), text(&deep)),
        (r#"{"a":{"orch":"usage"}}"#, text(r#"{"a":{"orch":"usage"}}"#)),
        (r#"["orch"]"#, text(r#"["orch"]"#)),
        (r#"{"type":"result"}"#, text(r#"{"type":"result"}"#)),
        (
            r#"{"orch":"usage","input_tokens":3,"output_tokens":2,"cost_usd":0.5}"#,
            usage(3, 2, Some(0.5)),
        ),
        (r#" {"cost_usd":1,"orch":"usage","more":[]} "#, usage(0, 0, Some(1.0))),
        (
            r#"{"orch":"usage","input_tokens":18446744073709551615}"#,
            usage(1_000_000_000_000, 0, None),
        ),
        (
            r#"{"orch":"usage","of":"session","input_tokens":9,"cached_input_tokens":4,"output_tokens":5,"reasoning_tokens":2,"model":"gpt-5"}"#,
            AgentEvent::Usage(told),
        ),
        (r#"{"orch":"usage","model":"a\u0000b"}"#, AgentEvent::Usage(Usage::default())),
        (r#"{"orch":"usage","of":"week"}"#, unknown(r#"{"orch":"usage","of":"week"}"#)),
        (r#"{"orch":"usage","cost_usd":-5}"#, usage(0, 0, Some(0.0))),
        (r#"{"orch":"usage","cost_usd":1e300}"#, usage(0, 0, Some(1e6))),
        (r#"{"orch":"usage","input_tokens":-1}"#, unknown(r#"{"orch":"usage","input_tokens":-1}"#)),
        (r#"{"orch":"usage","cost_usd":"1"}"#, unknown(r#"{"orch":"usage","cost_usd":"1"}"#)),
        (r#"{"orch":"later"}"#, unknown(r#"{"orch":"later"}"#)),
        (r#"{"orch":null}"#, unknown(r#"{"orch":null}"#)),
        (
            r#"{"orch":"rate_limited","retry_after_s":9}"#,
            AgentEvent::RateLimited { retry_after_s: 9 },
        ),
        (r#"{"orch":"rate_limited"}"#, AgentEvent::RateLimited { retry_after_s: 0 }),
        (
            r#"{"orch":"tool_call","name":"bash","detail":"ls"}"#,
            AgentEvent::ToolCall { name: "bash".into(), detail: "ls".into() },
        ),
        (r#"{"orch":"file_change","path":"a"}"#, AgentEvent::FileChange { path: "a".into() }),
        (r#"{"orch":"retry","reason":"529"}"#, AgentEvent::Retry { reason: "529".into() }),
        (r#"{"orch":"error","message":"no"}"#, AgentEvent::Error("no".into())),
        (r#"{"orch":"needs_input","question":"a?"}"#, AgentEvent::NeedsInput("a?".into())),
        (r#"{"orch":"text","text":"hi"}"#, text("hi")),
        (r#"{"orch":"end","ok":true}"#, AgentEvent::End { ok: true }),
    ];
    for (line, expected) in table {
        assert_eq!(parse_line(line), expected, "{line:.80}");
    }
}

#[test]
fn reports_are_read_back_as_they_were_written() {
    let usage = Usage {
        input_tokens: 7,
        cached_input_tokens: 3,
        output_tokens: 8,
        reasoning_tokens: 1,
        cost_usd: Some(0.25),
        model: Some("m".into()),
        ..Usage::default()
    };
    assert_eq!(parse_line(&usage.report()), AgentEvent::Usage(usage));
    let wait = std::time::Duration::from_millis(2001);
    assert_eq!(
        parse_line(&rate_limited_report(wait)),
        AgentEvent::RateLimited { retry_after_s: 3 }
    );
}

#[test]
fn usage_is_summed_over_a_log_of_any_lines() {
    let most = r#"{"orch":"usage","input_tokens":18446744073709551615,"cost_usd":1e300}"#;
    let lines =
        ["text", most, r#"{"orch":"usage","output_tokens":2}"#, r#"{"orch":"usage","#, most];
    let sum = Usage::of_lines(lines);
    assert_eq!((sum.tokens.input, sum.tokens.output), (2_000_000_000_000, 2));
    assert_eq!(sum.cost_micros, Some(2_000_000_000_000));
    assert_eq!(Usage::of_lines([]), Consumed::default());
}
