//! Channels: a shut one keeps its jobs waiting and nobody else's, and opens by itself.

use orch_core::channel::{ACCOUNT, Pause};
use orch_core::ids::{AgentName, RepoId};
use orch_core::outcome::Outcome;
use orch_store::{ClaimRequest, NewRoute};

use crate::Engine;
use crate::engine::{at, fence, repo_name};

fn name(text: &str) -> AgentName {
    AgentName::new(text).unwrap()
}

fn route(position: u32, settings: &str, account: &str) -> NewRoute {
    NewRoute {
        agent: name("developer"),
        position,
        settings: name(settings),
        account: account.to_owned(),
        max_running: None,
    }
}

fn repo(engine: &Engine, of: &str) -> RepoId {
    engine.store.repo(&repo_name(of)).unwrap().id
}

fn shut(engine: &Engine, account: &str, until: i64) {
    let pause = Pause { until: at(until), reason: "rate limited".to_owned() };
    engine.store.shut_channel(at(10), ACCOUNT, account, &pause).unwrap();
}

/// Who is claimed at that second, and by which settings.
fn claimed(engine: &Engine, second: i64) -> Claimed {
    let claim = engine.store.claim(at(second), &engine.request(1_000)).unwrap()?;
    let settings = claim.route.map(|route| route.settings.to_string());
    Some((claim.task.key.to_string(), settings))
}

/// The task with the settings of its way; nothing where nobody could be claimed.
type Claimed = Option<(String, Option<String>)>;

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be nothing")]
fn some(key: &str, settings: Option<&str>) -> Claimed {
    Some((key.to_owned(), settings.map(str::to_owned)))
}

pub fn a_shut_account_keeps_its_own_jobs_waiting_and_opens_by_itself(engine: &Engine) {
    for other in ["b", "c"] {
        engine.register(other);
    }
    for (of, account) in [("hello", "one"), ("b", "one"), ("c", "two")] {
        engine.store.set_routes(repo(engine, of), &[route(0, "developer", account)]).unwrap();
        engine.submit_to(of, 0);
    }
    shut(engine, "one", 500);
    assert_eq!(claimed(engine, 20), some("C-1", Some("developer")));
    assert_eq!(claimed(engine, 21), None);
    assert_eq!(engine.store.next_wakeup(at(21)).unwrap(), Some(at(500)));
    let channels = engine.store.channels(at(21)).unwrap();
    let standing: Vec<_> = channels
        .iter()
        .map(|c| (c.name.as_str(), c.pause.is_some(), c.running, c.waiting))
        .collect();
    assert_eq!(standing, [("one", true, 0, 2), ("two", false, 1, 0)]);
    assert_eq!(engine.store.queue_snapshot(at(21)).unwrap().next, []);
    // What comes later waits too, and a longer pause is not made shorter.
    engine.submit_to("hello", 9);
    shut(engine, "one", 300);
    assert_eq!(claimed(engine, 499), None);
    assert_eq!(claimed(engine, 500), some("HELLO-1", Some("developer")));
    assert_eq!(claimed(engine, 501), some("B-1", Some("developer")));
    assert_eq!(engine.violations(), []);
}

pub fn a_chain_takes_the_first_that_is_open(engine: &Engine) {
    let chain = [route(0, "developer", "one"), route(1, "spare", "two")];
    engine.store.set_routes(repo(engine, "hello"), &chain).unwrap();
    engine.submit();
    shut(engine, "one", 500);
    let claim = engine.claimed();
    assert_eq!(claim.route.as_ref().unwrap().settings, name("spare"));
    assert_eq!(claim.route.as_ref().unwrap().position, 1);
    engine.infra(&claim, Outcome::RateLimited { until: at(30) });
    shut(engine, "two", 400);
    assert_eq!(claimed(engine, 40), None, "both are shut");
    let waits = engine.store.channels_of(at(40), claim.task.id).unwrap();
    assert!(waits.len() == 2 && waits.iter().all(|channel| channel.pause.is_some()));
    assert_eq!(claimed(engine, 450), some("HELLO-1", Some("spare")), "it opens first");
}

pub fn another_route_sets_those_going_who_wait(engine: &Engine) {
    engine.store.set_routes(repo(engine, "hello"), &[route(0, "developer", "one")]).unwrap();
    engine.submit();
    shut(engine, "one", 500);
    assert_eq!(claimed(engine, 20), None);
    engine.store.set_routes(repo(engine, "hello"), &[route(0, "developer", "two")]).unwrap();
    assert_eq!(claimed(engine, 21), some("HELLO-1", Some("developer")));
}

pub fn an_agent_of_no_known_way_is_claimed_as_ever(engine: &Engine) {
    engine.submit();
    shut(engine, "one", 500);
    assert_eq!(claimed(engine, 20), some("HELLO-1", None));
}

pub fn accounts_and_agents_have_as_many_runs_as_they_may(engine: &Engine) {
    for other in ["b", "c", "d"] {
        engine.register(other);
    }
    for (of, account) in [("hello", "one"), ("b", "one"), ("c", "two"), ("d", "two")] {
        engine.store.set_routes(repo(engine, of), &[route(0, "developer", account)]).unwrap();
        engine.submit_to(of, 0);
    }
    engine.store.limit_accounts(&[("one".to_owned(), 1)]).unwrap();
    let first = engine.claimed();
    assert_eq!(first.task.key.to_string(), "HELLO-1");
    assert_eq!(claimed(engine, 41), some("C-1", Some("developer")), "`one` is full");
    let limited = NewRoute { max_running: Some(1), ..route(0, "developer", "two") };
    engine.store.set_routes(repo(engine, "c"), &[limited]).unwrap();
    engine.submit_to("c", 9);
    assert_eq!(claimed(engine, 42), some("D-1", Some("developer")), "c's developer is busy");
    assert_eq!(claimed(engine, 43), None);
    engine.pass(&first);
    let none = ClaimRequest { max_per_repo: Some(9), ..engine.request(1_000) };
    let next = engine.store.claim(at(44), &none).unwrap().unwrap();
    assert_eq!(next.task.key.to_string(), "HELLO-1", "its tester has no way that is limited");
    engine.store.limit_accounts(&[]).unwrap();
    assert_eq!(claimed(engine, 45), some("B-1", Some("developer")));
    assert_eq!(engine.violations(), []);
}

pub fn questions_are_kept_with_their_answers(engine: &Engine) {
    let task = engine.submit().id;
    let claim = engine.claimed();
    for words in ["Which?", "Which port?"] {
        engine.store.ask(at(15), &fence(&claim), words).unwrap();
    }
    engine.infra(&claim, Outcome::NeedsInput { question: "Which port?".to_owned() });
    assert!(engine.store.ask(at(16), &fence(&claim), "late").is_err());
    let asked = engine.store.questions(task).unwrap();
    assert_eq!((asked.len(), asked[0].question.as_str()), (1, "Which port?"));
    assert_eq!(asked[0].answer, None);
    engine.store.answer(at(50), task, "8420").unwrap();
    engine.store.answer(at(60), task, "another").unwrap();
    let asked = engine.store.questions(task).unwrap();
    assert_eq!(asked[0].answer, Some((at(50), "8420".to_owned())));
}
