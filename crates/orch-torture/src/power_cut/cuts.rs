//! Where the power is cut.

use std::collections::BTreeSet;

use super::history::Event;

/// So many moments, in order: half of them right before and after flushes, the others evenly
/// spread; all there are, where there are no more. The moment `n` is that at which `n` events had
/// happened.
pub(super) fn choose(events: &[Event], wanted: usize) -> Vec<usize> {
    let flush = |event: &Event| matches!(event, Event::Sync { .. } | Event::SyncNames { .. });
    let flushes: Vec<usize> =
        events.iter().enumerate().filter(|(_, event)| flush(event)).map(|(n, _)| n).collect();
    // Both sides of a flush: what it covers is not certain yet, and certain.
    let edges = spread(flushes.len(), wanted / 4).flat_map(|n| [flushes[n], flushes[n] + 1]);
    let mut chosen: BTreeSet<usize> = edges.collect();
    let rest = (0..=events.len()).filter(|moment| !chosen.contains(moment)).collect::<Vec<_>>();
    let missing = wanted.saturating_sub(chosen.len());
    chosen.extend(spread(rest.len(), missing).map(|n| rest[n]));
    chosen.into_iter().collect()
}

/// So many of `0..of`, evenly spread, with the last one; no more than there are.
fn spread(of: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(of);
    (1..=count).map(move |n| n * of / count - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(count: usize) -> Vec<Event> {
        (0..count)
            .map(|n| match n % 5 {
                4 => Event::Sync { inode: 0, covers: n },
                _ => Event::Resize { inode: 0, size: n as u64 },
            })
            .collect()
    }

    #[test]
    fn as_many_as_wanted_with_the_last_moment_and_both_sides_of_flushes() {
        let all = events(1_000);
        for wanted in [2, 7, 100, 777] {
            let cuts = choose(&all, wanted);
            assert_eq!(cuts.len(), wanted);
            assert_eq!(cuts.last(), Some(&1_000), "{wanted}");
        }
        let cuts = choose(&all, 100);
        let seen = |rest: usize| cuts.iter().filter(|cut| *cut % 5 == rest).count();
        assert!(seen(4) >= 25 && seen(0) >= 25, "{cuts:?}");
        assert!(seen(1) + seen(2) + seen(3) > 0, "{cuts:?}");
    }

    #[test]
    fn no_more_than_there_are() {
        assert_eq!(choose(&events(6), 500), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(choose(&[], 3), [0]);
    }
}
