//! Events.

use orch_api::EventItem;
use orch_core::event::Event;

pub(crate) fn event(event: Event) -> EventItem {
    EventItem {
        id: event.id.0,
        at: event.at,
        kind: event.what.kind.name().to_owned(),
        task: event.what.task.map(|key| key.to_string()),
        repo: event.what.repo.map(String::from),
        run_id: event.what.run_id.map(String::from),
        message: event.what.message,
        data: event.what.data,
    }
}
