//! What the child prints, as the log, the tails and the count keep it.

use orch_core::process::ExitCause;
use orch_process::log;

use crate::support::Scene;

#[test]
fn both_streams_are_kept_in_order_with_their_names() {
    let scene = Scene::shell("echo one; echo two >&2; printf 'no newline'");
    let exit = scene.run();
    let log = scene.log();
    for line in [("stdout", "one"), ("stderr", "two"), ("stdout", "no newline")] {
        assert!(log.contains(&(line.0.into(), line.1.into())), "{line:?} is missing in {log:?}");
    }
    assert_eq!(
        (exit.stdout_tail.as_str(), exit.stderr_tail.as_str()),
        ("one\nno newline", "two\n")
    );
    assert_eq!(exit.lines, 3);
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_do_no_harm() {
    let scene = Scene::shell(r#"printf 'a\377\376b\000c\033[1m\n"\\\n'"#);
    let exit = scene.run();
    let texts: Vec<String> = scene.log().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["a\u{fffd}\u{fffd}b\0c\u{1b}[1m", "\"\\"]);
    assert_eq!(exit.stdout_tail, "a\u{fffd}\u{fffd}b\0c\u{1b}[1m\n\"\\\n");
    assert_eq!(exit.lines, 2);
}

#[test]
fn a_huge_line_is_split_and_counted_once() {
    let scene = Scene::shell("head -c 300000 /dev/zero | tr '\\0' x; echo; echo end");
    let exit = scene.run();
    let log = scene.log();
    assert_eq!(log.len(), 6);
    assert_eq!(log.iter().map(|(_, text)| text.len()).sum::<usize>(), 300_003);
    assert_eq!(exit.lines, 2);
    assert!(exit.stdout_tail.len() <= 64 << 10 && exit.stdout_tail.ends_with("end\n"));
}

#[test]
fn a_hundred_thousand_lines_are_all_there_to_be_read_in_slices() {
    let scene = Scene::fixture(&["print-lines", "100000"]);
    let exit = scene.run();
    assert_eq!((exit.cause, exit.lines), (ExitCause::Exited { code: 0 }, 100_000));
    assert!(exit.stdout_tail.ends_with("line 99999\n") && exit.stdout_tail.starts_with("line "));
    let (mut offset, mut number) = (0, 0);
    loop {
        let slice = log::read(&scene.dir, offset, 100_000).unwrap();
        for line in String::from_utf8(slice.bytes).unwrap().lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["text"], format!("line {number}"));
            number += 1;
        }
        offset = slice.next_offset;
        if slice.end {
            break;
        }
    }
    assert_eq!(number, 100_000);
}

#[test]
fn beyond_the_limit_output_is_counted_and_kept_as_tail_only() {
    let scene = Scene::fixture(&["print-lines", "50000"]).with(|s| s.log_limit = 10_000);
    let exit = scene.run();
    assert_eq!(exit.lines, 50_000);
    assert!(exit.stdout_tail.ends_with("line 49999\n"));
    assert!(std::fs::metadata(scene.dir.log()).unwrap().len() < 10_500);
    let (stream, text) = scene.log().pop().unwrap();
    assert_eq!(stream, "supervisor");
    assert!(text.contains("the log limit of 10000 bytes"), "{text}");
}
