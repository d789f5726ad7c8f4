//! What goes back over the wire.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::{Response, StatusCode};
use serde_json::Value;

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// As it should.
    Whole,
    /// Nothing more comes.
    Silence,
    /// The connection is closed.
    Cut,
}

/// A reply to a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// An answer.
    Body {
        /// Its status.
        status: u16,
        /// Its type.
        content_type: &'static str,
        /// Seconds, for the header of that name.
        retry_after: Option<u64>,
        /// The parts, each sent by itself.
        parts: Vec<String>,
        /// What comes after them.
        ending: Ending,
    },
    /// The connection is closed.
    Drop,
    /// Nothing ever comes.
    Hang,
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    /// The name of the event, where the dialect names events.
    pub(super) name: Option<String>,
    /// Its data.
    pub(super) data: String,
}

impl Event {
    /// An event named by its own `type`.
    pub(super) fn typed(data: &Value) -> Self {
        Self { name: data["type"].as_str().map(ToOwned::to_owned), data: data.to_string() }
    }

    /// An event without a name.
    pub(super) fn plain<T: ToString + ?Sized>(data: &T) -> Self {
        Self { name: None, data: data.to_string() }
    }

    /// As sent.
    pub(super) fn wire(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("event: {name}\n")).unwrap_or_default();
        format!("{name}data: {}\n\n", self.data)
    }
}

impl Reply {
    /// A JSON document.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::Body {
            status,
            content_type: "application/json",
            retry_after: None,
            parts: vec![body.to_string()],
            ending: Ending::Whole,
        }
    }

    /// The HTTP response; an error closes the connection.
    pub(super) async fn response(self) -> Result<Response<Body>, Closed> {
        match self {
            Self::Drop => Err(Closed),
            Self::Hang => std::future::pending().await,
            Self::Body { status, content_type, retry_after, parts, ending } => {
                let mut response = Response::builder()
                    .status(StatusCode::from_u16(status).unwrap())
                    .header("content-type", content_type);
                if let Some(seconds) = retry_after {
                    response = response.header("retry-after", seconds);
                }
                Ok(response.body(body(parts, ending)).unwrap())
            }
        }
    }
}

/// The body of a response.
pub(super) type Body = UnsyncBoxBody<Bytes, Closed>;

/// The connection is closed on purpose.
#[derive(Debug)]
pub(super) struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is closed on purpose")
    }
}

impl std::error::Error for Closed {}

fn body(parts: Vec<String>, ending: Ending) -> Body {
    if ending == Ending::Whole && parts.len() == 1 {
        let whole = Full::new(Bytes::from(parts.concat()));
        return whole.map_err(|never: Infallible| match never {}).boxed_unsync();
    }
    let sent = stream::iter(parts).map(|part| Ok(Frame::data(Bytes::from(part))));
    let after = match ending {
        Ending::Whole => stream::empty().boxed(),
        Ending::Silence => stream::pending().boxed(),
        Ending::Cut => stream::iter([Err(Closed)]).boxed(),
    };
    StreamBody::new(sent.chain(after)).boxed_unsync()
}
