//! Starts of language models: noted under the fence, settled once, added up.

use orch_core::ids::AgentName;
use orch_core::money::{Consumed, Priced, Raise, SessionTotals, Tokens};
use orch_core::outcome::Outcome;
use orch_store::{CallSpend, Claim, LlmFilter, NewLlmCall, Shadow, ShadowSum, StoreError};

use crate::Engine;
use crate::engine::{at, fence, repo_name};

fn call(claim: &Claim, site: &'static str) -> NewLlmCall {
    NewLlmCall {
        call_id: fence(claim).run_id,
        call_site: site,
        agent: AgentName::new("developer").unwrap(),
        adapter: "command",
        account: "main".to_owned(),
    }
}

fn spend(input: u64, cost: Option<u64>) -> CallSpend {
    let tokens = Tokens { input, cached_input: 1, output: 10, reasoning: 2 };
    CallSpend {
        consumed: Consumed { tokens, cost_micros: cost, ..Consumed::default() },
        ..CallSpend::default()
    }
}

/// A run whose model consumed so much.
fn ran(engine: &Engine, site: &'static str, spend: &CallSpend) -> Claim {
    let claim = engine.claimed();
    engine.store.begin_llm_call(at(15), &fence(&claim), &call(&claim, site)).unwrap();
    engine.store.settle_llm_call(&fence(&claim).run_id, spend).unwrap();
    claim
}

pub fn calls_are_added_up(engine: &Engine) {
    engine.register("b");
    engine.submit();
    let priced = Priced { cost_micros: 70, version: "mine-1".to_owned() };
    let told = CallSpend { priced: Some(priced), ..spend(100, None) };
    engine.pass(&ran(engine, "development", &told));
    engine.infra(&ran(engine, "testing", &spend(1, Some(5))), Outcome::Cancelled);
    let other = engine.submit_to("b", 9);
    let open = ran(engine, "development", &spend(0, None));
    assert_eq!(open.task.id, other.id);

    let sums = engine.store.llm_sums(&LlmFilter::default()).unwrap();
    let sites: Vec<_> = sums
        .sites
        .iter()
        .map(|(site, sum, median)| {
            (site.as_str(), sum.calls, sum.open, sum.failed, sum.cost_micros, sum.unpriced, *median)
        })
        .collect();
    assert_eq!(
        sites,
        [("development", 2, 1, 0, 70, 1, Some(5000)), ("testing", 1, 0, 1, 5, 0, Some(5000))]
    );
    let repos: Vec<_> = sums.repos.iter().map(|(name, sum)| (name.as_str(), sum.calls)).collect();
    assert_eq!(repos, [("b", 1), ("hello", 2)]);
    assert_eq!(sums.days.len(), 1);
    let (_, day) = sums.days[0];
    assert_eq!(
        (day.input_tokens, day.cached_input_tokens, day.output_tokens, day.reasoning_tokens),
        (101, 3, 30, 6)
    );
    let later = LlmFilter { since: Some(at(16)), repo: None };
    assert_eq!(engine.store.llm_sums(&later).unwrap().sites, []);
    let of_b = LlmFilter { since: None, repo: Some(repo_name("b")) };
    assert_eq!(engine.store.llm_sums(&of_b).unwrap().sites.len(), 1);

    let task = engine.store.task(&"HELLO-1".parse().unwrap()).unwrap().id;
    let calls = engine.store.llm_calls(task).unwrap();
    let prices: Vec<_> = calls.iter().map(|call| call.prices.as_deref()).collect();
    assert_eq!(prices, [Some("mine-1"), None]);
}

pub fn what_is_spent_is_known_by_task_repository_and_day(engine: &Engine) {
    engine.register("b");
    let task = engine.submit().id;
    let other = engine.submit_to("b", 0).id;
    engine.pass(&ran(engine, "development", &spend(100, Some(7))));
    engine.pass(&ran(engine, "testing", &spend(100, Some(2))));
    let spent = |task, now| {
        let (spent, raise) = engine.store.spent(now, task).unwrap();
        let costs = [spent.task, spent.repo_day, spent.day].map(|spend| spend.cost_micros);
        (costs, spent.day.tokens, raise.cost_micros)
    };
    assert_eq!(spent(task, at(50)), ([9, 9, 9], 220, 0));
    assert_eq!(spent(other, at(50)), ([0, 0, 9], 220, 0));
    assert_eq!(spent(task, at(50 + 86_400)), ([9, 0, 0], 0, 0), "a new day");
    for by in [3, 4] {
        engine.store.raise_budget(task, Raise { cost_micros: by, tokens: 1 }).unwrap();
    }
    assert_eq!(spent(task, at(50)), ([9, 9, 9], 220, 7));
}

pub fn a_call_is_noted_under_its_fence_and_settled_by_whoever_knows(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let first = call(&claim, "development");
    engine.store.begin_llm_call(at(15), &fence(&claim), &first).unwrap();
    engine.store.begin_llm_call(at(16), &fence(&claim), &first).unwrap();
    engine.infra(&claim, Outcome::Cancelled);
    let late = engine.store.begin_llm_call(at(17), &fence(&claim), &first);
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
    let most = CallSpend {
        consumed: Consumed {
            tokens: Tokens { input: u64::MAX, ..Tokens::default() },
            cost_micros: Some(u64::MAX),
            ..Consumed::default()
        },
        ..CallSpend::default()
    };
    for _ in 0..2 {
        engine.store.settle_llm_call(&first.call_id, &most).unwrap();
    }
    let (spent, _) = engine.store.spent(at(20), claim.task.id).unwrap();
    assert_eq!(spent.task.cost_micros, 1_000_000_000_000, "bounded, and counted once");
}

pub fn a_session_s_totals_are_those_of_its_last_call(engine: &Engine) {
    engine.submit();
    let totals = |cost_micros| SessionTotals { cost_micros, ..SessionTotals::default() };
    assert_eq!(engine.store.session_totals("s-1").unwrap(), totals(0));
    for cost in [9, 18] {
        let mut spend = spend(1, Some(9));
        spend.consumed.session = totals(cost);
        spend.session = Some("s-1".to_owned());
        engine.pass(&ran(engine, "development", &spend));
        assert_eq!(engine.store.session_totals("s-1").unwrap(), totals(cost));
    }
    assert_eq!(engine.store.session_totals("s-2").unwrap(), totals(0));
}

pub fn what_worked_beside_is_compared_and_what_was_left_is_ended(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let beside = |number: u64| orch_core::ids::RunId::from_parts(9, number);
    for number in [1, 2] {
        let call = NewLlmCall { call_id: beside(number), ..call(&claim, "testing.shadow") };
        engine.store.begin_llm_call(at(15), &fence(&claim), &call).unwrap();
        engine.store.settle_llm_call(&call.call_id, &spend(1, Some(50))).unwrap();
    }
    engine.store.end_llm_call(at(18), &beside(1), &Outcome::SuiteRan { exit_code: 0 }).unwrap();
    let shadow = Shadow {
        call_id: beside(1),
        run_id: fence(&claim).run_id,
        call_site: "testing.shadow",
        llm: true,
        started_at: at(15),
        outcome_kind: "suite_ran",
        verdict: Some("fail"),
    };
    for _ in 0..2 {
        engine.store.record_shadow(at(18), &shadow).unwrap();
    }
    let unjudged = Shadow { call_id: beside(3), verdict: None, ..shadow };
    engine.store.record_shadow(at(19), &unjudged).unwrap();
    engine.pass(&claim);
    let sums = engine.store.shadow_sums(&LlmFilter::default()).unwrap();
    let expected = ShadowSum {
        call_site: "testing.shadow".to_owned(),
        shadows: 2,
        compared: 1,
        agreed: 0,
        llm_ms: 3000,
        runner_ms: sums[0].runner_ms,
        llm_cost_micros: 50,
    };
    assert_eq!(sums, [expected]);
    engine.store.abandon_llm_calls_beside(at(30), &crate::engine::worker("w1")).unwrap();
    let report = engine.store.llm_sums(&LlmFilter::default()).unwrap();
    let (_, sum, _) = &report.sites[0];
    assert_eq!((sum.calls, sum.open, sum.failed), (2, 0, 1));
}
