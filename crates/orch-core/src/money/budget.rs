//! Budgets of money and tokens: whether one more run may begin.

use super::{Tokens, dollars};
use crate::ids::TaskKey;

/// An amount spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spend {
    /// In millionths of a US dollar.
    pub cost_micros: u64,
    /// Tokens read and written.
    pub tokens: u64,
}

impl Spend {
    /// What a run came to.
    pub fn of(tokens: Tokens, cost_micros: u64) -> Self {
        Self { cost_micros, tokens: tokens.total() }
    }
}

/// What may be spent; `None` is without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limit {
    /// In millionths of a US dollar.
    pub cost_micros: Option<u64>,
    /// Tokens read and written.
    pub tokens: Option<u64>,
}

/// The limits that a task's runs keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpendLimits {
    /// Of the task, from its beginning to its end.
    pub task: Limit,
    /// Of its repository on one day.
    pub repo_day: Limit,
    /// Of all repositories on one day.
    pub day: Limit,
}

impl SpendLimits {
    /// True where nothing is limited: nobody needs to add up then.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What was spent so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// By the task.
    pub task: Spend,
    /// By its repository today.
    pub repo_day: Spend,
    /// By all repositories today.
    pub day: Spend,
}

/// What an operator allowed a task above its limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Raise {
    /// In millionths of a US dollar.
    pub cost_micros: u64,
    /// Tokens.
    pub tokens: u64,
}

/// Whose budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The task's.
    Task,
    /// Its repository's of the day.
    RepoDay,
    /// Everybody's of the day.
    Day,
}

/// A budget is spent: no run may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverBudget {
    /// Whose.
    pub which: Which,
    spent: String,
    most: String,
    unit: &'static str,
}

/// Says whether one more run may begin. It may while every sum is below its limit: what is known
/// before a run is what others have cost, so a sum ends above its limit by one run at most, and a
/// day's sum by the runs that were going on at once.
pub fn admit(limits: &SpendLimits, raise: Raise, spent: &Spent) -> Result<(), OverBudget> {
    let task = Limit {
        cost_micros: limits.task.cost_micros.map(|most| most.saturating_add(raise.cost_micros)),
        tokens: limits.task.tokens.map(|most| most.saturating_add(raise.tokens)),
    };
    let checks = [
        (Which::Task, task, spent.task),
        (Which::RepoDay, limits.repo_day, spent.repo_day),
        (Which::Day, limits.day, spent.day),
    ];
    for (which, limit, spent) in checks {
        if let Some(most) = limit.cost_micros.filter(|most| spent.cost_micros >= *most) {
            let [spent, most] = [spent.cost_micros, most].map(dollars);
            return Err(OverBudget { which, spent, most, unit: COST });
        }
        if let Some(most) = limit.tokens.filter(|most| spent.tokens >= *most) {
            let [spent, most] = [spent.tokens, most].map(|n| format!("{n} tokens"));
            return Err(OverBudget { which, spent, most, unit: TOKENS });
        }
    }
    Ok(())
}

impl OverBudget {
    /// The reason for people, with the remedy.
    pub fn reason(&self, key: &TaskKey) -> String {
        let Self { which, spent, most, unit } = self;
        let tomorrow = || "it goes on tomorrow (UTC)".to_owned();
        let (whose, name, remedy) = match which {
            Which::Task => {
                let raise = if *unit == COST { "--raise-budget USD" } else { "--raise-tokens N" };
                let remedy = format!("`orch task retry {key} {raise}` allows it more");
                ("the task's budget", "task", remedy)
            }
            Which::RepoDay => ("the repository's budget of today", "repo_day", tomorrow()),
            Which::Day => ("the budget of today", "day", tomorrow()),
        };
        format!("{whose} is spent: {spent} of {most}; {remedy}, or raise [budgets] {name}_{unit}")
    }
}

const COST: &str = "cost";
const TOKENS: &str = "tokens";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cost(micros: u64) -> Limit {
        Limit { cost_micros: Some(micros), tokens: None }
    }

    #[test]
    fn each_budget_stops_on_its_own_and_says_which() {
        let spent = |task, repo_day, day| {
            let spend = |cost_micros| Spend { cost_micros, tokens: cost_micros };
            Spent { task: spend(task), repo_day: spend(repo_day), day: spend(day) }
        };
        let limits = SpendLimits { task: cost(10), repo_day: cost(20), day: cost(30) };
        let asked = |spent| admit(&limits, Raise::default(), &spent).err().map(|over| over.which);
        assert_eq!(asked(spent(9, 19, 29)), None);
        assert_eq!(asked(spent(10, 19, 29)), Some(Which::Task));
        assert_eq!(asked(spent(9, 20, 29)), Some(Which::RepoDay));
        assert_eq!(asked(spent(9, 19, 30)), Some(Which::Day));
        let raised = Raise { cost_micros: 5, tokens: 0 };
        assert_eq!(admit(&limits, raised, &spent(14, 0, 0)), Ok(()));
        assert!(admit(&limits, raised, &spent(15, 0, 0)).is_err());
        let tokens = Limit { cost_micros: None, tokens: Some(3) };
        let limits = SpendLimits { task: tokens, ..SpendLimits::default() };
        let over = admit(&limits, Raise::default(), &spent(3, 0, 0)).unwrap_err();
        let key = "ORCH-1".parse().unwrap();
        insta::assert_snapshot!(over.reason(&key), @"the task's budget is spent: 3 tokens of 3 tokens; `orch task retry ORCH-1 --raise-tokens N` allows it more, or raise [budgets] task_tokens");
        assert_eq!(admit(&SpendLimits::default(), Raise::default(), &spent(9, 9, 9)), Ok(()));
    }

    proptest! {
        /// Runs of one task come one after the other: whatever each costs, the sum is never above
        /// the limit by more than the last of them.
        #[test]
        fn a_sum_is_never_above_its_limit_by_more_than_one_run(
            most in 0_u64..1000,
            runs in proptest::collection::vec(0_u64..400, 0..40),
        ) {
            let limits = SpendLimits { task: cost(most), ..SpendLimits::default() };
            let mut spent = Spent::default();
            let mut last = 0;
            for run in runs {
                if admit(&limits, Raise::default(), &spent).is_err() {
                    prop_assert!(spent.task.cost_micros >= most, "held too early");
                    break;
                }
                spent.task.cost_micros += run;
                last = run;
            }
            prop_assert!(spent.task.cost_micros == 0 || spent.task.cost_micros < most + last);
        }

        /// With several at once a day's sum ends above its limit by those going on at most.
        #[test]
        fn a_day_s_sum_is_above_its_limit_by_the_runs_going_on_at_most(
            most in 1_u64..1000,
            width in 1_usize..5,
            runs in proptest::collection::vec(0_u64..400, 0..60),
        ) {
            let limits = SpendLimits { day: cost(most), ..SpendLimits::default() };
            let mut spent = Spent::default();
            let mut last = 0;
            for batch in runs.chunks(width) {
                if admit(&limits, Raise::default(), &spent).is_err() {
                    break;
                }
                last = batch.iter().sum::<u64>();
                spent.day.cost_micros += last;
            }
            prop_assert!(spent.day.cost_micros == 0 || spent.day.cost_micros < most + last);
        }
    }
}
