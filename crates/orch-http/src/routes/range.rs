//! Byte ranges of requests (RFC 9110, section 14).

use axum::http::HeaderMap;
use axum::http::header::RANGE;

/// One range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteRange {
    /// From the first to the last, both included; to the end where there is no last.
    From(u64, Option<u64>),
    /// The last so many.
    Last(u64),
}

/// The one range that is asked for. What is malformed, of another unit, or several at once is
/// ignored, as the standard has it: the whole is the answer then.
pub(super) fn asked(headers: &HeaderMap) -> Option<ByteRange> {
    let value = headers.get(RANGE)?.to_str().ok()?;
    let (first, last) = value.strip_prefix("bytes=")?.trim().split_once('-')?;
    match (first, last) {
        ("", last) => Some(ByteRange::Last(number(last)?)),
        (first, "") => Some(ByteRange::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::From(first, Some(last)))
        }
    }
}

/// Digits only: a sign is no part of a range.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_what_is_ignored() {
        use ByteRange::{From, Last};
        let table = [
            ("bytes=0-99", Some(From(0, Some(99)))),
            ("bytes=5-5", Some(From(5, Some(5)))),
            ("bytes=100-", Some(From(100, None))),
            ("bytes=-500", Some(Last(500))),
            ("bytes=9-1", None),
            ("bytes=-", None),
            ("bytes=0-1,4-5", None),
            ("bytes=+1-2", None),
            ("bytes=99999999999999999999-", None),
            ("lines=0-1", None),
            ("", None),
        ];
        for (text, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, text.parse().unwrap());
            assert_eq!(asked(&headers), expected, "{text:?}");
        }
    }
}
