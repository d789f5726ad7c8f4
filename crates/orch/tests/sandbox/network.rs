//! What a confined run reaches of the network.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use crate::bed::{Bed, PROFILES};

/// A host on this machine that answers every request.
fn host() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
            drop(stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nreached\n"));
        }
    });
    port
}

/// Asks directly, and as programs do that honour a proxy.
fn agent(open: u16, shut: u16) -> String {
    format!(
        r#"
ask() {{ curl -sS --fail --max-time 20 "$1"; }}
straight() {{ curl -sS --noproxy '*' --max-time 5 "http://127.0.0.1:$1/"; }}
try open ask http://localhost:{open}/
try shut ask http://localhost:{shut}/
try open-straight straight {open}
try shut-straight straight {shut}
"#
    )
}

#[test]
fn the_network_is_what_the_settings_say() {
    let (open, shut) = (host(), host());
    for profile in PROFILES {
        let all = ["open", "shut", "open-straight", "shut-straight"].as_slice();
        for (network, reached) in [
            ("\"on\"".to_owned(), all),
            ("\"off\"".to_owned(), &[]),
            (format!("\"allowlist\"\nallow_hosts = [\"localhost:{open}\"]"), &["open"]),
        ] {
            let settings = format!("[sandbox]\nprofile = \"{profile}\"\nnetwork = {network}\n");
            let bed = Bed::new(&settings, &agent(open, shut), "echo 'ok 1'; echo 1..1");
            let service = bed.orch.serve();
            let (key, why) = bed.play("Look around");
            let told = bed.told(&key);
            assert_eq!(why["state"], "done", "{profile} {network}: {told}");
            assert_eq!(bed.worked(), reached, "{profile} {network}: {told}");
            drop(service);
        }
    }
}
