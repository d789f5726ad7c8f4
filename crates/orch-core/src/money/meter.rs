//! Adds up what an agent reports. Some programs say what a step took, some what the run took so
//! far, and some what their whole session took, earlier runs of it included.

use serde::{Deserialize, Serialize};

use super::Tokens;

/// What a reported figure counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// What was consumed since the last report.
    #[default]
    Step,
    /// What this run consumed so far.
    Run,
    /// What the session consumed so far, with the earlier runs that it resumes.
    Session,
}

/// One report of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The model, where it is said.
    pub model: Option<String>,
    /// What it read and wrote.
    pub tokens: Tokens,
    /// What the tokens count.
    pub tokens_of: Figure,
    /// What it cost, in millionths of a US dollar, where the program says it.
    pub cost_micros: Option<u64>,
    /// What the cost counts.
    pub cost_of: Figure,
}

/// What a session had consumed when a run of it began, and later what it has when the run ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTotals {
    /// Read and written.
    pub tokens: Tokens,
    /// In millionths of a US dollar.
    pub cost_micros: u64,
}

/// What a run consumed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consumed {
    /// Read and written.
    pub tokens: Tokens,
    /// What the program says that it cost; `None` where it says nothing of cost.
    pub cost_micros: Option<u64>,
    /// The model it named last.
    pub model: Option<String>,
    /// The session's totals at the end, to be taken off by the next run of the session.
    pub session: SessionTotals,
}

/// A running sum of one figure.
#[derive(Debug, Clone, Copy, Default)]
struct Sum<T> {
    stepped: T,
    run: T,
    session: Option<T>,
}

/// Adds reports up.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    before: SessionTotals,
    tokens: Sum<Tokens>,
    cost: Sum<u64>,
    costed: bool,
    model: Option<String>,
}

impl Meter {
    /// A run of a session that had consumed this much before; nothing for a new session.
    pub fn resuming(before: SessionTotals) -> Self {
        Self { before, ..Self::default() }
    }

    /// The same of a session that had consumed this much before the run: its name may come late.
    #[must_use]
    pub fn after(self, before: SessionTotals) -> Self {
        Self { before, ..self }
    }

    /// Takes a report in.
    pub fn add(&mut self, report: &Report) {
        let tokens = report.tokens;
        match report.tokens_of {
            Figure::Step => self.tokens.stepped = self.tokens.stepped.plus(tokens),
            Figure::Run => self.tokens.run = self.tokens.run.zip(tokens, u64::max),
            Figure::Session => {
                let so_far = self.tokens.session.unwrap_or_default();
                self.tokens.session = Some(so_far.zip(tokens, u64::max));
            }
        }
        if let Some(cost) = report.cost_micros {
            self.costed = true;
            match report.cost_of {
                Figure::Step => self.cost.stepped = self.cost.stepped.saturating_add(cost),
                Figure::Run => self.cost.run = self.cost.run.max(cost),
                Figure::Session => {
                    self.cost.session = Some(self.cost.session.unwrap_or_default().max(cost));
                }
            }
        }
        if report.model.is_some() {
            self.model.clone_from(&report.model);
        }
    }

    /// What the run consumed. A session whose total fell was begun anew: all of it is this run's.
    pub fn read(&self) -> Consumed {
        let Self { before, tokens, cost, .. } = self;
        let of_session = |now: Tokens| {
            if now.total() < before.tokens.total() { now } else { now.above(before.tokens) }
        };
        let own_tokens = tokens.session.map(of_session).unwrap_or_default();
        let own_cost = cost
            .session
            .map_or(0, |now| if now < before.cost_micros { now } else { now - before.cost_micros });
        let consumed = tokens.stepped.plus(tokens.run).plus(own_tokens);
        let costs = cost.stepped.saturating_add(cost.run).saturating_add(own_cost);
        Consumed {
            tokens: consumed,
            cost_micros: self.costed.then_some(costs),
            model: self.model.clone(),
            session: SessionTotals {
                tokens: tokens.session.unwrap_or_else(|| before.tokens.plus(consumed)),
                cost_micros: cost.session.unwrap_or(before.cost_micros.saturating_add(costs)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(input: u64, output: u64) -> Tokens {
        Tokens { input, output, ..Tokens::default() }
    }

    fn report(of: Figure, input: u64, cost: Option<u64>) -> Report {
        Report {
            model: None,
            tokens: tokens(input, 1),
            tokens_of: of,
            cost_micros: cost,
            cost_of: of,
        }
    }

    /// Session so far, reports, and what the run took: tokens read and cost.
    #[test]
    fn figures_are_counted_once() {
        use Figure::{Run, Session, Step};
        type Case<'a> = (&'a str, (u64, u64), &'a [(Figure, u64, Option<u64>)], (u64, Option<u64>));
        let cases: &[Case<'_>] = &[
            ("nothing said", (0, 0), &[], (0, None)),
            ("steps add up", (0, 0), &[(Step, 10, Some(1)), (Step, 20, Some(2))], (30, Some(3))),
            ("tokens without a price", (0, 0), &[(Step, 10, None)], (10, None)),
            (
                "a run's total replaces",
                (0, 0),
                &[(Run, 10, Some(1)), (Run, 30, Some(3))],
                (30, Some(3)),
            ),
            (
                "a total told twice",
                (0, 0),
                &[(Run, 30, Some(3)), (Run, 30, Some(3))],
                (30, Some(3)),
            ),
            ("a new session", (0, 0), &[(Session, 2000, Some(9))], (2000, Some(9))),
            ("a resumed session", (2000, 9), &[(Session, 4000, Some(18))], (2000, Some(9))),
            (
                "told twice in it",
                (2000, 9),
                &[(Session, 3000, Some(9)), (Session, 4000, Some(18))],
                (2000, Some(9)),
            ),
            ("begun anew all the same", (2000, 9), &[(Session, 500, Some(2))], (500, Some(2))),
        ];
        for (name, (before, cost), reports, expected) in cases {
            let before = SessionTotals { tokens: tokens(*before, 0), cost_micros: *cost };
            let mut meter = Meter::resuming(before);
            for (of, input, cost) in *reports {
                meter.add(&report(*of, *input, *cost));
            }
            let read = meter.read();
            assert_eq!((read.tokens.input, read.cost_micros), *expected, "{name}");
        }
    }

    #[test]
    fn the_runs_of_a_session_add_up_to_its_total() {
        let mut before = SessionTotals::default();
        let mut sum = 0;
        for total in [1000, 2500, 2500, 9000] {
            let mut meter = Meter::resuming(before);
            meter.add(&report(Figure::Session, total, Some(total * 2)));
            let read = meter.read();
            sum += read.cost_micros.unwrap();
            before = read.session;
        }
        assert_eq!(sum, 18_000);
    }

    #[test]
    fn hostile_figures_saturate() {
        let mut meter = Meter::default();
        for _ in 0..3 {
            meter.add(&report(Figure::Step, u64::MAX, Some(u64::MAX)));
        }
        assert_eq!(meter.read().tokens.input, u64::MAX);
        assert_eq!(meter.read().cost_micros, Some(u64::MAX));
    }
}
