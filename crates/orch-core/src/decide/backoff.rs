//! Backoff: exponential with full jitter and a cap, so that a shared fault is not met by a
//! thundering herd when it ends.

use std::time::Duration;

use super::Policy;

/// The delay before try `tries + 1`: uniform between a tenth of the present ceiling and the
/// ceiling, which doubles with every try up to the cap. `random` is any 64 random bits.
pub fn delay(policy: &Policy, tries: u32, random: u64) -> Duration {
    let base = policy.backoff_base.max(Duration::from_millis(1));
    let ceiling = base.saturating_mul(2_u32.saturating_pow(tries.min(30))).min(policy.backoff_cap);
    let ceiling_ms = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX).max(1);
    let floor_ms = ceiling_ms / 10;
    Duration::from_millis(floor_ms + random % (ceiling_ms - floor_ms).max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_delay_never_passes_its_ceiling_nor_the_cap(tries: u32, random: u64) {
            let policy = Policy::default();
            let delay = delay(&policy, tries, random);
            let doubled = policy.backoff_base.saturating_mul(2_u32.saturating_pow(tries.min(20)));
            prop_assert!(delay <= policy.backoff_cap.min(doubled));
            prop_assert!(delay >= policy.backoff_base / 10);
        }
    }
}
