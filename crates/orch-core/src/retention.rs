//! What is kept and what may go: by age and by number. Whatever deletes asks here, or is held
//! against what is said here by its tests.

use std::time::Duration;

use jiff::Timestamp;

/// How long things of one kind are kept. A thing goes when it is older than the age *and* not
/// among the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// What ended longer ago than this may go; `None` keeps everything.
    pub age: Option<Duration>,
    /// This many of the newest stay however old they are.
    pub newest: u32,
}

impl Keep {
    /// The moment before which a thing must have ended to go; `None` where everything stays.
    pub fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        cutoff(self.age, now)
    }

    /// Picks what goes, oldest first. Each item comes with the moment of its end; among equals
    /// the lesser item counts as older.
    pub fn due<T: Ord>(&self, now: Timestamp, ended: Vec<(Timestamp, T)>) -> Vec<(Timestamp, T)> {
        let Some(cutoff) = self.cutoff(now) else { return Vec::new() };
        let mut due = ended;
        due.sort_unstable();
        due.truncate(due.len().saturating_sub(self.newest as usize));
        due.retain(|(at, _)| *at < cutoff);
        due
    }
}

/// The moment before which a thing must have ended to be older than the age; `None` where there is
/// no age, or none that the calendar reaches.
pub fn cutoff(age: Option<Duration>, now: Timestamp) -> Option<Timestamp> {
    now.checked_sub(age?).ok()
}

/// From one maintenance of a mirror to the next.
const MAINTAIN_EVERY: Duration = Duration::from_hours(24);
/// After this long it is done even where the repository is never idle.
const MAINTAIN_AT_LAST: Duration = Duration::from_hours(48);

/// Whether a mirror is to be maintained now: once a day, at a moment when nothing of its repository
/// runs, as it holds the repository up; when there is no such moment for two days, all the same.
/// `last` is `None` for a mirror that never was. A moment in the future is a clock that was wrong.
pub fn maintenance_due(now: Timestamp, last: Option<Timestamp>, busy: bool) -> bool {
    let Some(last) = last.filter(|last| *last <= now) else { return !busy };
    let wait = if busy { MAINTAIN_AT_LAST } else { MAINTAIN_EVERY };
    Duration::try_from(now.duration_since(last)).is_ok_and(|since| since >= wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn keep(age: u64, newest: u32) -> Keep {
        Keep { age: Some(Duration::from_secs(age)), newest }
    }

    #[test]
    fn what_goes_is_old_and_not_among_the_newest() {
        let ended = || [50, 10, 40, 20, 30].map(|second| (at(second), second)).to_vec();
        let table = [
            ("all are old", keep(0, 0), &[10, 20, 30, 40, 50][..]),
            ("the newest two stay", keep(0, 2), &[10, 20, 30]),
            ("only what is older than the age goes", keep(70, 0), &[10, 20]),
            ("exactly as old as the age is not older", keep(80, 0), &[10]),
            ("both", keep(70, 4), &[10]),
            ("more are kept than there are", keep(0, 9), &[]),
            ("no age keeps everything", Keep { age: None, newest: 0 }, &[]),
            ("an age before all time", keep(u64::MAX, 0), &[]),
        ];
        for (what, keep, expected) in table {
            let due: Vec<i64> = keep.due(at(100), ended()).into_iter().map(|(_, n)| n).collect();
            assert_eq!(due, expected, "{what}");
        }
    }

    #[test]
    fn what_ended_in_the_future_stays() {
        assert_eq!(keep(0, 0).due(at(0), vec![(at(1), 1)]), []);
    }

    #[test]
    fn mirrors_are_maintained_daily_and_rather_while_idle() {
        let hour = 3_600;
        for (last, busy, expected) in [
            (None, false, true),
            (None, true, false),
            (Some(23 * hour), false, false),
            (Some(24 * hour), false, true),
            (Some(24 * hour), true, false),
            (Some(48 * hour), true, true),
            (Some(-hour), false, true),
            (Some(-hour), true, false),
        ] {
            let last = last.map(|ago: i64| at(-ago));
            assert_eq!(maintenance_due(at(0), last, busy), expected, "{last:?} {busy}");
        }
    }

    proptest! {
        #[test]
        fn due_and_kept_are_told_apart_by_age_and_number(
            seconds in prop::collection::vec(0..50_i64, 0..40), age in 0..60_u64, newest in 0..20_u32,
        ) {
            let ended: Vec<_> = seconds.iter().enumerate().map(|(n, s)| (at(*s), n)).collect();
            let due = keep(age, newest).due(at(55), ended.clone());
            let kept: Vec<_> = ended.iter().filter(|item| !due.contains(item)).collect();
            prop_assert!(kept.len() >= ended.len().min(newest as usize));
            prop_assert!(due.is_sorted());
            let old = |(time, _): &(Timestamp, usize)| *time < at(55 - age as i64);
            prop_assert!(due.iter().all(old));
            // What is old and stays, stays for its number: no more than that many are as new.
            for item in kept.iter().filter(|item| old(item)) {
                let as_new = ended.iter().filter(|other| *other >= *item).count();
                prop_assert!(as_new <= newest as usize, "{item:?} stays beside {as_new}");
            }
        }
    }
}
