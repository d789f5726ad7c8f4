//! Hostile input: whatever comes, the answer is a 4xx and a problem document.

use crate::service::Service;

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Every route that takes a body, with a key and a name that are known.
const POSTS: &[&str] = &[
    "/tasks",
    "/tasks/HELLO-1/cancel",
    "/tasks/HELLO-1/retry",
    "/tasks/HELLO-1/approve",
    "/tasks/HELLO-1/answer",
    "/serial-gate/pause",
    "/serial-gate/resume",
    "/serial-gate/freeze",
    "/serial-gate/unfreeze",
    "/repos",
];

fn bodies() -> Vec<(&'static str, Vec<u8>, u16)> {
    vec![
        ("not JSON", b"{".to_vec(), 400),
        ("words", b"hello".to_vec(), 400),
        ("two values", b"{}{}".to_vec(), 400),
        ("not UTF-8", b"{\"title\":\"\xff\xfe\"}".to_vec(), 400),
        ("a lone surrogate", br#"{"title":"\ud800"}"#.to_vec(), 400),
        ("NUL bytes", vec![0; 64], 400),
        ("deep nesting", "[".repeat(100_000).into_bytes(), 400),
        ("null", b"null".to_vec(), 422),
        ("a list", b"[1,2]".to_vec(), 422),
        ("a list that would fit", br#"["HELLO-1"]"#.to_vec(), 422),
        ("an empty list", b" []".to_vec(), 422),
        ("a text", br#""{}""#.to_vec(), 422),
        ("a number", b"1e999".to_vec(), 400),
        ("unknown fields", br#"{"nonsense":1}"#.to_vec(), 422),
        (
            "wrong types",
            br#"{"title":{},"text":[],"task":1,"repo":true,"reason":{},"by":1,"checkout":2,"x":0}"#
                .to_vec(),
            422,
        ),
        ("too large", vec![b' '; (1 << 20) + 1], 413),
    ]
}

#[test]
fn every_bad_body_of_every_route_is_a_problem() {
    let service = Service::start();
    service.submit("something to act on");
    for path in POSTS {
        for (what, body, expected) in bodies() {
            let answer = service.send("POST", path, &[JSON], &body);
            assert_eq!(answer.problem().status, expected, "{path}, {what}");
        }
        let text = service.send("POST", path, &[("Content-Type", "text/plain")], b"{}");
        assert_eq!(text.status, 415, "{path}: {text:?}");
        text.problem();
    }
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(service.send("POST", "/tasks", &[form], b"title=x").problem().status, 415);
    assert_eq!(service.client.status().unwrap().tasks.open, 1, "nothing of it was taken");
}

#[test]
fn values_that_are_json_and_yet_wrong_are_refused_with_the_reason() {
    let service = Service::start();
    service.submit("something to act on");
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(301));
    let big = format!(r#"{{"title":"x","body":"{}"}}"#, "y".repeat(300 * 1024));
    let wordy = format!(r#"{{"reason":"{}"}}"#, "r".repeat(1001));
    let answer = format!(r#"{{"text":"{}"}}"#, "a".repeat(17 << 10));
    let table: &[(&str, &str, u16, &str)] = &[
        ("/tasks", r#"{"title":""}"#, 422, "title is empty"),
        ("/tasks", r#"{"title":"   "}"#, 422, "title is empty"),
        ("/tasks", r#"{"title":"a\nb"}"#, 422, "control"),
        ("/tasks", r#"{"title":"a\u001b[31m"}"#, 422, "control"),
        ("/tasks", &long, 422, "300"),
        ("/tasks", &big, 422, "larger"),
        ("/tasks", r#"{"title":"x","body":"\u0000"}"#, 422, "NUL"),
        ("/tasks", r#"{"title":"x","repo":"nowhere"}"#, 404, "nowhere"),
        ("/tasks", r#"{"title":"x","repo":"../../etc"}"#, 404, "repository name"),
        ("/tasks", r#"{"title":"x","priority":9999999999}"#, 422, "priority"),
        ("/tasks", r#"{"title":"x","priority":1.5}"#, 422, "priority: invalid type"),
        ("/tasks", r#"{"title":"x","title":"y"}"#, 422, "duplicate"),
        ("/tasks/HELLO-1/cancel", &wordy, 422, "1000"),
        ("/tasks/HELLO-1/approve", r#"{"by":"x\u0007"}"#, 422, "control"),
        ("/tasks/HELLO-1/answer", r#"{"text":"  "}"#, 422, "empty"),
        ("/tasks/HELLO-1/answer", &answer, 422, "larger"),
        ("/tasks/HELLO-1/answer", "{}", 422, "text"),
        ("/tasks/HELLO-99/retry", "{}", 404, "HELLO-99"),
        ("/serial-gate/pause", r#"{"task":"nonsense"}"#, 404, "task key"),
        ("/serial-gate/pause", r#"{"task":"HELLO-2"}"#, 404, "HELLO-2"),
        ("/serial-gate/resume", r#"{"task":"../x"}"#, 404, "task key"),
        ("/serial-gate/freeze", r#"{"repo":"nowhere"}"#, 404, "nowhere"),
        ("/serial-gate/freeze", r#"{"repo":"a/b"}"#, 404, "repository name"),
        ("/serial-gate/unfreeze", r#"{"repo":""}"#, 404, "repository name"),
        ("/repos", r#"{"checkout":"relative"}"#, 422, "absolute"),
        ("/repos", r#"{"checkout":"/a\u0000b"}"#, 422, "absolute"),
        ("/repos", r#"{"checkout":"/nowhere/at/all"}"#, 422, "/nowhere"),
        ("/repos", r#"{"checkout":"/tmp","remote":"--upload-pack=x"}"#, 422, "remote"),
        ("/repos", r#"{"checkout":"/tmp","remote":"ext::sh -c x"}"#, 422, "remote"),
    ];
    for (path, body, status, words) in table {
        let problem = service.send("POST", path, &[JSON], body.as_bytes()).problem();
        let shown: String = body.chars().take(60).collect();
        assert_eq!(problem.status, *status, "{path} {shown}: {problem:?}");
        assert!(problem.detail.contains(words), "{path} {shown}: {problem:?}");
    }
}

#[test]
fn bad_paths_methods_and_queries_are_problems() {
    let service = Service::start();
    service.submit("one");
    let table: &[(&str, &str, u16)] = &[
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("GET", "/tasks/", 404),
        ("GET", "/tasks/hello-1", 404),
        ("GET", "/tasks/HELLO-01", 404),
        ("GET", "/tasks/HELLO-2", 404),
        ("GET", "/tasks/HELLO-99999999999999999999", 404),
        ("GET", "/tasks/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/tasks/%ff%fe", 404),
        ("GET", "/tasks/%00", 404),
        ("GET", "/tasks/HELLO-2/events", 404),
        ("GET", "/tasks/HELLO-2/why", 404),
        ("GET", "/runs/x", 404),
        ("GET", "/runs/..%2F..%2Fabcdefgh", 404),
        ("GET", "/runs/r-00000000000-0000000000000000", 404),
        ("GET", "/runs/r-00000000000-0000000000000000/log", 404),
        ("DELETE", "/tasks/HELLO-1", 405),
        ("PUT", "/tasks", 405),
        ("GET", "/serial-gate/pause", 405),
        ("POST", "/health", 405),
        ("BREW", "/tasks", 405),
        ("GET", "/tasks?limit=0", 400),
        ("GET", "/tasks?limit=501", 400),
        ("GET", "/tasks?limit=-1", 400),
        ("GET", "/tasks?limit=ten", 400),
        ("GET", "/tasks?limit=5&limit=6", 400),
        ("GET", "/tasks?cursor=made-up", 400),
        ("GET", "/tasks?cursor=e1", 400),
        ("GET", "/tasks?state=busy", 400),
        ("GET", "/tasks?stage=A%20B", 400),
        ("GET", "/tasks?repo=a%2Fb", 400),
        ("GET", "/tasks?lmit=5", 400),
        ("GET", "/tasks/HELLO-1?verbose", 400),
        ("GET", "/status?x=1", 400),
        ("GET", "/events?after=-1", 400),
        ("GET", "/events?kind=task.nonsense", 400),
        ("GET", "/events?task=nonsense", 400),
        ("GET", "/events?cursor=t1", 400),
        ("GET", "/repos?cursor=%F0%9F%92%A9", 400),
        ("POST", "/tasks?dry_run=true", 400),
    ];
    for (method, path, status) in table {
        let answer = service.send(method, path, &[], b"");
        assert_eq!(answer.status, *status, "{method} {path}: {answer:?}");
        answer.problem();
    }
    for bad in ["x", "-1", "1.5", "", "99999999999999999999"] {
        let headers = [("Accept", "text/event-stream"), ("Last-Event-ID", bad)];
        for path in ["/events", "/tasks/HELLO-1/events"] {
            let answer = service.send("GET", path, &headers, b"");
            assert_eq!(answer.problem().status, 400, "{path} {bad:?}");
        }
    }
    for bad in ["", " ", "a b", &"k".repeat(256)] {
        let headers = [JSON, ("Idempotency-Key", bad)];
        let answer = service.send("POST", "/tasks", &headers, br#"{"title":"x"}"#);
        assert_eq!(answer.problem().status, 400, "{bad:?}");
    }
}

#[test]
fn a_body_that_breaks_off_harms_nobody() {
    let service = Service::start();
    let head = "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    {
        use std::io::Write as _;
        let mut connection = std::net::TcpStream::connect(service.address).unwrap();
        write!(connection, "{head}Content-Length: 100\r\n\r\n{{\"title\":").unwrap();
    }
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n");
    let answer = service.raw(chunked.as_bytes());
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert_eq!(service.client.status().unwrap().tasks.open, 0);
}
