//! No run begins on a disk that is nearly full: it would fail half-way, and take others with it.

use jiff::SignedDuration;
use orch_core::settings::format_size;

use crate::engine::Engine;

/// How long a run waits before it looks again.
pub const LOOK: SignedDuration = SignedDuration::from_secs(60);

/// Why no run may begin here now; `None` where there is room, or nobody can tell.
pub fn lacks_room(engine: &Engine) -> Option<String> {
    let least = engine.settings.min_free_disk?;
    let place = engine.home.path();
    let free = orch_process::free_disk(place).ok()?;
    (free < least).then(|| {
        format!(
            "only {} are free on the disk of {} on {}, and a run begins with {} at least; make room \
             there, or lower [service] min_free_disk",
            format_size(free),
            place.display(),
            engine.host,
            format_size(least)
        )
    })
}
