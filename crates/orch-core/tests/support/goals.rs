//! The goals of S7, counted: faults of infrastructure injected into real suites' output at every
//! point, and real failures beside words that only look like faults.
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::process::{ExitCause, RunExit};
use orch_core::suite::read;

use crate::situations::{Situation, situations};

/// Where the fault lies in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Code,
    Infrastructure,
}

/// Counted over every case.
struct Figures {
    template: RunExit,
    injected: usize,
    infrastructure_as_code: Vec<String>,
    code_as_infrastructure: Vec<String>,
    unknown: Vec<String>,
    false_success: Vec<String>,
    kinds: BTreeMap<&'static str, usize>,
}

impl Figures {
    fn new(template: RunExit) -> Self {
        Self {
            template,
            injected: 0,
            infrastructure_as_code: Vec::new(),
            code_as_infrastructure: Vec::new(),
            unknown: Vec::new(),
            false_success: Vec::new(),
            kinds: BTreeMap::new(),
        }
    }

    fn look(&mut self, what: String, truth: Truth, cause: ExitCause, out: &str, err: &str) {
        let (stdout_tail, stderr_tail) = (out.into(), err.into());
        let exit = RunExit { cause, stdout_tail, stderr_tail, ..self.template.clone() };
        let outcome = classify(Worked::Suite(&read(out, err, &[])), &exit);
        self.count(what, truth, &outcome);
    }

    fn count(&mut self, what: String, truth: Truth, outcome: &Outcome) {
        self.injected += 1;
        *self.kinds.entry(outcome.kind()).or_default() += 1;
        match (outcome, truth) {
            (Outcome::SuiteRan { exit_code: 0 }, _) => self.false_success.push(what),
            (Outcome::SuiteRan { .. }, Truth::Infrastructure) => {
                self.infrastructure_as_code.push(what);
            }
            (Outcome::Unknown { .. }, _) => self.unknown.push(what),
            (Outcome::SuiteRan { .. }, _) => {}
            (_, Truth::Code) => self.code_as_infrastructure.push(what),
            _ => {}
        }
    }
}

/// The lines up to a point.
fn cut(text: &str, lines: usize) -> String {
    text.lines().take(lines).flat_map(|line| [line, "\n"]).collect()
}

/// What tells a failing test in a suite's output: before it, nothing speaks for the code's fault.
fn shows_failure(out: &str, err: &str) -> bool {
    let report = read(out, err, &[]);
    report.has_failure() || report.build_failed
}

/// Points of a text: its beginning, its end, and some between that differ from case to case.
fn points(lines: usize, salt: usize) -> Vec<usize> {
    let mut points = vec![0, lines, lines / 2, (salt * 7919) % (lines + 1)];
    points.sort_unstable();
    points.dedup();
    points
}

fn is_infrastructure(situation: &Situation) -> bool {
    situation.fault == "infrastructure" && situation.class != "unknown"
}

/// The link to another machine, or that machine, fails at any point of any suite's output, whatever
/// ssh ends with: without a frame there is no verdict.
fn faults_of_other_machines(figures: &mut Figures, all: &[Situation]) {
    let suites = all.iter().filter(|s| s.class == "suite_ran" && s.remote.is_none());
    let faults: Vec<&Situation> = all
        .iter()
        .filter(|s| is_infrastructure(s) && s.remote.as_ref().is_some_and(|r| !r.has_frame()))
        .collect();
    for (number, suite) in suites.enumerate() {
        let exit = suite.exit();
        let lines = exit.stdout_tail.lines().count();
        for (salt, fault) in faults.iter().enumerate() {
            for point in points(lines, number + salt) {
                let what = format!("{} in {} at line {point}", fault.name, suite.name);
                let stdout_tail = cut(&exit.stdout_tail, point);
                let cause = ExitCause::Exited { code: if point % 2 == 0 { 0 } else { 255 } };
                let outcome = fault.outcome_of(RunExit { cause, stdout_tail, ..exit.clone() });
                figures.count(what, Truth::Infrastructure, &outcome);
            }
        }
    }
}

/// A suite that goes well meets a fault at any point of its output, in the fault's own words and
/// with its own exit; also ended by signals and limits.
fn faults_in_suites_that_go_well(figures: &mut Figures, all: &[Situation]) {
    let well = all.iter().filter(|s| s.fault == "none" && s.class == "suite_ran");
    let faults: Vec<&Situation> =
        all.iter().filter(|s| is_infrastructure(s) && s.remote.is_none()).collect();
    for (number, suite) in well.enumerate() {
        let suite_exit = suite.exit();
        let lines = suite_exit.stdout_tail.lines().count();
        for (salt, fault) in faults.iter().enumerate() {
            let end = fault.exit();
            if matches!(end.cause, ExitCause::SpawnFailed { .. }) {
                continue;
            }
            for point in points(lines, number + salt) {
                let begun = cut(&suite_exit.stdout_tail, point);
                if shows_failure(&begun, &suite_exit.stderr_tail) {
                    continue;
                }
                let out = format!("{begun}{}", end.stdout_tail);
                let what = format!("{} in {} at line {point}", fault.name, suite.name);
                let cause = end.cause.clone();
                figures.look(what, Truth::Infrastructure, cause, &out, &end.stderr_tail);
            }
        }
    }
}

/// A suite whose tests fail prints, beside its own words, tests that are named after faults or say
/// them of what they test.
fn words_of_faults_in_suites_that_fail(figures: &mut Figures, all: &[Situation]) {
    let words = [
        "test net::connection_refused_is_an_error ... ok",
        "test disk::no_space_left_on_device ... ok",
        "ok 97 - says ECONNREFUSED when nobody listens",
        "not ok 98 - reports No space left on device",
        "    --- PASS: TestTemporaryFailureInNameResolution (0.00s)",
        "=== RUN   TestCannotConnectToTheDockerDaemon",
        "  ✓ retries after ETIMEDOUT (3 ms)",
        "AssertionError: expected 'connection refused' to equal 'ok'",
        "connect: connection refused",
        "dial tcp: lookup db: no such host",
    ];
    let failing = all.iter().filter(|s| {
        s.fault == "code"
            && s.class == "suite_ran"
            && shows_failure(&s.exit().stdout_tail, &s.exit().stderr_tail)
    });
    for (number, suite) in failing.enumerate() {
        let exit = suite.exit();
        if !matches!(exit.cause, ExitCause::Exited { .. }) {
            continue;
        }
        let lines = exit.stdout_tail.lines().count();
        for (salt, word) in words.iter().enumerate() {
            for point in points(lines, number + salt) {
                let rest: String =
                    exit.stdout_tail.lines().skip(point).flat_map(|line| [line, "\n"]).collect();
                let out = format!("{}{word}\n{rest}", cut(&exit.stdout_tail, point));
                let what = format!("{word:?} in {} at line {point}", suite.name);
                figures.look(what, Truth::Code, exit.cause.clone(), &out, &exit.stderr_tail);
            }
        }
    }
}

/// The page says what is counted here.
fn said(figures: &Figures, fixtures: usize) -> String {
    format!(
        "Over {fixtures} situations and {} faults injected into them, infrastructure is taken for code \
         {} times, code for infrastructure {} times, {} ends are unknown, and {} passes are false.",
        figures.injected,
        figures.infrastructure_as_code.len(),
        figures.code_as_infrastructure.len(),
        figures.unknown.len(),
        figures.false_success.len(),
    )
}

/// The same as rows of the table of goals.
fn rows(figures: &Figures) -> Vec<String> {
    let of = |what: &str, goal: &str, met: &[String]| {
        format!("| {what} | {goal} | {} of {} injected faults |", met.len(), figures.injected)
    };
    vec![
        of("infrastructure taken for code", "0", &figures.infrastructure_as_code),
        of("code taken for infrastructure", "at most 1 %", &figures.code_as_infrastructure),
        of("unknown", "at most 5 %", &figures.unknown),
        of("false success", "0", &figures.false_success),
    ]
}

#[test]
fn the_goals_hold_over_injected_faults() {
    let all = situations();
    let mut figures = Figures::new(all[0].exit());
    faults_in_suites_that_go_well(&mut figures, &all);
    faults_of_other_machines(&mut figures, &all);
    words_of_faults_in_suites_that_fail(&mut figures, &all);
    let said = said(&figures, all.len());
    println!("{said}\n{:?}", figures.kinds);
    assert!(all.len() >= 200, "{} situations", all.len());
    assert!(figures.injected >= 1_000, "{} injected faults", figures.injected);
    let first = |names: &[String]| names.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        figures.infrastructure_as_code.is_empty(),
        "{}",
        first(&figures.infrastructure_as_code)
    );
    assert!(figures.false_success.is_empty(), "{}", first(&figures.false_success));
    let percent = |names: &[String]| names.len() * 100;
    assert!(
        percent(&figures.code_as_infrastructure) <= figures.injected,
        "{}",
        first(&figures.code_as_infrastructure)
    );
    assert!(percent(&figures.unknown) <= figures.injected * 5, "{}", first(&figures.unknown));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations/outcomes.md");
    let page = fs::read_to_string(page).unwrap().replace('\n', " ");
    assert!(
        page.contains(&said),
        "docs/operations/outcomes.md (xtask/src/outcomes.rs) has to say: {said}"
    );
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    for row in rows(&figures) {
        println!("{row}");
        assert!(page.contains(&row), "docs/operations.md has to say: {row}");
    }
}
