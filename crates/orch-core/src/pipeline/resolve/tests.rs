use proptest::prelude::*;

use super::*;
use crate::ids::AgentName;
use crate::settings::{Env, SettingsFile, Sources, load_repo};

const AGENT: &str = "[agents.default]\nadapter = \"command\"\ncommand = [\"agent\"]\n";
const TESTS: &str = "[test_runner]\ncommand = \"make test\"\n";

fn settings(text: &str) -> RepoSettings {
    let env = Env::new();
    let repository = Some(SettingsFile { path: "orch.toml", text });
    load_repo(&Sources { service: None, repository, env: &env }).unwrap().value
}

fn resolved(text: &str) -> Result<Pipeline, SettingsErrors> {
    resolve(&settings(text), &RepoName::new("hello").unwrap())
}

fn way(pipeline: &Pipeline) -> String {
    let mut names = vec![];
    let mut at = Some(pipeline.first());
    while let Some(stage) = at {
        names.push(stage.name.as_str());
        at = stage.next.as_ref().and_then(|next| pipeline.stage(next));
    }
    names.join(" ")
}

#[test]
fn what_has_nothing_configured_is_left_out_and_shown() {
    let pipeline = resolved(AGENT).unwrap();
    assert_eq!(way(&pipeline), "analysis architecture development review merge");
    let left: Vec<String> =
        pipeline.left_out.iter().map(|l| format!("{}: {}", l.stage, l.reason)).collect();
    assert_eq!(
        left,
        [
            "testing: no [test_runner] command",
            "deploy-staging: no [staging_runner] command",
            "deploy: no [deploy] command: `merge` lands the branch instead",
        ]
    );
    let whole =
        format!("{AGENT}{TESTS}[staging_runner]\ncommand = \"x\"\n[deploy]\ncommand = \"x\"\n");
    let pipeline = resolved(&whole).unwrap();
    assert_eq!(
        way(&pipeline),
        "analysis architecture development review testing deploy-staging deploy"
    );
    assert_eq!(pipeline.left_out, []);
}

#[test]
fn a_listed_deploy_without_a_command_only_merges() {
    let pipeline =
        resolved(&format!("{AGENT}[pipeline]\nstages = [\"development\", \"deploy\"]\n")).unwrap();
    let deploy = &pipeline.stages[1];
    assert_eq!(
        (&deploy.producer, deploy.gate, deploy.merges),
        (&Producer::MergeOnly, Gate::Merged, true)
    );
    let reason = |name: &str| {
        pipeline
            .left_out
            .iter()
            .find(|left| left.stage.as_str() == name)
            .map(|left| left.reason.as_str())
    };
    assert_eq!(reason("deploy"), Some("no [deploy] command: the stage only merges"));
    assert_eq!(reason("review"), Some("not listed in [pipeline] stages"));
    assert_eq!(reason("testing"), Some("no [test_runner] command"));
    assert_eq!(reason("development"), None);
}

#[test]
fn a_runner_that_is_off_gives_its_stage_to_the_agent_and_nothing_else_changes() {
    let on = resolved(&format!("{AGENT}{TESTS}")).unwrap();
    for off in ["enabled = false\n", "repos = [\"other\"]\n"] {
        let pipeline = resolved(&format!("{AGENT}{TESTS}{off}")).unwrap();
        let (runner, agent) = (&on.stages[4], &pipeline.stages[4]);
        assert_eq!(agent.producer, Producer::Agent(AgentName::new("tester").unwrap()));
        assert_eq!(
            (agent.gate, &agent.on_fail, &agent.name),
            (runner.gate, &runner.on_fail, &runner.name)
        );
    }
}

#[test]
fn a_repository_may_have_stages_of_its_own() {
    let text = format!(
        "{AGENT}{TESTS}[pipeline]\nstages = [\"development\", \"signoff\", \"testing\", \"merge\"]\n\
         [stage.signoff]\nproducer = \"human\"\ngate = \"check_human_approved\"\n\
         [stage.testing]\nattempts = 2\non_fail = \"hold\"\n"
    );
    let pipeline = resolved(&text).unwrap();
    assert_eq!(way(&pipeline), "development signoff testing merge");
    assert_eq!(pipeline.stages[1].producer, Producer::Human);
    assert_eq!((pipeline.stages[2].attempts, &pipeline.stages[2].on_fail), (2, &OnFail::Hold));
}

#[test]
fn every_mistake_is_named_with_its_line_and_remedy() {
    let stages =
        |list: &str, more: &str| format!("{AGENT}{TESTS}[pipeline]\nstages = {list}\n{more}");
    let table: &[(String, usize, &str)] = &[
        (stages("[]", ""), 7, "`pipeline.stages` is empty"),
        (
            stages("[\"development\", \"reveiw\"]", ""),
            7,
            "unknown stage `reveiw`; did you mean `review`?",
        ),
        (stages("[\"development\", \"Review\"]", ""), 7, "\"Review\" is not a stage name"),
        (
            stages("[\"development\", \"deploy-staging\"]", ""),
            7,
            "stage `deploy-staging` can't be worked: no [staging_runner] command; set [staging_runner] command",
        ),
        (stages("[\"development\", \"development\"]", ""), 7, "development stands twice"),
        (stages("[\"development\", \"done\"]", ""), 7, "unknown stage `done`"),
        (
            stages("[\"review\", \"development\"]", ""),
            7,
            "it bounces to development, which does not come before it",
        ),
        (stages("[\"merge\", \"development\"]", ""), 7, "it writes code after merge has merged"),
        (
            stages("[\"development\"]", "[stage.x]\nproducer = \"human\"\n"),
            8,
            "[stage.x] is not in [pipeline] stages",
        ),
        (
            stages("[\"development\", \"x\"]", "[stage.x]\nproducer = \"agent:developer\"\n"),
            8,
            "[stage.x] has no `gate`",
        ),
        (
            stages(
                "[\"development\"]",
                "[stage.development]\ngate = \"check_devlopment_complete\"\n",
            ),
            9,
            "unknown gate `check_devlopment_complete`; did you mean `check_development_complete`?",
        ),
        (
            stages("[\"development\"]", "[stage.development]\nproducer = \"robot\"\n"),
            9,
            "`robot` is not a producer",
        ),
        (
            stages("[\"development\"]", "[stage.development]\nproducer = \"agent:test-runner\"\n"),
            9,
            "`agent:test-runner` is not a producer",
        ),
        (
            stages("[\"development\"]", "[stage.development]\nproducer = \"agent:poet\"\n"),
            7,
            "the agent poet, which has no prompt",
        ),
        (
            stages(
                "[\"development\"]",
                "[stage.development]\nproducer = \"human\"\ngate = \"check_tests_passed\"\n",
            ),
            10,
            "a human producer and the gate check_human_approved go together",
        ),
        (
            stages("[\"development\"]", "[stage.development]\non_fail = \"bounce:nowhere\"\n"),
            9,
            "it bounces to nowhere, which is not part",
        ),
        (
            stages("[\"development\"]", "[stage.development]\non_fail = \"panic\"\n"),
            9,
            "`panic` is not known here",
        ),
        (
            stages("[\"development\"]", "[stage.development]\nnext = \"nowhere\"\n"),
            9,
            "its next stage nowhere is not part",
        ),
        (
            stages("[\"analysis\", \"development\"]", "[stage.development]\nnext = \"analysis\"\n"),
            9,
            "leads back in a circle",
        ),
        (
            stages("[\"analysis\", \"development\"]", "[stage.analysis]\nnext = \"done\"\n"),
            7,
            "stage development: no way leads to it",
        ),
        (
            "[pipeline]\nstages = [\"development\"]\n".to_owned(),
            2,
            "worked by the agent developer, and none is configured; set [agents.default]",
        ),
    ];
    for (text, line, expected) in table {
        let errors = resolved(text).unwrap_err();
        let found = errors.0.iter().find(|error| error.to_string().contains(expected));
        let Some(found) = found else { panic!("{text}\n gave\n{errors}\n not {expected}") };
        assert_eq!(found.line(), Some(*line), "{found}");
    }
}

/// What would break a promise later is refused at once, with its line.
#[test]
fn stages_that_could_not_keep_their_promise_are_refused() {
    let deploy = "[deploy]\ncommand = \"x\"\n";
    let text = |stages: &str, table: &str| {
        format!("{AGENT}{TESTS}{deploy}[pipeline]\nstages = {stages}\n{table}")
    };
    let table = [
        (
            text(
                "[\"development\", \"deploy\"]",
                "[stage.deploy]\non_fail = \"bounce:development\"\n",
            ),
            "it bounces although the branch may have landed",
        ),
        (
            text(
                "[\"development\", \"testing\"]",
                "[stage.testing]\ngate = \"check_review_approved\"\n",
            ),
            "its producer is closed by check_tests_passed, not by check_review_approved",
        ),
        (
            text("[\"development\"]", "[stage.development]\ngate = \"check_merged\"\n"),
            "developer lands nothing",
        ),
        (
            text(
                "[\"analysis\", \"review\", \"development\"]",
                "[stage.analysis]\nnext = \"development\"\n[stage.development]\nnext = \"review\"\non_fail = \"bounce:review\"\n[stage.review]\nnext = \"done\"\n",
            ),
            "it bounces to review, which does not come before it",
        ),
        (
            text("[\"development\"]", "[stage.development]\nproducer = \"agent:human\"\n"),
            "`agent:human` is not a producer",
        ),
        (text("[\"development\", \"deploy\", \"merge\"]", ""), "deploy merges already"),
    ];
    for (text, expected) in table {
        let errors = resolved(&text).unwrap_err().to_string();
        assert!(errors.contains(expected), "{text}\ngave {errors}\nnot {expected}");
    }
    let both = resolved(&text("[\"development\", \"merge\", \"deploy\"]", "")).unwrap();
    assert_eq!(way(&both), "development merge deploy");
}

/// The kill-switch holds for a runner that was named by hand too.
#[test]
fn a_named_runner_that_is_off_gives_its_stage_to_the_agent() {
    let named = "[stage.testing]\nproducer = \"runner:test-runner\"\n";
    let text = |off: &str| {
        format!("{AGENT}{TESTS}{off}[pipeline]\nstages = [\"development\", \"testing\"]\n{named}")
    };
    let producer = |off: &str| resolved(&text(off)).unwrap().stages[1].producer.clone();
    assert_eq!(producer(""), Producer::Runner(AgentName::new("test-runner").unwrap()));
    assert_eq!(producer("enabled = false\n"), Producer::Agent(AgentName::new("tester").unwrap()));
}

#[test]
fn a_pipeline_that_was_edited_by_hand_is_refused() {
    let good = serde_json::to_string(&resolved(AGENT).unwrap()).unwrap();
    assert!(serde_json::from_str::<Pipeline>(&good).is_ok());
    for (from, to) in [
        ("\"stages\":[", "\"stages\":[],\"x\":["),
        ("\"next\":\"review\"", "\"next\":\"nowhere\""),
        ("\"next\":\"review\"", "\"next\":\"analysis\""),
        ("\"attempts\":3", "\"attempts\":0"),
    ] {
        let edited = good.replacen(from, to, 1);
        assert_ne!(edited, good, "{from}");
        assert!(serde_json::from_str::<Pipeline>(&edited).is_err(), "{edited}");
    }
}

proptest! {
    /// Whatever stages are listed in whatever order: either errors, or a way that ends.
    #[test]
    fn a_resolved_pipeline_always_leads_to_done(
        list in prop::collection::vec(prop::sample::select(vec!["analysis", "architecture", "development", "review", "testing", "merge", "deploy"]), 0..9)
    ) {
        let text = format!("{AGENT}{TESTS}[pipeline]\nstages = {list:?}\n");
        if let Ok(pipeline) = resolved(&text) {
            prop_assert_eq!(way(&pipeline).split(' ').count(), pipeline.stages.len());
            prop_assert_eq!(pipeline.check(), vec![]);
        }
    }
}
