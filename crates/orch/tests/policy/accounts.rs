//! Accounts: a rate limit pauses one for everybody, and a chain takes over.

use serde_json::Value;

use crate::bed::{Bed, WORK};

/// Runs of a task at a stage, by how they ended.
fn outcomes(bed: &Bed, key: &str, stage: &str) -> Vec<String> {
    let task = bed.show(key);
    let runs = task["runs"].as_array().unwrap().iter();
    let at_stage = runs.filter(|run| run["stage"] == stage);
    at_stage.map(|run| run["outcome"].as_str().unwrap_or("open").to_owned()).collect()
}

#[test]
fn a_rate_limit_pauses_the_account_for_all_and_all_go_on_by_themselves() {
    let settings = r#"
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
account = "claude-main"
"#;
    // The first run of all meets the limit, whichever task it works for.
    let agent = format!(
        "if mkdir \"$HOME/met\" 2>/dev/null; then\n\
         echo '{{\"orch\":\"rate_limited\",\"retry_after_s\":6}}'; exit 1; fi\n{WORK}"
    );
    let bed = Bed::new(settings, &agent)
        .with("ORCH_MAX_CONCURRENCY", "1")
        .with("ORCH_SERIAL_GATE_WIDTH", "3");
    std::fs::create_dir_all(bed.root.path().join("home")).unwrap();
    bed.init();
    let service = bed.orch.serve();
    for title in ["One", "Two", "Three"] {
        bed.add(title);
    }
    bed.until("HELLO-1", "deferred");
    for key in ["HELLO-1", "HELLO-2", "HELLO-3"] {
        let why = bed.why(key);
        let said = why.to_string();
        assert!(said.contains("account claude-main is paused until"), "{key}: {said}");
    }
    let queue = bed.json(&["queue", "--json"]);
    let channel = &queue["channels"][0];
    assert_eq!(
        (&channel["name"], &channel["reason"]),
        (&"claude-main".into(), &"rate limited".into())
    );
    assert!(channel["waiting"].as_u64() >= Some(2), "{queue}");
    assert_eq!(queue["next"], Value::Array(vec![]));
    assert!(bed.ok(&["queue"]).contains("account claude-main is paused until"));
    // The pause is the database's: another process keeps it too.
    service.kill();
    let _service = bed.orch.serve();
    for key in ["HELLO-1", "HELLO-2", "HELLO-3"] {
        bed.until(key, "done");
    }
    assert_eq!(outcomes(&bed, "HELLO-1", "development"), ["rate_limited", "suite_ran"]);
    for key in ["HELLO-2", "HELLO-3"] {
        assert_eq!(outcomes(&bed, key, "development"), ["suite_ran"], "{key} burnt nothing");
    }
    let task = bed.show("HELLO-1");
    assert_eq!(task["jobs"][0]["defers"], 0);
    let site = bed.site("development");
    assert_eq!((&site["calls"], &site["failed"]), (&4.into(), &1.into()));
}

#[test]
fn the_next_of_the_chain_takes_over_where_the_first_is_limited() {
    let settings = r#"
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[agents.developer]
adapter = "command"
command = ["sh", "-c", "echo '{\"orch\":\"rate_limited\",\"retry_after_s\":86400}'; exit 1"]
account = "main"
fallback = ["spare"]
[agents.spare]
adapter = "command"
command = ["sh", "agent.sh"]
account = "spare"
"#;
    let bed = Bed::new(settings, WORK);
    bed.init();
    let _service = bed.orch.serve();
    bed.add("Say hello");
    bed.until("HELLO-1", "done");
    let task = bed.show("HELLO-1");
    let calls: Vec<(&str, &str)> = task["llm_calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| (call["agent"].as_str().unwrap(), call["account"].as_str().unwrap()))
        .collect();
    assert_eq!(calls[..2], [("developer", "main"), ("spare", "spare")]);
    let events = bed.ok(&["events", "--task", "HELLO-1"]);
    assert!(events.contains("[agents.spare] takes over from [agents.developer]"), "{events}");
    bed.add("Say it again");
    bed.until("HELLO-2", "done");
    let task = bed.show("HELLO-2");
    assert_eq!(task["llm_calls"][0]["agent"], "spare", "nobody asks the limited one again");
}

/// A developer whose program reports this fault and ends, before one that works.
fn faulty(fault: &str, more: &str) -> String {
    format!(
        r#"
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[agents.developer]
adapter = "command"
command = ["sh", "-c", "echo '{{\"orch\":\"error\",\"fault\":\"{fault}\",\"message\":\"no\"}}'; exit 1"]
account = "main"
fallback = ["spare"]
{more}
[agents.spare]
adapter = "command"
command = ["sh", "agent.sh"]
account = "spare"
"#
    )
}

#[test]
fn the_next_of_the_chain_takes_over_from_a_refused_login_and_an_overloaded_provider() {
    for (fault, says) in
        [("auth_broken", "its login is refused"), ("overloaded", "its provider is overloaded")]
    {
        let bed = Bed::new(&faulty(fault, ""), WORK);
        bed.init();
        let _service = bed.orch.serve();
        bed.add("Say hello");
        bed.until("HELLO-1", "done");
        let task = bed.show("HELLO-1");
        assert_eq!(task["jobs"][0]["defers"], 0, "{fault}: it burnt a defer");
        assert_eq!(task["llm_calls"][0]["account"], "main");
        assert_eq!(task["llm_calls"][1]["account"], "spare");
        let queue = bed.json(&["queue", "--json"]);
        let mut channels = queue["channels"].as_array().unwrap().iter();
        let main = channels.find(|channel| channel["name"] == "main").unwrap();
        assert_eq!(main["reason"], says, "{queue}");
    }
}

#[test]
fn who_does_not_want_that_is_held_or_deferred() {
    for (fault, on, state) in
        [("auth_broken", "overloaded", "held"), ("overloaded", "auth_broken", "deferred")]
    {
        let settings = faulty(fault, &format!("fallback_on = [\"{on}\"]"));
        let bed = Bed::new(&settings, WORK)
            .with("ORCH_BUDGETS_BACKOFF_BASE", "10m")
            .with("ORCH_BUDGETS_BACKOFF_CAP", "10m");
        bed.init();
        let _service = bed.orch.serve();
        bed.add("Say hello");
        bed.until("HELLO-1", state);
        let queue = bed.json(&["queue", "--json"]);
        let mut channels = queue["channels"].as_array().unwrap().iter();
        assert!(channels.all(|channel| channel["reason"].is_null()), "{fault}: {queue}");
    }
}

#[test]
fn a_fallback_that_is_not_there_is_told_with_its_line() {
    let settings =
        "\n[agents.default]\nadapter = \"command\"\ncommand = [\"true\"]\nfallback = [\"spar\"]\n";
    let bed = Bed::new(settings, WORK);
    let output = bed.orch.run(&bed.repository.checkout, &["config", "check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("names spar, and there is no [agents.spar]"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}
