//! A distribution of times in a few figures.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Times in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// How many were measured.
    pub count: usize,
    /// Half are at or below.
    pub p50_us: u64,
    /// 99 of 100 are at or below.
    pub p99_us: u64,
    /// The slowest.
    pub slowest_us: u64,
}

impl Spread {
    /// Of the times there are; all nought where there is none.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |hundredths: usize| {
            let place = (times.len() * hundredths).div_ceil(100).saturating_sub(1);
            times.get(place).map_or(0, |time| time.as_micros() as u64)
        };
        Self { count: times.len(), p50_us: at(50), p99_us: at(99), slowest_us: at(100) }
    }
}

/// Microseconds as milliseconds, with as many digits as mean something.
pub fn ms(us: u64) -> String {
    let ms = us as f64 / 1000.0;
    if ms < 10.0 { format!("{ms:.2}") } else { format!("{ms:.0}") }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, slowest] = [self.p50_us, self.p99_us, self.slowest_us].map(ms);
        write!(f, "p50 {p50} ms, p99 {p99} ms, slowest {slowest} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_the_values_there_are() {
        let of = |millis: std::ops::RangeInclusive<u64>| {
            Spread::of(millis.rev().map(Duration::from_millis).collect())
        };
        let hundred = of(1..=100);
        assert_eq!((hundred.p50_us, hundred.p99_us, hundred.slowest_us), (50_000, 99_000, 100_000));
        let one = of(7..=7);
        assert_eq!((one.count, one.p50_us, one.p99_us, one.slowest_us), (1, 7_000, 7_000, 7_000));
        assert_eq!(Spread::of(Vec::new()).p99_us, 0);
    }
}
