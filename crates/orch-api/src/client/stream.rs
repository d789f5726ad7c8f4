//! A stream that outlives its connections: it is taken up again after the last event seen.

use std::io::BufReader;
use std::time::{Duration, Instant};

use super::error::ClientError;
use super::sse::{Frame, next_frame};
use super::transport::{Sent, Transport};

/// How long a service may be away, for its restart, before a stream gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// From one try to reconnect to the next.
const RETRY: Duration = Duration::from_millis(250);

type Reader = BufReader<ureq::BodyReader<'static>>;

/// Frames of one address, over as many connections as it takes.
#[derive(Debug)]
pub(super) struct Frames {
    transport: Transport,
    path: String,
    last_id: Option<String>,
    reader: Option<Connected>,
    /// A frame that was read ahead.
    pending: Option<Frame>,
    over: bool,
}

struct Connected(Reader);

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connected")
    }
}

impl Frames {
    /// Connects; an error here is the service's answer to the request itself.
    pub(super) fn open(
        transport: &Transport,
        path: &str,
        after: Option<String>,
    ) -> Result<Self, ClientError> {
        let mut frames = Self {
            transport: transport.clone(),
            path: path.to_owned(),
            last_id: after,
            reader: None,
            pending: None,
            over: false,
        };
        frames.reader = Some(frames.connect()?);
        frames.settle()?;
        Ok(frames)
    }

    /// A stream that begins now is told by its first frame where that is. Until this is known, a
    /// broken connection could not be taken up again without a gap.
    fn settle(&mut self) -> Result<(), ClientError> {
        while self.last_id.is_none() {
            let Some(Connected(reader)) = &mut self.reader else {
                self.reader = Some(self.reconnect()?);
                continue;
            };
            let Ok(Some(frame)) = next_frame(reader) else {
                self.reader = None;
                std::thread::sleep(RETRY);
                continue;
            };
            self.last_id.clone_from(&frame.id);
            if frame.data.is_some() {
                self.pending = Some(frame);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Nothing more is wanted.
    pub(super) fn close(&mut self) {
        self.over = true;
        self.reader = None;
    }

    pub(super) fn url(&self) -> String {
        format!("{}{}", self.transport.base(), self.path)
    }

    fn connect(&self) -> Result<Connected, ClientError> {
        let mut headers = vec![("accept", "text/event-stream")];
        if let Some(id) = &self.last_id {
            headers.push(("last-event-id", id));
        }
        let answer = self.transport.get(&self.path, Sent { headers: &headers, stream: true })?;
        let media = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        if !media.is_some_and(|media| media.starts_with("text/event-stream")) {
            let detail = format!("{} in place of an event stream", media.unwrap_or("no type"));
            return Err(ClientError::Unexpected { url: self.url(), status: 200, detail });
        }
        Ok(Connected(BufReader::new(answer.into_body().into_reader())))
    }

    /// Tries again until the service is back or patience is at its end.
    fn reconnect(&self) -> Result<Connected, ClientError> {
        let begun = Instant::now();
        loop {
            match self.connect() {
                Err(error) if error.is_transient() && begun.elapsed() < PATIENCE => {
                    std::thread::sleep(RETRY);
                }
                answer => return answer,
            }
        }
    }
}

impl Iterator for Frames {
    type Item = Result<Frame, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(frame) = self.pending.take() {
            return Some(Ok(frame));
        }
        while !self.over {
            let Some(Connected(reader)) = &mut self.reader else {
                match self.reconnect() {
                    Ok(reader) => self.reader = Some(reader),
                    Err(error) => {
                        self.over = true;
                        return Some(Err(error));
                    }
                }
                continue;
            };
            // At the stream's end the service stopped, at an error the connection broke: both are
            // mended by another connection.
            let Ok(Some(frame)) = next_frame(reader) else {
                self.reader = None;
                std::thread::sleep(RETRY);
                continue;
            };
            if frame.id.is_some() {
                self.last_id.clone_from(&frame.id);
            }
            if frame.data.is_some() {
                return Some(Ok(frame));
            }
        }
        None
    }
}
