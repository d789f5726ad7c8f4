//! A suite that lost tests since the last time proves less than it seems to.

/// Far fewer tests ran than the last time, or nobody counted them any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FewerTests {
    /// Tests that ran now; `None` where no runner said.
    pub now: Option<u64>,
    /// Tests that ran the last time.
    pub last: u64,
}

/// Compares the tests that ran with the last known count: fewer than `100 - tolerated_percent` per
/// cent of it is too few, and a count that is missing is none. `None` where there are enough, or
/// nothing to compare with.
pub fn fewer_tests(
    now: Option<u64>,
    last: Option<u64>,
    tolerated_percent: u32,
) -> Option<FewerTests> {
    let last = last?;
    let wanted = u128::from(last) * u128::from(100_u32.saturating_sub(tolerated_percent));
    (u128::from(now.unwrap_or(0)) * 100 < wanted).then_some(FewerTests { now, last })
}

impl std::fmt::Display for FewerTests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { now, last } = self;
        match now {
            Some(now) => write!(f, "{now} tests ran, and {last} the last time"),
            None => write!(f, "no runner said how many tests ran, and {last} did the last time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_percent_may_go() {
        for (now, last, too_few) in [
            (Some(95), Some(100), false),
            (Some(94), Some(100), true),
            (Some(0), Some(1), true),
            (Some(1), Some(1), false),
            (Some(0), Some(0), false),
            (Some(3), None, false),
            (Some(u64::MAX), Some(u64::MAX), false),
            (None, Some(1), true),
            (None, Some(0), false),
            (None, None, false),
        ] {
            assert_eq!(fewer_tests(now, last, 5).is_some(), too_few, "{now:?} of {last:?}");
        }
        assert_eq!(fewer_tests(Some(0), Some(100), 100), None);
        assert_eq!(fewer_tests(None, Some(100), 250), None);
    }
}
