//! Every way in which a deploy goes, and what comes of it: the table in
//! `docs/operations/deploy.md` is what was seen here. `UPDATE_GOLDEN=1` writes it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::bed::{BY_COMMAND, Bed, PROBED};

/// One situation.
struct Situation {
    /// In words, for the table.
    what: &'static str,
    /// What is said before the deploy: file and text.
    said: &'static [(&'static str, &'static str)],
    /// What stands in `[deploy]` beside or in place of the usual.
    settings: Settings,
    /// The task's end, `deploy_status`, and what runs.
    expected: [&'static str; 3],
    /// How often the deploy and the rollback command are run.
    ran: [usize; 2],
}

impl Situation {
    /// Whether what is brought about is a fault of the deployed code, by what is said to the service
    /// and its commands: a bad answer, a crash, another revision, a release that stops halfway.
    fn is_the_codes_fault(&self) -> bool {
        let faults = ["bad", "degraded", "crash", "flap", "third", "fails-halfway"];
        self.said.iter().any(|(_, text)| faults.contains(text))
    }
}

enum Settings {
    /// The usual.
    Usual,
    /// Beside the usual.
    And(&'static str),
    /// In place of the usual.
    Only(&'static str),
}

use Settings::{And, Only, Usual};

const NO_HOST: &str = "\nhealth_url = \"http://no-such-host.invalid/health\"\n\
     rollback_command = \"sh rollback.sh\"\nmonitor = \"0\"\n";
const TLS: &str = "\nhealth_url = \"https://127.0.0.1:@PORT@/health\"\n\
     rollback_command = \"sh rollback.sh\"\nmonitor = \"0\"\n";
const BLIND: &str = "\nrollback_command = \"sh rollback.sh\"\nmonitor = \"0\"\n";
const CHECKED: &str = "rollback_check = \"sh check.sh\"\n";
const REQUIRED: &str = "rollback_check = \"sh check.sh\"\nrequire_rollback = true\n";

const fn at(
    what: &'static str,
    said: &'static [(&'static str, &'static str)],
    settings: Settings,
    expected: [&'static str; 3],
    ran: [usize; 2],
) -> Situation {
    Situation { what, said, settings, expected, ran }
}

const SITUATIONS: &[Situation] = &[
    at("healthy", &[], Usual, ["done", "SUCCESS", "new"], [1, 0]),
    at("slow start", &[("next", "slow")], Usual, ["done", "SUCCESS", "new"], [1, 0]),
    at(
        "a revision shown by a prefix",
        &[("next", "prefix")],
        Usual,
        ["done", "SUCCESS", "new"],
        [1, 0],
    ),
    at("no probe is configured", &[], Only(BLIND), ["done", "SUCCESS", "new"], [1, 0]),
    at("unhealthy answers", &[("next", "bad")], Usual, ["held", "ROLLED_BACK", "old"], [1, 1]),
    at(
        "the health answer is 200 and says otherwise",
        &[("next", "degraded")],
        And("health_expect = [\"status=ok\"]\n"),
        ["held", "ROLLED_BACK", "old"],
        [1, 1],
    ),
    at("crash at start", &[("next", "crash")], Usual, ["held", "ROLLED_BACK", "old"], [1, 1]),
    at("health flaps", &[("next", "flap")], Usual, ["held", "ROLLED_BACK", "old"], [1, 1]),
    at("wrong revision", &[("next", "third")], Usual, ["held", "ROLLED_BACK", "old"], [1, 1]),
    at(
        "exit 0 and nothing changed",
        &[("mode", "changes-nothing")],
        Usual,
        ["held", "FAILED", "old"],
        [1, 0],
    ),
    at(
        "the deploy command fails, nothing changed",
        &[("mode", "fails")],
        Usual,
        ["held", "FAILED", "old"],
        [1, 0],
    ),
    at(
        "the deploy command fails halfway",
        &[("mode", "fails-halfway")],
        Usual,
        ["held", "ROLLED_BACK", "old"],
        [1, 1],
    ),
    at(
        "the deploy command fails, no probe is configured",
        &[("mode", "fails")],
        Only(BLIND),
        ["held", "FAILED", "old"],
        [1, 0],
    ),
    at(
        "the deploy command hangs",
        &[("mode", "hangs")],
        And("timeout = \"400ms\"\n"),
        ["held", "–", "old"],
        [1, 0],
    ),
    at(
        "the deploy command hangs, the new revision runs",
        &[("mode", "hangs-after")],
        And("timeout = \"3s\"\n"),
        ["held", "–", "new"],
        [1, 0],
    ),
    at(
        "the rollback fails",
        &[("next", "bad"), ("mode", "rollback-fails")],
        Usual,
        ["held", "FAILED", "new"],
        [1, 1],
    ),
    at(
        "the old revision is bad after the rollback",
        &[("next", "bad"), ("mode", "rollback-stays-bad")],
        Usual,
        ["held", "FAILED", "old"],
        [1, 1],
    ),
    at(
        "the rollback target is missing",
        &[("next", "bad"), ("mode", "target-missing")],
        And(CHECKED),
        ["held", "FAILED", "new"],
        [1, 0],
    ),
    at(
        "the rollback target is missing and required",
        &[("mode", "target-missing")],
        And(REQUIRED),
        ["held", "–", "old"],
        [0, 0],
    ),
    at(
        "the probe is blocked: ssh of revision_command",
        &[("mode", "block")],
        Only(BY_COMMAND),
        ["held", "–", "new"],
        [1, 0],
    ),
    at(
        "the probe is blocked, and the health is bad",
        &[("mode", "block"), ("next", "bad")],
        Only(BY_COMMAND),
        ["held", "–", "new"],
        [1, 0],
    ),
    at("the probe is blocked: no such host", &[], Only(NO_HOST), ["held", "–", "new"], [1, 0]),
    at("the probe is blocked: TLS", &[], Only(TLS), ["held", "–", "new"], [1, 0]),
    at(
        "ssh of the deploy command is down",
        &[("mode", "ssh")],
        Usual,
        ["held", "–", "old"],
        [4, 0],
    ),
    at(
        "the drain does not end",
        &[("mode", "drain-hangs")],
        And("drain = \"sh drain.sh\"\ndrain_timeout = \"300ms\"\n"),
        ["done", "SUCCESS", "new"],
        [1, 0],
    ),
    at(
        "the drain fails",
        &[("mode", "drain-fails")],
        And("drain = \"sh drain.sh\"\n"),
        ["held", "–", "old"],
        [0, 0],
    ),
];

/// Brings a situation about; gives the row of the table.
fn row(situation: &Situation) -> String {
    let settings = match situation.settings {
        Usual => PROBED.to_owned(),
        And(more) => format!("{PROBED}{more}"),
        Only(other) => other.to_owned(),
    };
    let bed = Bed::new(&settings);
    for (file, text) in situation.said {
        bed.say(file, text);
    }
    let service = bed.serve();
    let key = bed.submit();
    let state = bed.settled(&key);
    drop(service);
    let what = situation.what;
    let (status, runs) = (bed.status(&key), bed.runs(&key));
    let told = format!("{what}: {:?}\n{}", bed.ran_lines(), bed.log(&key));
    assert_eq!([state.as_str(), status.as_str(), runs.as_str()], situation.expected, "{told}");
    assert_eq!([bed.ran("deploy.sh"), bed.ran("rollback.sh")], situation.ran, "{told}");
    let back = match (situation.ran[1], status.as_str()) {
        (0, _) => "no",
        (_, "ROLLED_BACK") => "yes",
        _ => "tried",
    };
    format!("| {what} | {status} | {state} | {back} | {runs} |")
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations/deploy.md");
const BEGIN: &str = "<!-- matrix: written by the tests -->\n";
const END: &str = "<!-- end of matrix -->\n";

#[test]
fn each_situation_comes_to_the_end_that_the_page_states() {
    let rows: Vec<Mutex<Option<String>>> = SITUATIONS.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(situation) = SITUATIONS.get(at) else { return };
                    *rows[at].lock().unwrap() = Some(row(situation));
                }
            });
        }
    });
    let mut table = String::from(
        "| situation | `deploy_status` | task | rolled back | what runs |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        table.push_str(&row.into_inner().unwrap().unwrap());
        table.push('\n');
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (stated, tail) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PAGE, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(stated, table, "UPDATE_GOLDEN=1 writes the page anew");
    let back = SITUATIONS.iter().filter(|situation| situation.ran[1] > 0);
    let false_ones = back.filter(|situation| !situation.is_the_codes_fault()).count();
    states(&format!("| false rollbacks | 0 | {false_ones} of {} deploys |", SITUATIONS.len()));
}

/// What the table of goals has to say.
fn states(row: &str) {
    println!("{row}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    assert!(std::fs::read_to_string(page).unwrap().contains(row), "docs/operations.md: {row}");
}

/// Twenty deploys after which something else runs than what landed, shown in twenty ways.
#[test]
fn twenty_of_twenty_stale_revisions_are_caught() {
    let bed = Bed::new(&(PROBED.to_owned() + "[merge_gate]\nretests = 20\n"));
    let service = bed.serve();
    let (mut caught, mut tried) = (0, 0);
    for round in 0..5 {
        for (file, text) in
            [("mode", "changes-nothing"), ("next", "third"), ("next", "glued"), ("next", "short")]
        {
            bed.say("mode", "");
            bed.say("next", "healthy");
            bed.say(file, text);
            let key = bed.submit();
            tried += 1;
            let state = bed.settled(&key);
            let status = bed.status(&key);
            assert_ne!((state.as_str(), status.as_str()), ("done", "SUCCESS"), "{round} {text}");
            caught += 1;
        }
    }
    drop(service);
    assert_eq!((caught, tried), (20, 20));
    states(&format!("| stale revisions caught | 20 of 20 | {caught} of {tried} |"));
}
