//! How a run's log lies in the store: in pieces of one fixed size, the last one growing. Where a
//! byte of the log is follows from its offset alone.

use orch_core::ids::RunId;

use crate::error::ObjectsError;
use crate::key::Key;
use crate::objects::Objects;

/// Bytes of one piece of a log. The growing last piece is written again as a whole, which keeps
/// the number of objects small however slowly a run speaks.
pub const CHUNK: u64 = 256 << 10;
/// The longest log that has a place; the supervisor's own limit is a quarter of it.
pub const MAX_LOG: u64 = 1 << 30;

/// Where a byte of a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The piece, from 0.
    pub chunk: u32,
    /// The byte within it.
    pub within: u64,
}

impl Place {
    /// Where the byte at this offset of the log is; `None` beyond [`MAX_LOG`].
    pub fn of(offset: u64) -> Option<Self> {
        let chunk = u32::try_from(offset / CHUNK).ok()?;
        (offset < MAX_LOG).then_some(Self { chunk, within: offset % CHUNK })
    }
}

/// A piece of a log as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPiece {
    /// The bytes from the offset on.
    pub bytes: Vec<u8>,
    /// True where they reach the end of what the store has so far.
    pub end: bool,
}

impl Objects {
    /// Reads at most `max` bytes of a run's log from `offset`; nothing where the log is not there
    /// or ends before.
    pub fn read_log(&self, run: &RunId, offset: u64, max: usize) -> Result<LogPiece, ObjectsError> {
        let mut bytes = Vec::new();
        loop {
            let at = Place::of(offset.saturating_add(bytes.len() as u64));
            let Some(Place { chunk, within }) = at else {
                return Ok(LogPiece { bytes, end: true });
            };
            let key = Key::log_chunk(run, chunk);
            let size = self.size(&key)?.unwrap_or(0).min(CHUNK);
            if size <= within {
                return Ok(LogPiece { bytes, end: true });
            }
            let wanted = (max - bytes.len()) as u64;
            let until = size.min(within + wanted);
            if until > within {
                bytes.extend(self.read_range(&key, within..until)?);
            }
            if until < size || (until == size && size < CHUNK) {
                return Ok(LogPiece { bytes, end: until == size });
            }
            if bytes.len() == max {
                return Ok(LogPiece { bytes, end: false });
            }
        }
    }

    /// How many bytes of a run's log the store has.
    pub fn log_length(&self, run: &RunId) -> Result<u64, ObjectsError> {
        let pieces = self.list(run)?;
        let pieces = pieces.iter().filter(|piece| piece.name.starts_with("log/"));
        Ok(pieces.map(|piece| piece.bytes).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_where_its_offset_says() {
        let table = [
            (0, Some((0, 0))),
            (CHUNK - 1, Some((0, CHUNK - 1))),
            (CHUNK, Some((1, 0))),
            (MAX_LOG - 1, Some((4095, CHUNK - 1))),
            (MAX_LOG, None),
            (u64::MAX, None),
        ];
        for (offset, expected) in table {
            let place = Place::of(offset).map(|place| (place.chunk, place.within));
            assert_eq!(place, expected, "{offset}");
        }
    }
}
