//! Asks a running service (S7, S9): GETs a probe's path and judges the answer. It reads and changes
//! nothing.

use std::io::Read as _;
use std::time::Duration;

use orch_core::probe::{Answer, Judged, MAX_ANSWER, Probe};

use crate::http;

/// What a look at a running service came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It answered, and this is what the answer is taken for.
    Answered(Judged),
    /// It could not be reached, or broke off: infrastructure.
    Unreachable {
        /// In words for people, the address included.
        reason: String,
    },
}

/// Asks once.
pub fn look(base: &str, probe: &Probe, patience: Duration) -> Looked {
    let url = format!("{}{}", base.trim_end_matches('/'), probe.path);
    match get(&url, patience) {
        Ok(answer) => Looked::Answered(probe.judge(&answer)),
        Err(reason) => Looked::Unreachable { reason: format!("{url}: {reason}") },
    }
}

/// GETs an address, whatever its status; the error is why there is no answer.
pub fn get(url: &str, patience: Duration) -> Result<Answer, String> {
    let answer = http::client(patience).get(url).call().map_err(|error| error.to_string())?;
    let location = answer.headers().get("location");
    let location = location.and_then(|to| to.to_str().ok()).map(str::to_owned);
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    let read = answer.into_body().into_reader().take(MAX_ANSWER as u64).read_to_end(&mut body);
    read.map_err(|error| format!("the answer broke off: {error}"))?;
    Ok(Answer { status, location, body: String::from_utf8_lossy(&body).into_owned() })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A service that gives each caller these bytes and hangs up; an empty text says nothing and
    /// keeps the line.
    fn service(bytes: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(bytes.as_bytes());
                if bytes.is_empty() {
                    kept.push(stream);
                }
            }
        });
        base
    }

    fn ask(bytes: &'static str) -> Looked {
        let probe = "/health status=ok".parse().unwrap();
        look(&service(bytes), &probe, Duration::from_millis(500))
    }

    #[test]
    fn a_real_service_is_judged_and_one_that_does_not_answer_is_infrastructure() {
        let json = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}";
        assert_eq!(ask(json), Looked::Answered(Judged::Met));
        let wrong = ask("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        assert!(matches!(wrong, Looked::Answered(Judged::Unmet(_))), "{wrong:?}");
        let elsewhere =
            ask("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        let Looked::Answered(Judged::Unmet(finding)) = elsewhere else { panic!("{elsewhere:?}") };
        assert!(finding.title.contains("redirect to http://127.0.0.1:1/"), "{finding}");
        for odd in
            ["", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"st", "SSH-2.0-x\r\n", "\r\n\r\n"]
        {
            let looked = ask(odd);
            assert!(matches!(looked, Looked::Unreachable { .. }), "{odd:?}: {looked:?}");
        }
        let gone = look("http://127.0.0.1:1", &"/".parse().unwrap(), Duration::from_secs(1));
        let Looked::Unreachable { reason } = gone else { panic!("{gone:?}") };
        assert!(reason.starts_with("http://127.0.0.1:1/: "), "{reason}");
    }
}
