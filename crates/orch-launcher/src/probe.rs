//! Asks the service how it is, where it says that it listens.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use orch_api::Client;
use orch_core::ids::Revision;
use orch_core::switch::Probe;

use crate::run::Heard;

/// From one question to the next; three good answers in a row end a trial.
const INTERVAL: Duration = Duration::from_millis(500);

/// What is asked, and of whom.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The state directory, in which the service says where it listens.
    pub home: PathBuf,
    /// The API's token.
    pub token: Option<String>,
    /// The revision that has to answer; `None` where its build did not know it.
    pub revision: Option<Revision>,
}

/// Asks again and again, until another start has another number.
pub(crate) fn ask(
    question: Question,
    number: u64,
    present: Arc<AtomicU64>,
    heard: Sender<Heard>,
) -> std::io::Result<()> {
    let body = move || {
        while present.load(Ordering::Acquire) == number {
            let probe = answer(&question);
            if heard.send(Heard::Probed { number, probe }).is_err() {
                return;
            }
            thread::sleep(INTERVAL);
        }
    };
    thread::Builder::new().name("probe".to_owned()).spawn(body).map(drop)
}

/// One question.
fn answer(question: &Question) -> Probe {
    let Some(url) = address(&question.home) else {
        return Probe::NotYet("it does not say where it listens".to_owned());
    };
    let client = Client::new(&url, question.token.as_deref());
    if let Err(error) = client.ready() {
        return Probe::NotYet(format!("it is not ready: {error}"));
    }
    let served = match client.revision() {
        Ok(revision) => revision,
        Err(error) => return Probe::NotYet(format!("it does not say its revision: {error}")),
    };
    let expected = question.revision.as_ref().map(Revision::as_str);
    if served.as_deref() == expected {
        return Probe::Healthy;
    }
    let name = |revision: Option<&str>| revision.unwrap_or("unknown").to_owned();
    Probe::Wrong(format!(
        "it serves revision {} where {} is installed",
        name(served.as_deref()),
        name(expected)
    ))
}

/// Where the service of a state directory listens; `None` before it says so.
fn address(home: &Path) -> Option<String> {
    let text = std::fs::read_to_string(home.join("service.addr")).ok()?;
    let mut address: std::net::SocketAddr = text.trim().parse().ok()?;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    Some(format!("http://{address}"))
}
