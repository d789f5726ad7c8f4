//! Times and spans for people.

use jiff::Timestamp;

/// A span such as `42s`, `3m 20s`, `5h 3m`, `2d 4h`. `seconds` below zero count as zero.
pub fn span(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m {}s", s / 60, s % 60),
        3_600..86_400 => format!("{}h {}m", s / 3_600, s % 3_600 / 60),
        _ => format!("{}d {}h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// A measured time such as `48ms` or, from a second on, as [`span`] says it.
pub fn took(milliseconds: i64) -> String {
    match milliseconds.max(0) {
        short @ 0..1_000 => format!("{short}ms"),
        long => span(long / 1_000),
    }
}

/// How long ago a moment was, such as `3m 20s`.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    span(now.as_second() - then.as_second())
}

/// A moment in UTC to the second, such as `2026-01-02 03:04:05Z`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_parts_at_most() {
        let table =
            [(-5, "0s"), (59, "59s"), (200, "3m 20s"), (18_180, "5h 3m"), (187_200, "2d 4h")];
        for (seconds, expected) in table {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn short_times_are_told_in_milliseconds() {
        assert_eq!(
            (took(48), took(999), took(61_500)),
            ("48ms".into(), "999ms".into(), "1m 1s".into())
        );
    }

    #[test]
    fn moments_are_utc() {
        assert_eq!(moment(Timestamp::UNIX_EPOCH), "1970-01-01 00:00:00Z");
    }
}
