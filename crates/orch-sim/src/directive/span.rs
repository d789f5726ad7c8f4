//! Spans of time in scripts: `250ms`, `90s`, `5m`, `8h`, `-1h`.

use std::fmt;
use std::str::FromStr;

/// A span of time in milliseconds; negative where a clock goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub i64);

/// The longest span that a script may name: a hundred days.
const LONGEST: i64 = 100 * 86_400_000;

const UNITS: [(&str, i64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a span of time up to 100 days, such as 90s, 5m, -1h");
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, ms)| text.strip_suffix(name).map(|number| (number, *ms)))
            .ok_or_else(wrong)?;
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let ms = number.checked_mul(unit).filter(|ms| ms.abs() <= LONGEST).ok_or_else(wrong)?;
        Ok(Self(ms))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, ms) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
            if self.0 != 0 && self.0 % ms == 0 {
                return write!(f, "{}{name}", self.0 / ms);
            }
        }
        write!(f, "{}ms", self.0)
    }
}
