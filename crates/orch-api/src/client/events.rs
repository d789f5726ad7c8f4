//! Events: the history, and the live stream.

use super::stream::Frames;
use super::transport::{encode, with_query};
use super::{Client, ClientError, Result};
use crate::event::EventItem;
use crate::page::Page;

/// Which events are wanted, and which part of the list; oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Only those about this task.
    pub task: Option<String>,
    /// Only those about this repository.
    pub repo: Option<String>,
    /// Only those of this kind, such as `task.done`; several with commas between them.
    pub kind: Option<String>,
    /// Only those after this number.
    pub after: Option<i64>,
    /// Items on a page, 1 to 500; `None` is 50.
    pub limit: Option<u32>,
    /// The page after this cursor; `None` is the first.
    pub cursor: Option<String>,
}

impl EventQuery {
    fn path(&self) -> String {
        with_query(
            "/events",
            &[
                ("task", self.task.clone()),
                ("repo", self.repo.clone()),
                ("kind", self.kind.clone()),
                ("after", self.after.map(|id| id.to_string())),
                ("limit", self.limit.map(|limit| limit.to_string())),
                ("cursor", self.cursor.clone()),
            ],
        )
    }
}

impl Client {
    /// A page of events, oldest first.
    pub fn events(&self, query: &EventQuery) -> Result<Page<EventItem>> {
        self.transport.get_json(&query.path())
    }

    /// A page of a task's events, oldest first.
    pub fn task_events(
        &self,
        key: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<EventItem>> {
        let limit = limit.map(|limit| limit.to_string());
        let query = [("limit", limit), ("cursor", cursor.map(str::to_owned))];
        self.transport.get_json(&with_query(&format!("/tasks/{}/events", encode(key)), &query))
    }

    /// Follows all events after a number; `None` begins with what happens from now on. A broken
    /// connection is taken up again without a gap.
    pub fn events_stream(&self, after: Option<i64>) -> Result<EventStream> {
        EventStream::open(self, "/events", after)
    }

    /// Follows one task's events after a number; `None` begins with what happens from now on.
    pub fn task_events_stream(&self, key: &str, after: Option<i64>) -> Result<EventStream> {
        EventStream::open(self, &format!("/tasks/{}/events", encode(key)), after)
    }
}

/// Events as they happen. Ends only with an error: when the service stays away for half a minute,
/// or refuses the stream.
#[derive(Debug)]
pub struct EventStream {
    frames: Frames,
}

impl EventStream {
    fn open(client: &Client, path: &str, after: Option<i64>) -> Result<Self> {
        let frames = Frames::open(&client.transport, path, after.map(|id| id.to_string()))?;
        Ok(Self { frames })
    }
}

impl Iterator for EventStream {
    type Item = Result<EventItem>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = match self.frames.next()? {
            Ok(frame) => frame,
            Err(error) => return Some(Err(error)),
        };
        let event = serde_json::from_str(frame.data.as_deref().unwrap_or_default());
        Some(event.map_err(|error| {
            self.frames.close();
            let detail = format!("a {} event: {error}", frame.name);
            ClientError::Unexpected { url: self.frames.url(), status: 200, detail }
        }))
    }
}
