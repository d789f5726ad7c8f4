//! `GET /runs/{run_id}/log`: the log as it stands, a range of it, or live.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use orch_core::ids::RunId;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::range::{self, ByteRange};
use crate::extract::{Run, last_event_id, wants_stream};
use crate::problem::ApiError;
use crate::sse::{self, Feed, Gone};
use crate::state::AppState;

/// One JSON object a line.
const NDJSON: &str = "application/x-ndjson";
/// Bytes read at once.
const SLICE: usize = 256 << 10;
/// Bytes of one range that are answered; a client asks for the rest with the next range.
const MAX_RANGE: u64 = 8 << 20;
/// From one look at a growing log to the next: another process writes it, so nobody tells.
const LOOK: Duration = Duration::from_millis(200);
/// The same where the log is another machine's: each look is a request to the object store, and
/// the log gets there every two seconds.
const LOOK_AWAY: Duration = Duration::from_secs(1);
/// Looks that may fail one after another before a stream is given up: the database or the object
/// store may be away for a moment.
const MAX_FAILED: u32 = 30;

/// The log of one run.
pub(super) async fn log(
    State(state): State<AppState>,
    Run(run): Run,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Asked first, so that a run that is not there and a log out of reach are said as such.
    let asked = run.clone();
    state.blocking(move |state| Ok(state.operator().run_log(&asked, 0, 0).map(drop)?)).await?;
    if wants_stream(&headers) {
        let offset = last_event_id(&headers)?.unwrap_or_default().unsigned_abs();
        let fed = state.clone();
        return sse::stream(&state, offset, move |feed| follow(fed, run, offset, feed));
    }
    match range::asked(&headers) {
        Some(range) => state.blocking(move |state| part(state, &run, range)).await,
        None => Ok(whole(state, run)),
    }
}

/// The whole log, piece by piece: it may be larger than memory should hold.
fn whole(state: AppState, run: RunId) -> Response {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(2);
    tokio::spawn(async move {
        let mut offset = 0;
        loop {
            let run = run.clone();
            let read = move |state: &AppState| Ok(state.operator().run_log(&run, offset, SLICE)?);
            let Ok(piece) = state.blocking(read).await else {
                let broken = io::Error::other("the log can't be read on");
                drop(sender.send(Err(broken)).await);
                return;
            };
            offset = piece.next_offset;
            let over = piece.end || piece.bytes.is_empty();
            let gone = sender.send(Ok(piece.bytes.into())).await.is_err();
            if over || gone {
                return;
            }
        }
    });
    let body = Body::from_stream(ReceiverStream::new(receiver));
    ([(CONTENT_TYPE, NDJSON), (ACCEPT_RANGES, "bytes")], body).into_response()
}

fn part(state: &AppState, run: &RunId, range: ByteRange) -> Result<Response, ApiError> {
    let (first, wanted) = match range {
        ByteRange::From(first, last) => (first, last.map_or(u64::MAX, |last| last - first)),
        ByteRange::Last(number) => {
            (state.operator().run_log_length(run)?.saturating_sub(number), number.saturating_sub(1))
        }
    };
    let bytes = read(state, run, first, wanted.saturating_add(1).min(MAX_RANGE))?;
    let Some(last) = (bytes.len() as u64).checked_sub(1) else {
        return Err(ApiError::no_such_range(state.operator().run_log_length(run)?));
    };
    // The length of a log that may still grow is left open.
    let place = format!("bytes {first}-{}/*", first + last);
    let headers = [(CONTENT_TYPE, NDJSON), (ACCEPT_RANGES, "bytes"), (CONTENT_RANGE, &place)];
    Ok((StatusCode::PARTIAL_CONTENT, headers, bytes).into_response())
}

fn read(state: &AppState, run: &RunId, first: u64, wanted: u64) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    loop {
        let missing = wanted - bytes.len() as u64;
        let offset = first.saturating_add(bytes.len() as u64);
        let piece = state.operator().run_log(run, offset, missing.min(SLICE as u64) as usize)?;
        let none = piece.bytes.is_empty();
        bytes.extend(piece.bytes);
        if none || bytes.len() as u64 >= wanted {
            return Ok(bytes);
        }
    }
}

/// Feeds whole lines until the run has ended and its log is told to the end.
async fn follow(state: AppState, run: RunId, start: u64, feed: Feed) -> Result<(), Gone> {
    let mut lines = Lines { told: start, partial: Vec::new() };
    let mut failed = 0;
    loop {
        let (run, offset) = (run.clone(), lines.read_from());
        let look =
            state.blocking(move |state| Ok(state.operator().run_log(&run, offset, SLICE)?)).await;
        let pause = match look {
            Err(_) if failed < MAX_FAILED => {
                failed += 1;
                Some(LOOK_AWAY)
            }
            Err(_) => return Err(Gone),
            Ok(piece) => {
                failed = 0;
                let quiet = piece.bytes.is_empty();
                for (next, line) in lines.take(&piece.bytes) {
                    feed.send(next, "line", &line).await?;
                }
                if quiet && piece.over {
                    return feed.send(lines.told, "end", "{}").await;
                }
                let look = if piece.remote { LOOK_AWAY } else { LOOK };
                (quiet || piece.end).then_some(look)
            }
        };
        if let Some(pause) = pause {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = feed.closed() => return Err(Gone),
            }
        }
    }
}

/// Cuts a log into lines; one longer than a slice comes together over several.
struct Lines {
    /// Where the line after the last whole one begins.
    told: u64,
    partial: Vec<u8>,
}

impl Lines {
    fn read_from(&self) -> u64 {
        self.told + self.partial.len() as u64
    }

    /// Whole lines, each with the offset after it.
    fn take(&mut self, bytes: &[u8]) -> Vec<(u64, String)> {
        self.partial.extend_from_slice(bytes);
        let mut lines = Vec::new();
        let mut from = 0;
        while let Some(length) = self.partial[from..].iter().position(|b| *b == b'\n') {
            let line = &self.partial[from..from + length];
            from += length + 1;
            let text = String::from_utf8_lossy(line).replace('\r', "");
            lines.push((self.told + from as u64, text));
        }
        self.partial.drain(..from);
        self.told += from as u64;
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_with_the_offset_after_them() {
        let mut lines = Lines { told: 10, partial: Vec::new() };
        assert_eq!(lines.take(b"one\ntw"), [(14, "one".to_owned())]);
        assert_eq!(lines.read_from(), 16);
        assert_eq!(lines.take(b"o\n\nx"), [(18, "two".to_owned()), (19, String::new())]);
        assert_eq!((lines.told, lines.read_from()), (19, 20));
    }
}
