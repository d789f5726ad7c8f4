//! The API asks for its token, which a confined agent does not have.

use std::io::{Read, Write};
use std::net::TcpStream;

use orch_testkit::Orch;

fn ask(orch: &Orch, path: &str, header: &str) -> String {
    let address = orch.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{header}\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn without_the_token_only_the_probes_answer() {
    let root = tempfile::tempdir().unwrap();
    let orch = Orch::new(crate::bed::PROGRAM, root.path());
    let knowing = orch.clone().with("ORCH_API_TOKEN", "kn0wn");
    let service = knowing.serve();
    for (path, header, status) in [
        ("/health", "", "200"),
        ("/ready", "", "200"),
        ("/status", "", "401"),
        ("/tasks", "Authorization: Bearer guessed\r\n", "401"),
        ("/nothing", "", "401"),
        ("/status", "Authorization: Bearer kn0wn\r\n", "200"),
    ] {
        let answer = ask(&orch, path, header);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path} {header}: {answer}");
        assert_eq!(answer.contains("www-authenticate: Bearer"), status == "401", "{answer}");
    }
    knowing.ok(root.path(), &["status"]);
    let refused = orch.run(root.path(), &["status"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("ORCH_API_TOKEN"), "{said}");
    drop(service);
}
