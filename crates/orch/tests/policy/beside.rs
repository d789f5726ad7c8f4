//! A model beside a runner: compared with it, or asked to explain.

use orch_testkit::until;

use crate::bed::{Bed, WORK};

fn settings(mode: &str, command: &str) -> String {
    format!(
        "\n[agents.default]\nadapter = \"command\"\ncommand = [\"sh\", \"agent.sh\"]\n\
         [test_runner]\ncommand = \"{command}\"\n{mode}\n"
    )
}

/// A bed whose pipeline tests.
fn bed(mode: &str, command: &str, agent: &str) -> Bed {
    Bed::new(&settings(mode, command), agent)
        .with("ORCH_PIPELINE_STAGES", "development,testing,merge")
}

const SPENDS: &str = r#"if [ "$ORCH_AGENT" = tester ]; then
echo '{"orch":"usage","input_tokens":10,"output_tokens":2,"cost_usd":0.5}'; fi"#;

#[test]
fn a_shadow_is_compared_and_changes_nothing() {
    // The model says FAIL of what the runner passes, writes where it should not, and fails to end
    // well for the second task.
    let agent = format!(
        "{SPENDS}\nRESULT=FAIL\n{WORK}\n\
         if [ \"$ORCH_AGENT\" = tester ]; then echo spoiled > spoiled; git add -A\n\
         git -c user.name=x -c user.email=x@x commit -qm spoiled; git push origin HEAD:main\n\
         [ \"$ORCH_TASK\" = HELLO-1 ] || exit 3; fi"
    );
    let bed = bed("mode = \"shadow\"", "echo 'ok 1 - fine'", &agent);
    bed.init();
    let _service = bed.orch.serve();
    for (title, key) in [("One", "HELLO-1"), ("Two", "HELLO-2")] {
        bed.add(title);
        bed.until(key, "done");
    }
    let site = until("both shadows to be kept", || {
        let site = bed.site("testing.shadow");
        (site["shadow"]["shadows"] == 2).then_some(site)
    });
    let shadow = &site["shadow"];
    assert_eq!((&shadow["compared"], &shadow["agreed"]), (&1.into(), &0.into()), "{site}");
    assert_eq!(shadow["llm_cost_micros"], 500_000);
    assert_eq!((&site["calls"], &site["failed"]), (&2.into(), &1.into()));
    assert_eq!(site["cost_micros"], 1_000_000);
    assert_eq!(bed.site("testing")["calls"], 0, "its cost is its own call site's");
    let task = bed.show("HELLO-1");
    assert_eq!(task["progress"]["bounces"], 0);
    assert_eq!(task["cost"]["cost_micros"], 500_000, "it is paid for all the same");
    let log = bed.repository.main_log().join("\n");
    assert!(!log.contains("spoiled"), "{log}");
    let files =
        orch_testkit::git(&bed.repository.origin, &["ls-tree", "-r", "--name-only", "main"]);
    assert!(!files.contains("spoiled"), "{files}");
    let report = bed.ok(&["llm", "report"]);
    assert!(report.contains("SIDE BY SIDE") && report.contains("1 of 2"), "{report}");
    until("nothing to be left of them", || {
        let left = std::fs::read_dir(bed.orch.home().join("beside")).into_iter().flatten().count();
        (left == 0).then_some(())
    });
}

#[test]
fn the_model_decides_where_it_is_told_to_and_the_runner_is_its_shadow() {
    let mode = "mode = \"shadow\"\nshadow_decides = \"llm\"";
    let bed = bed(mode, "echo 'ok 1 - fine'", &format!("{SPENDS}\n{WORK}"));
    bed.init();
    let _service = bed.orch.serve();
    bed.add("Say hello");
    bed.until("HELLO-1", "done");
    let site = until("the runner to be compared", || {
        let site = bed.site("testing");
        (site["shadow"]["compared"] == 1).then_some(site)
    });
    assert_eq!((&site["shadow"]["agreed"], &site["calls"]), (&1.into(), &1.into()), "{site}");
    assert_eq!(site["shadow"]["llm_cost_micros"], 500_000);
}

#[test]
fn a_model_explains_a_failure_and_the_runner_decides() {
    // The suite fails until the developer has read the explanation.
    let agent = format!(
        "if [ \"$ORCH_AGENT\" = tester ]; then\n\
         grep -q 'BEGIN DATA' \"$ORCH_BRIEF_FILE\" && grep -q 'not ok 1' \"$ORCH_BRIEF_FILE\"\n\
         printf 'the colour is missing\\n' > \"$ORCH_ARTIFACT_DIR/explanation.md\"\n\
         echo '{{\"orch\":\"usage\",\"cost_usd\":0.25}}'; exit 0; fi\n\
         if grep -q 'the colour is missing' \"$ORCH_BRIEF_FILE\"; then echo blue > colour; fi\n{WORK}"
    );
    let suite =
        "test -e colour && echo 'ok 1 - blue' || (echo '1..1'; echo 'not ok 1 - blue'; exit 1)";
    let bed = bed("mode = \"hybrid\"", suite, &agent);
    bed.init();
    let _service = bed.orch.serve();
    bed.add("Say hello");
    bed.until("HELLO-1", "done");
    let task = bed.show("HELLO-1");
    assert_eq!(task["progress"]["bounces"], 1);
    let site = bed.site("testing.explain");
    assert_eq!((&site["calls"], &site["cost_micros"]), (&1.into(), &250_000.into()));
    assert_eq!(site["class"], "needs-hybrid-fallback");
}
