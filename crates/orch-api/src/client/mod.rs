//! The typed client: every route as a method, blocking.

mod error;
mod events;
mod gate;
mod pages;
mod repos;
mod runs;
mod service;
mod sse;
mod stream;
mod tasks;
mod transport;

pub use error::ClientError;
pub use events::{EventQuery, EventStream};
pub use runs::{LogEntry, LogStream};
pub use tasks::{SubmittedTask, TaskQuery};

use transport::Transport;

/// A client of one service. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client of the service at `base_url`, such as `http://127.0.0.1:8420`. Nothing is asked
    /// yet; a token is sent as `Authorization: Bearer`.
    pub fn new(base_url: &str, token: Option<&str>) -> Self {
        Self { transport: Transport::new(base_url, token) }
    }

    /// The address given, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.transport.base()
    }
}

/// Short for what every call returns.
type Result<T> = std::result::Result<T, ClientError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_port_is_unreachable_and_names_the_address() {
        // Bound and dropped: nobody listens there now.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{free}");
        let error = Client::new(&url, None).health().unwrap_err();
        assert!(
            matches!(&error, ClientError::Unreachable { url: at, .. } if *at == url),
            "{error}"
        );
        assert!(error.to_string().contains("orch serve"), "{error}");
    }

    #[test]
    fn addresses_and_tokens_that_make_no_request_are_named() {
        for (url, token) in [
            ("nonsense", None),
            ("https://127.0.0.1:1", None),
            ("ftp://127.0.0.1:1", None),
            ("", None),
            ("http://127.0.0.1:1", Some("line\nbreak")),
        ] {
            let error = Client::new(url, token).health().unwrap_err();
            assert!(matches!(error, ClientError::Unsendable { .. }), "{url:?}: {error:?}");
        }
    }
}
