//! What language models consume, what it costs, and when it is enough (S6).

pub mod budget;
pub mod meter;
pub mod prices;

pub use budget::{Limit, OverBudget, Raise, Spend, SpendLimits, Spent, Which, admit};
pub use meter::{Consumed, Figure, Meter, Report, SessionTotals};
pub use prices::{Price, PriceTable, Priced};

use serde::{Deserialize, Serialize};

/// Tokens that a model read and wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Read, with what came from the provider's cache.
    pub input: u64,
    /// Of those read, the ones that came from the provider's cache.
    pub cached_input: u64,
    /// Written, with what was thought and not shown.
    pub output: u64,
    /// Of those written, the ones that were thought and not shown.
    pub reasoning: u64,
}

impl Tokens {
    /// Read and written in all.
    pub fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    fn zip(self, other: Self, join: fn(u64, u64) -> u64) -> Self {
        Self {
            input: join(self.input, other.input),
            cached_input: join(self.cached_input, other.cached_input),
            output: join(self.output, other.output),
            reasoning: join(self.reasoning, other.reasoning),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.zip(other, u64::saturating_add)
    }

    /// What is above the other; never below nothing.
    #[must_use]
    pub fn above(self, other: Self) -> Self {
        self.zip(other, u64::saturating_sub)
    }
}

/// An amount of money for people, such as `$1.25`.
pub fn dollars(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    if rest.is_multiple_of(10_000) {
        return format!("${whole}.{:02}", rest / 10_000);
    }
    let fine = format!("{rest:06}");
    format!("${whole}.{}", fine.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn money_is_told_to_the_cent_or_finer_where_it_is() {
        for (micros, shown) in
            [(0, "$0.00"), (5_000_000, "$5.00"), (1_250_000, "$1.25"), (1, "$0.000001")]
        {
            assert_eq!(dollars(micros), shown);
        }
    }
}
