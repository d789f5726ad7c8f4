//! Runs and their logs.

use crate::service::{Service, problem};

fn line(n: usize) -> String {
    format!("{{\"at\":\"2026-01-01T00:00:00Z\",\"stream\":\"stdout\",\"text\":\"line {n}\"}}\n")
}

#[test]
fn a_run_is_shown_from_its_claim_to_its_end() {
    let service = Service::start();
    service.submit("one");
    let run = service.claim(1);
    let orch_core::job::JobState::Running(owner) = &run.job.state else { panic!("{run:?}") };
    let id = owner.run_id.to_string();
    let shown = service.client.run(&id).unwrap();
    assert_eq!((shown.task.as_str(), shown.stage.as_str()), ("HELLO-1", "development"));
    assert_eq!((shown.attempt, shown.outcome, shown.finished_at), (1, None, None));
    let task = service.client.task("HELLO-1").unwrap();
    assert_eq!((task.summary.state.as_str(), task.runs.len()), ("running", 1));
    assert_eq!(task.jobs[0].run_id.as_deref(), Some(id.as_str()));
    service.client.cancel("HELLO-1", None).unwrap();
    let ended = service.client.run(&id).unwrap();
    assert_eq!(ended.outcome.as_deref(), Some("cancelled"));
    assert!(ended.finished_at.is_some() && ended.duration_ms.is_some());
}

#[test]
fn a_log_is_read_whole_and_in_ranges() {
    let service = Service::start();
    service.submit("one");
    let claim = service.claim(1);
    let orch_core::job::JobState::Running(owner) = &claim.job.state else { panic!("{claim:?}") };
    let id = owner.run_id.to_string();
    assert_eq!(service.client.run_log(&id).unwrap(), b"", "not begun");
    assert_eq!(problem(service.client.run_log_range(&id, "bytes=0-")).status, 416);
    // Larger than what is read at once.
    let text: String = (0..8_000).map(line).collect();
    service.log(&owner.run_id, &text);
    let text = text.as_bytes();
    assert_eq!(service.client.run_log(&id).unwrap(), text);
    let range = |range: &str| service.client.run_log_range(&id, range).unwrap();
    assert_eq!(range("bytes=0-9"), text[..10]);
    assert_eq!(range("bytes=5-5"), text[5..6]);
    assert_eq!(range("bytes=100-300000"), text[100..=300_000]);
    assert_eq!(range(&format!("bytes={}-", text.len() - 7)), text[text.len() - 7..]);
    assert_eq!(range("bytes=-50"), text[text.len() - 50..]);
    assert_eq!(range("bytes=-99999999"), *text);
    for ignored in ["bytes=9-1", "bytes=0-1,3-4", "lines=1-2", "bytes=x-"] {
        assert_eq!(range(ignored), *text, "{ignored}");
    }
    let beyond =
        service.send("GET", &format!("/runs/{id}/log"), &[("Range", "bytes=9999999-")], b"");
    assert_eq!(beyond.problem().status, 416);
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{}", text.len()).as_str()));
    let part = service.send("GET", &format!("/runs/{id}/log"), &[("Range", "bytes=2-4")], b"");
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 2-4/*")));
}

#[test]
fn a_log_is_followed_to_the_runs_end() {
    let service = Service::start();
    service.submit("one");
    let claim = service.claim(1);
    let orch_core::job::JobState::Running(owner) = &claim.job.state else { panic!("{claim:?}") };
    let id = owner.run_id.to_string();
    let mut follow = service.client.run_log_follow(&id, 0).unwrap();
    service.log(&owner.run_id, &format!("{}{}", line(0), &line(1)[..20]));
    let first = follow.next().unwrap().unwrap();
    assert_eq!(first.line.unwrap().text, "line 0");
    assert_eq!(first.next_offset, line(0).len() as u64);
    service.log(&owner.run_id, &format!("{}not what a supervisor writes\n", &line(1)[20..]));
    assert_eq!(follow.next().unwrap().unwrap().line.unwrap().text, "line 1");
    let odd = follow.next().unwrap().unwrap();
    assert_eq!(odd.line.unwrap_err(), "not what a supervisor writes");
    service.log(&owner.run_id, &line(3));
    service.client.cancel("HELLO-1", None).unwrap();
    let rest: Vec<_> = follow.map(|entry| entry.unwrap().line.unwrap().text).collect();
    assert_eq!(rest, ["line 3"]);
    let from_middle = service.client.run_log_follow(&id, odd.next_offset).unwrap();
    assert_eq!(from_middle.count(), 1);
}
