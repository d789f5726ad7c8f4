//! Budgets and prices.

use crate::bed::{Bed, WORK};

const AGENT: &str = r#"
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
"#;

#[test]
fn a_spent_budget_holds_the_task_before_its_next_run_and_more_of_it_goes_on() {
    let report = r#"echo '{"orch":"usage","input_tokens":1000,"output_tokens":20,"cost_usd":3}'"#;
    let settings = format!("task_cost = 2.00\n{AGENT}");
    let bed = Bed::new(&settings, &format!("{report}\n{WORK}"));
    bed.init();
    let _service = bed.orch.serve();
    bed.add("Say hello");
    bed.until("HELLO-1", "held");
    let why = bed.why("HELLO-1").to_string();
    assert!(why.contains("the task's budget is spent: $3.00 of $2.00"), "{why}");
    assert!(why.contains("--raise-budget"), "{why}");
    let held = bed.show("HELLO-1");
    assert_eq!(held["summary"]["stage"].as_str().or(held["stage"].as_str()), Some("review"));
    assert_eq!(bed.site("review")["calls"], 0, "no model was started");

    let refused =
        bed.orch.run(bed.root.path(), &["task", "retry", "HELLO-1", "--raise-budget", "x"]);
    assert_eq!(refused.status.code(), Some(2));
    bed.ok(&["task", "retry", "HELLO-1", "--raise-budget", "1.50"]);
    bed.until("HELLO-1", "done");
    assert_eq!(bed.show("HELLO-1")["cost"]["cost_micros"], 6_000_000);
    let site = bed.site("development");
    assert_eq!((&site["calls"], &site["cost_micros"]), (&1.into(), &3_000_000.into()));
    assert_eq!(site["class"], "keep-llm");
    let status = bed.ok(&["status"]);
    assert!(status.contains("hello: $6.00"), "{status}");
}

#[test]
fn tokens_without_a_cost_are_priced_and_keep_the_version_of_the_prices() {
    let report = r#"echo '{"orch":"usage","input_tokens":1000000,"cached_input_tokens":400000,"output_tokens":100000,"model":"m"}'"#;
    let settings = format!(
        "{AGENT}[prices]\nversion = \"mine-1\"\nmodels = [\"m input=1 cached=0.5 output=10\"]\n"
    );
    let bed = Bed::new(&settings, &format!("{report}\n{WORK}"));
    bed.init();
    let _service = bed.orch.serve();
    bed.add("Say hello");
    bed.until("HELLO-1", "done");
    let calls = bed.show("HELLO-1")["llm_calls"].clone();
    let call = &calls[0];
    assert_eq!((&call["prices"], &call["cost_micros"]), (&"mine-1".into(), &1_800_000.into()));
    assert_eq!(bed.site("development")["cached_input_tokens"], 400_000);
}
