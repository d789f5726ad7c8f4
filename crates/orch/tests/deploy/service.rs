//! A little HTTP service with its service manager, for the tests of deploys: compiled by them, no
//! part of the product.
//!
//! `service manage DIR PORT` starts what `DIR/want` names (`REVISION MOOD`), ends what ran before,
//! and says so in `DIR/now`. `service serve DIR PORT REVISION MOOD` answers `GET /health` and
//! `GET /version`. A file `DIR/mood-of-new` overrules the mood
//! of any but a restored revision while it runs. At the health request that
//! `DIR/kill-at-health` counts down to, the process in `DIR/orch.pid` is killed.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args[0].as_str() {
        "manage" => manage(Path::new(&args[1]), &args[2]),
        "serve" => serve(PathBuf::from(&args[1]), &args[2], &args[3], &args[4]),
        other => panic!("no role {other}"),
    }
}

fn manage(dir: &Path, port: &str) {
    let mut child: Option<Child> = None;
    let mut now = String::new();
    // It goes with whoever holds the other end of its input.
    let (gone, ended) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = gone.send(());
    });
    loop {
        if ended.try_recv().is_ok() {
            if let Some(mut child) = child.take() {
                let _ = child.kill();
                let _ = child.wait();
            }
            return;
        }
        let want = fs::read_to_string(dir.join("want")).unwrap_or_default();
        if want != now {
            if let Some(mut child) = child.take() {
                let _ = child.kill();
                let _ = child.wait();
            }
            let mut words = want.split_whitespace();
            if let Some(revision) = words.next() {
                let mood = words.next().unwrap_or("healthy");
                let program = std::env::current_exe().unwrap();
                let mut command = Command::new(program);
                command.arg("serve").arg(dir).args([port, revision, mood]);
                child = Some(command.spawn().unwrap());
            }
            fs::write(dir.join("now.new"), &want).unwrap();
            fs::rename(dir.join("now.new"), dir.join("now")).unwrap();
            now = want;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn serve(dir: PathBuf, port: &str, revision: &str, mood: &str) {
    match mood {
        "crash" => std::process::exit(1),
        "slow" => thread::sleep(Duration::from_millis(400)),
        _ => {}
    }
    let address = format!("127.0.0.1:{port}");
    // The one before it was killed; its address is free in a moment.
    let listener = loop {
        match TcpListener::bind(&address) {
            Ok(listener) => break listener,
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    let mut asked = 0;
    for stream in listener.incoming().flatten() {
        let changed = fs::read_to_string(dir.join("mood-of-new")).ok();
        let now = changed.filter(|_| mood != "restored").unwrap_or_else(|| mood.to_owned());
        answer(&dir, stream, revision, now.trim(), &mut asked);
    }
}

fn answer(dir: &Path, stream: TcpStream, revision: &str, mood: &str, asked: &mut u32) {
    let mut lines = BufReader::new(&stream).lines();
    let Some(Ok(request)) = lines.next() else { return };
    // Read to the end of the head: an answer before that may be lost with a reset.
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let health = request.starts_with("GET /health");
    if health {
        *asked += 1;
        kill_when_due(dir);
    }
    let (status, body) = match (health, mood) {
        (true, "bad") => ("500 Broken", "broken".to_owned()),
        (true, "flap") if *asked % 2 == 0 => ("503 Flapping", "now and then".to_owned()),
        (true, "degraded") => ("200 OK", r#"{"status":"degraded"}"#.to_owned()),
        (true, _) => ("200 OK", r#"{"status":"ok"}"#.to_owned()),
        (false, "third") => ("200 OK", "0".repeat(39) + "1"),
        (false, "glued") => ("200 OK", format!("x{revision}")),
        (false, "short") => ("200 OK", revision[..6].to_owned()),
        (false, "both") => ("200 OK", format!("{revision} {}", "0".repeat(40))),
        (false, "prefix") => ("200 OK", format!("app {}\n", &revision[..9])),
        (false, _) => ("200 OK", revision.to_owned()),
    };
    let mut stream = &stream;
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn kill_when_due(dir: &Path) {
    let file = dir.join("kill-at-health");
    let Some(left) = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<u32>().ok())
    else {
        return;
    };
    if left > 1 {
        let _ = fs::write(&file, (left - 1).to_string());
        return;
    }
    let _ = fs::remove_file(&file);
    if let Ok(pid) = fs::read_to_string(dir.join("orch.pid")) {
        let _ = Command::new("kill").args(["-9", pid.trim()]).status();
    }
}
