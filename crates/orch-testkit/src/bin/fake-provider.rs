//! `fake-provider [--port PORT] [--idle SECONDS]`: the provider of the tests as a program, to drive
//! agent programs by hand. Prints its address; ends by itself when nobody has asked anything for a
//! while. `GET /requests/KEY` says what was asked.

use std::process::ExitCode;
use std::time::Duration;

use orch_testkit::provider::FakeProvider;

/// Ended after so long without a request, in seconds, where nothing else is asked for.
const IDLE: u64 = 900;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((port, idle)) = options(&args) else {
        eprintln!("usage: fake-provider [--port PORT] [--idle SECONDS]");
        return ExitCode::from(2);
    };
    let provider = FakeProvider::start_on(port);
    println!("{}", provider.address());
    while provider.idle() < Duration::from_secs(idle) {
        std::thread::sleep(Duration::from_secs(1));
    }
    ExitCode::SUCCESS
}

fn options(args: &[String]) -> Option<(u16, u64)> {
    let (mut port, mut idle) = (0, IDLE);
    for pair in args.chunks(2) {
        match pair {
            [name, value] if name == "--port" => port = value.parse().ok()?,
            [name, value] if name == "--idle" => idle = value.parse().ok()?,
            _ => return None,
        }
    }
    Some((port, idle))
}
