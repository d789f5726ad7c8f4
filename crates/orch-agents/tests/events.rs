//! Lines of output become events; nothing that an agent prints is an error.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use jiff::{SignedDuration, Timestamp};
use orch_agents::events::{MAX_JOINED, Patience, rate_limited_report};
use orch_agents::{AgentEvent, EventReader, Source, Tally, Usage, descriptor, parse_line};
use orch_core::money::{Consumed, Figure, SessionTotals};
use orch_core::outcome::Fault;
use orch_core::settings::Adapter;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn reader(adapter: Adapter) -> EventReader {
    EventReader::new((descriptor(adapter).unwrap().mapper)())
}

fn read(adapter: Adapter, lines: &[&str]) -> Tally {
    let (mut reader, mut tally) = (reader(adapter), Tally::default());
    for line in lines {
        for event in reader.piece(Source::Out, line, false) {
            tally.add(now(), event);
        }
    }
    tally
}

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
    let end = |ok| AgentEvent::End { ok, fault: None, message: String::new() };
    let patience = |seconds| AgentEvent::RateLimited(Patience::Seconds(seconds));
    let table = [
        ("", text("")),
        ("compiling", text("compiling")),
        ("{\"orch\"", text("{\"orch\"")),
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
        (r#"{"orch":"rate_limited","retry_after_s":9}"#, patience(9)),
        (r#"{"orch":"rate_limited"}"#, patience(0)),
        (
            r#"{"orch":"tool_call","name":"bash","detail":"ls"}"#,
            AgentEvent::ToolCall { name: "bash".into(), detail: "ls".into() },
        ),
        (r#"{"orch":"file_change","path":"a"}"#, AgentEvent::FileChange { path: "a".into() }),
        (r#"{"orch":"needs_input","question":"a?"}"#, AgentEvent::NeedsInput("a?".into())),
        (
            r#"{"orch":"retry","reason":"529"}"#,
            AgentEvent::Retry { reason: "529".into(), fault: None },
        ),
        (
            r#"{"orch":"error","message":"no"}"#,
            AgentEvent::Error { fault: None, message: "no".into() },
        ),
        (r#"{"orch":"text","text":"hi"}"#, text("hi")),
        (r#"{"orch":"end","ok":true}"#, end(true)),
    ];
    for (line, expected) in table {
        assert_eq!(parse_line(line), expected, "{line:.80}");
    }
    let deep = format!("{{\"orch\":{}", "[".repeat(100_000));
    assert!(matches!(parse_line(&deep), AgentEvent::Text(kept) if kept.len() <= 4096));
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
        AgentEvent::RateLimited(Patience::Seconds(3))
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

#[test]
fn patience_is_counted_from_the_event_and_has_an_end() {
    let at = now();
    let hour = at + SignedDuration::from_hours(1);
    let week = at + SignedDuration::from_hours(24 * 8);
    let far = Timestamp::from_second(4_000_000_000).unwrap();
    for (patience, expected) in [
        (Patience::Seconds(3600), Some(hour)),
        (Patience::Seconds(0), None),
        (Patience::Seconds(u64::MAX), Some(week)),
        (Patience::Until(hour), Some(hour)),
        (Patience::Until(far), Some(week)),
    ] {
        assert_eq!(patience.until(at), expected, "{patience:?}");
    }
}

/// Figures that count over a session are counted once, however often it is resumed.
#[test]
fn what_a_resumed_session_had_consumed_before_is_not_counted_twice() {
    let turn = |all: u64| {
        format!(
            r#"{{"type":"turn.completed","usage":{{"input_tokens":{all},"output_tokens":{}}}}}"#,
            all / 50
        )
    };
    let first = read(Adapter::Codex, &[&turn(2000)]);
    let nothing = SessionTotals::default();
    assert_eq!(first.consumed(nothing).tokens.input, 2000);
    let before = first.consumed(nothing).session;
    let second = read(Adapter::Codex, &[&turn(3000), &turn(4000)]);
    let own = second.consumed(before);
    assert_eq!((own.tokens.input, own.tokens.output), (2000, 40));
    assert_eq!(own.session.tokens.input, 4000);
    let anew = read(Adapter::Codex, &[&turn(1000)]);
    assert_eq!(anew.consumed(before).tokens.input, 1000, "it began to count anew");

    let result = |cost: f64| {
        format!(
            r#"{{"usage":{{"input_tokens":1000,"output_tokens":20,"cache_read_input_tokens":500}},"type":"result","subtype":"success","is_error":false,"result":"","total_cost_usd":{cost}}}"#
        )
    };
    let first = read(Adapter::Claude, &[&result(0.0099)]);
    let before = first.consumed(nothing).session;
    let own = read(Adapter::Claude, &[&result(0.0132)]).consumed(before);
    let tokens = own.tokens;
    assert_eq!((tokens.input, tokens.cached_input, tokens.output), (1500, 500, 20));
    assert_eq!(own.cost_micros, Some(3300), "cost counts over the session, tokens don't");
    let lost = read(Adapter::Claude, &["killed"]).consumed(before);
    assert_eq!(
        lost.session, before,
        "a run that said nothing of it leaves the figures as they were"
    );
}

#[test]
fn a_fault_counts_until_progress_follows_it() {
    let retry =
        r#"{"type":"system","subtype":"api_retry","error_status":529,"error":"overloaded"}"#;
    let says = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"ok"}]}}"#;
    let fault = |lines: &[&str]| read(Adapter::Claude, lines).told.fault.map(|known| known.fault);
    assert_eq!(fault(&[retry]), Some(Fault::Overloaded));
    assert_eq!(fault(&[retry, says]), None);
    assert_eq!(fault(&[retry, says, retry]), Some(Fault::Overloaded));
    let limited = r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1800003600}}"#;
    let allowed = limited.replace("rejected", "allowed_warning");
    let told = read(Adapter::Claude, &[limited]).told;
    assert_eq!(told.patience_until, Timestamp::from_second(1_800_003_600).ok());
    assert_eq!(told.fault.unwrap().fault, Fault::RateLimited);
    assert_eq!(fault(&[&allowed]), None);
}

#[test]
fn hostile_lines_are_kept_or_passed_over_and_never_fatal() {
    let deep = format!(r#"{{"type":"assistant","message":{}"#, "[".repeat(100_000));
    let huge = format!(r#"{{"type":"{}"}}"#, "x".repeat(1 << 20));
    let lines = [
        "",
        "\u{0}\u{FFFD}",
        "null",
        "[]",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"result"}"#,
        r#"{"type":"result","usage":"much","total_cost_usd":"9","is_error":"no","permission_denials":{}}"#,
        r#"{"type":"assistant","message":{"content":{"type":"text"}}}"#,
        r#"{"type":"user","message":{"content":[{"type":"tool_result","content":[[]]}]}}"#,
        r#"{"type":"item.completed","item":null}"#,
        r#"{"type":"turn.completed","usage":{"input_tokens":-1,"output_tokens":1e400}}"#,
        r#"{"type":"turn.failed"}"#,
        r#"{"type":"thread.started","thread_id":["--yolo"]}"#,
        r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":99999999999999999}}"#,
        deep.as_str(),
        huge.as_str(),
    ];
    for adapter in [Adapter::Claude, Adapter::Codex, Adapter::Command] {
        let tally = read(adapter, &lines);
        let own = tally.consumed(SessionTotals::default());
        assert_eq!((own.tokens.input, own.cost_micros.unwrap_or_default()), (0, 0), "{adapter:?}");
        assert_ne!(tally.told.closed, Some(true), "{adapter:?} believed a nonsensical end");
    }
}

#[test]
fn long_lines_come_in_pieces_and_are_joined_within_a_bound() {
    let text = "é".repeat(200_000);
    let line = format!(
        r#"{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#
    );
    let mut reader = reader(Adapter::Claude);
    let pieces: Vec<String> =
        line.chars().collect::<Vec<_>>().chunks(60_000).map(|c| c.iter().collect()).collect();
    let (last, first) = pieces.split_last().unwrap();
    for piece in first {
        assert_eq!(reader.piece(Source::Out, piece, true).count(), 0);
        // The other stream's lines come in between.
        reader.piece(Source::Err, "warning", false).for_each(drop);
    }
    let events: Vec<AgentEvent> = reader.piece(Source::Out, last, false).collect();
    assert!(matches!(&events[..], [AgentEvent::Text(kept)] if kept.len() <= 4096), "{events:?}");

    for _ in 0..=(MAX_JOINED / 60_000) {
        assert_eq!(reader.piece(Source::Out, &"x".repeat(60_000), true).count(), 0);
    }
    let events: Vec<AgentEvent> = reader.piece(Source::Out, "end", false).collect();
    assert!(matches!(&events[..], [AgentEvent::Unknown(_)]), "{events:?}");
    assert_eq!(reader.piece(Source::Out, r#"{"type":"result"}"#, false).count(), 2, "it goes on");
}
