//! Backoff: a schedule with jitter and a cap, so that a shared fault is not met by a thundering herd
//! when it ends.

use std::time::Duration;

use super::Policy;

/// Each delay as a multiple of the first: 30 s, 2 min and 10 min where that is 30 s. What a moment
/// does not mend takes minutes, and what minutes don't mend, somebody has to.
const STEPS: [u32; 3] = [1, 4, 20];

/// The delay before try `tries + 1`: between half of the schedule's and the whole of it, which is
/// never longer than the cap. `random` is any 64 random bits.
pub fn delay(policy: &Policy, tries: u32, random: u64) -> Duration {
    let step = STEPS.get(tries as usize).or(STEPS.last()).copied().unwrap_or(1);
    let base = policy.backoff_base.max(Duration::from_millis(1));
    let ceiling = base.saturating_mul(step).min(policy.backoff_cap);
    let ceiling_ms = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX).max(1);
    let floor_ms = ceiling_ms / 2;
    Duration::from_millis(floor_ms + random % (ceiling_ms - floor_ms).max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_schedule_is_half_a_minute_two_and_ten() {
        let longest = |tries| delay(&Policy::default(), tries, u64::MAX - 1).as_secs();
        assert!((15..=30).contains(&longest(0)), "{}", longest(0));
        assert!((60..=120).contains(&longest(1)), "{}", longest(1));
        assert!((300..=600).contains(&longest(2)), "{}", longest(2));
    }

    proptest! {
        #[test]
        fn a_delay_never_passes_its_ceiling_nor_the_cap(
            tries: u32, random: u64, base_ms in 0..100_000_u64, cap_ms in 1..1_000_000_u64,
        ) {
            let (backoff_base, backoff_cap) =
                (Duration::from_millis(base_ms), Duration::from_millis(cap_ms));
            let policy = Policy { backoff_base, backoff_cap, ..Policy::default() };
            let step = [1, 4, 20][tries.min(2) as usize];
            let ceiling = backoff_base.max(Duration::from_millis(1)).saturating_mul(step).min(backoff_cap);
            let delay = delay(&policy, tries, random);
            prop_assert!(delay <= ceiling, "{delay:?} is longer than {ceiling:?}");
            prop_assert!(delay + Duration::from_millis(1) >= ceiling / 2);
        }
    }
}
