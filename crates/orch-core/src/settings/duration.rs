//! Humane durations: `500ms`, `90s`, `15m`, `1h30m`, `7d`.

use std::fmt::Write as _;
use std::time::Duration;

/// The units, longest first, with their length in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a humane duration: whole numbers, each with its unit, longer units first. A bare `0` is
/// zero. The error says what is wrong, to follow the words `must be …`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const FORM: &str = "a duration with its unit, such as \"90s\", \"15m\" or \"1h30m\"";
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, tail) = tail.split_at(letters);
        if digits == 0 || letters == 0 {
            return Err(FORM.to_owned());
        }
        let Some((_, length)) = units.find(|(name, _)| *name == unit) else {
            return Err(format!("{FORM} (units d, h, m, s, ms, longest first)"));
        };
        let added = number.parse::<u64>().ok().and_then(|n| n.checked_mul(*length));
        total = added
            .and_then(|ms| total.checked_add(ms))
            .ok_or_else(|| "a duration that a computer can count".to_owned())?;
        rest = tail;
    }
    if text.is_empty() { Err(FORM.to_owned()) } else { Ok(Duration::from_millis(total)) }
}

/// Writes a duration in the form that [`parse_duration`] reads; less than a millisecond is cut.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, length) in UNITS {
        if rest >= length {
            let _ = write!(text, "{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, ms) in [
            ("0", 0),
            ("0s", 0),
            ("500ms", 500),
            ("90s", 90_000),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("1d1ms", 86_400_001),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_ambiguous_or_endless() {
        for text in [
            "",
            "30",
            "s",
            "-5s",
            "1.5h",
            "30m1h",
            "1m1m",
            "5 m",
            "5M",
            "٣s",
            "1h30",
            "99999999999999999999s",
            "18446744073709551615d",
            "1s\0",
        ] {
            assert!(parse_duration(text).is_err(), "{text:?} passed");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for ms in [0, 1, 999, 1_000, 90_000, 5_400_000, 90_061_001] {
            let duration = Duration::from_millis(ms);
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }
}
