//! The recorded situations of `tests/outcomes`: each is classified as it says, and all together
//! keep the figures of S7.
#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

#[path = "support/cuts.rs"]
mod cuts;
#[path = "support/goals.rs"]
mod goals;
#[path = "support/situations.rs"]
mod situations;

use std::fmt::Write as _;

use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::process::{ExitCause, RunExit};
use orch_core::suite::{Counts, Mark, read};
use proptest::prelude::*;

use situations::situations;

#[test]
fn every_situation_is_taken_for_what_it_is() {
    let mut wrong = Vec::new();
    for situation in situations() {
        let (name, class, why) = (&situation.name, &situation.class, &situation.why);
        let outcome = situation.outcome();
        if outcome.kind() != class {
            wrong.push(format!("{name}: {outcome:?}, and not {class}: {why}"));
        }
        assert!(["recorded", "documented"].contains(&situation.source.as_str()), "{name}");
        assert!(!why.is_empty(), "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn counts_and_failing_tests_are_read() {
    let mut wrong = Vec::new();
    for situation in situations() {
        let report = situation.report();
        let expected =
            situation.counts.map(|[passed, failed, skipped]| Counts { passed, failed, skipped });
        let names: Vec<&str> = report.failures.iter().map(|failed| failed.name.as_str()).collect();
        let suite = situation.class == "suite_ran" || situation.fault == "nothing_ran";
        if (suite || expected.is_some()) && report.counts != expected {
            wrong.push(format!("{}: counts {:?}", situation.name, report.counts));
        }
        if !situation.failing.is_empty() && names != situation.failing {
            wrong.push(format!("{}: failing {names:?}", situation.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Infrastructure taken for code: none. Code taken for infrastructure: 1 % at most. Unknown: 5 %.
/// Nothing but a suite that passed passes.
#[test]
fn the_figures_hold() {
    let all = situations();
    let (mut code, mut infra, mut unknown, mut false_pass) = (vec![], vec![], vec![], vec![]);
    for situation in &all {
        let name = situation.name.as_str();
        match (situation.outcome(), situation.fault.as_str()) {
            (Outcome::SuiteRan { .. }, "infrastructure") => infra.push(name),
            (Outcome::TransientInfra { .. } | Outcome::PermanentEnv { .. }, "code") => {
                code.push(name);
            }
            // A contradiction is held, whoever is at fault.
            (Outcome::Unproven { .. }, "code") if situation.exit != Some(0) => code.push(name),
            (Outcome::Unknown { .. }, _) => unknown.push(name),
            _ => {}
        }
        if situation.outcome() == (Outcome::SuiteRan { exit_code: 0 }) && situation.fault != "none"
        {
            false_pass.push(name);
        }
    }
    assert!(all.len() >= 60, "{} situations", all.len());
    assert_eq!(infra, Vec::<&str>::new(), "infrastructure taken for code");
    assert_eq!(false_pass, Vec::<&str>::new(), "passed without a suite that passed");
    assert!(code.len() * 100 <= all.len(), "code taken for infrastructure: {code:?}");
    assert!(unknown.len() * 20 <= all.len(), "unknown: {unknown:?}");
}

#[test]
fn details_of_failures_are_quoted_and_bounded() {
    let of = |name: &str| {
        let found = situations().into_iter().find(|s| s.output.as_deref() == Some(name));
        found.unwrap().report().failures
    };
    for (name, words) in [
        ("cargo_fail", "left: 2"),
        ("nextest_fail", "left: 2"),
        ("pytest_fail", "assert (6 / 3) == 3"),
        ("go_fail_v", "want 3, got 2"),
        ("nodespec_fail", "2 == 3"),
        ("nodetap_fail", "2 == 3"),
        ("nodejunit_fail", "2 == 3"),
        ("jest_fail", "Expected: 3"),
        ("vitest_fail", "expected 2 to be 3"),
        ("mocha_fail", "2 == 3"),
    ] {
        let failures = of(name);
        assert!(failures.iter().any(|f| f.detail.contains(words)), "{name}: {failures:#?}");
    }
    let mut many = String::new();
    for number in 0..500 {
        let (name, detail) = (format!("{number} ").repeat(300), "x".repeat(9000));
        writeln!(many, "not ok {number} - {name}\n# {detail}").unwrap();
    }
    let report = read(&many, "", &[]);
    assert_eq!((report.failures.len(), report.failures_left_out), (40, 460));
    assert!(report.failures.iter().all(|f| f.name.len() <= 200 && f.detail.len() <= 2048));
}

#[test]
fn configured_marks_speak_for_a_runner_of_ones_own() {
    let marks = [
        Mark::new(r"^(?P<passed>\d+) good, (?P<failed>\d+) bad$").unwrap(),
        Mark::new(r"^bad: (?P<test>.+)$").unwrap(),
    ];
    let exit = |code, stdout: &str| RunExit {
        cause: ExitCause::Exited { code },
        stdout_tail: stdout.to_owned(),
        ..situations()[0].exit()
    };
    for (code, stdout, class) in [
        (1, "bad: adds\n2 good, 1 bad\n", "suite_ran"),
        (0, "3 good, 0 bad\n", "suite_ran"),
        (0, "0 good, 0 bad\n", "unproven"),
        (0, "2 good, 1 bad\n", "unproven"),
        (0, "done\n", "unknown"),
        (1, "done\n", "unknown"),
    ] {
        let report = read(stdout, "", &marks);
        let mut exit = exit(code, stdout);
        exit.stderr_tail.clear();
        let outcome = classify(Worked::Suite(&report), &exit);
        assert_eq!(outcome.kind(), class, "{code} {stdout:?}: {outcome:?}");
    }
    assert_eq!(read("bad: adds\n2 good, 1 bad\n", "", &marks).failures[0].name, "adds");
    assert!(Mark::new("(").unwrap_err().to_string().contains("no regular expression"));
}

/// Lines of every runner in any order, cut anywhere, with arbitrary text between: nothing panics,
/// and no output turns a failing exit code into a pass.
#[test]
fn no_output_makes_a_pass_of_a_failing_exit_code() {
    let mut lines: Vec<String> = Vec::new();
    for situation in situations() {
        let exit = situation.exit();
        lines.extend(exit.stdout_tail.lines().chain(exit.stderr_tail.lines()).map(str::to_owned));
    }
    lines.sort();
    lines.dedup();
    let line = prop_oneof![
        8 => proptest::sample::select(lines),
        1 => any::<String>(),
    ];
    let cut = (line, 0..200_usize).prop_map(|(line, keep)| line.chars().take(keep).collect());
    let text =
        proptest::collection::vec(cut, 0..30).prop_map(|lines: Vec<String>| lines.join("\n"));
    let template = situations()[0].exit();
    proptest!(ProptestConfig::with_cases(500), |(out in text.clone(), err in text, code in 1..=255)| {
        let report = read(&out, &err, &[]);
        let exit = RunExit {
            cause: ExitCause::Exited { code },
            stdout_tail: out,
            stderr_tail: err,
            ..template.clone()
        };
        let outcome = classify(Worked::Suite(&report), &exit);
        prop_assert_ne!(outcome, Outcome::SuiteRan { exit_code: 0 });
        prop_assert!(report.failures.len() <= 40);
    });
}
