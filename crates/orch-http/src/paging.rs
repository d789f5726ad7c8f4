//! Pages: their size, and cursors that say nothing to whoever carries them.

use orch_api::{DEFAULT_LIMIT, MAX_LIMIT};

use crate::problem::ApiError;

/// The number of items that is asked for.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        Some(_) => Err(ApiError::malformed(format!("limit has to be from 1 to {MAX_LIMIT}"))),
    }
}

/// Which list a cursor belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Tasks,
    Events,
    Repos,
    RunArtifacts,
}

impl List {
    fn letter(self) -> char {
        match self {
            Self::Tasks => 't',
            Self::Events => 'e',
            Self::Repos => 'r',
            Self::RunArtifacts => 'a',
        }
    }
}

/// The cursor after a number.
pub(crate) fn cursor(list: List, after: i64) -> String {
    format!("{}{after:x}", list.letter())
}

/// Reads a cursor back. One of another list, or a made-up one, is refused.
pub(crate) fn after(list: List, cursor: Option<&str>) -> Result<Option<i64>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    cursor
        .strip_prefix(list.letter())
        .filter(|digits| digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .and_then(|digits| i64::from_str_radix(digits, 16).ok())
        .map(Some)
        .ok_or_else(|| {
            ApiError::malformed("cursor is not one of this list; take it from next_cursor")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_made_up_ones_do_not() {
        for number in [0, 1, 255, i64::MAX] {
            let text = cursor(List::Tasks, number);
            assert_eq!(after(List::Tasks, Some(&text)).unwrap(), Some(number));
            assert!(after(List::Events, Some(&text)).is_err());
        }
        for bad in ["", "t", "t-1", "t+1", "tFF", "t 1", "tfffffffffffffffff", "1", "t1\0"] {
            assert!(after(List::Tasks, Some(bad)).is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn limits_have_bounds() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!(limit(Some(500)).unwrap(), 500);
        assert!(limit(Some(0)).is_err() && limit(Some(501)).is_err());
    }
}
