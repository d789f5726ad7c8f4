//! The recorded situations of `tests/outcomes`: each is classified as it says, and all together
//! keep the figures of S7.
#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::process::{ExitCause, RunExit};
use orch_core::suite::{Counts, Mark, SuiteReport, read};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Situations {
    situation: Vec<Situation>,
}

/// What happened, and what it is to be taken for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    name: String,
    exit: Option<i32>,
    signal: Option<i32>,
    ended: Option<String>,
    output: Option<String>,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
    class: String,
    /// Where the fault lies in truth: `code`, `infrastructure`, `nothing_ran` or `none`.
    fault: String,
    counts: Option<[u64; 3]>,
    #[serde(default)]
    failing: Vec<String>,
    source: String,
    why: String,
}

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn situations() -> Vec<Situation> {
    let mut files: Vec<_> =
        fs::read_dir(folder("outcomes")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        toml::from_str::<Situations>(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    files.iter().flat_map(|path| read(path).situation).collect()
}

impl Situation {
    fn exit(&self) -> RunExit {
        let recorded = |end: &str| {
            let name = self.output.as_ref()?;
            fs::read_to_string(folder("suites").join(format!("{name}.{end}"))).ok()
        };
        let cause = match (self.exit, self.signal, self.ended.as_deref()) {
            (Some(code), None, None) => ExitCause::Exited { code },
            (None, Some(signal), None) => ExitCause::Signaled { signal },
            (None, None, Some("timed_out")) => ExitCause::TimedOut { limit_ms: 1000 },
            (None, None, Some("stalled")) => ExitCause::Stalled { limit_ms: 1000 },
            (None, None, Some("cancelled")) => ExitCause::Cancelled,
            (None, None, Some("missing")) => ExitCause::SpawnFailed {
                message: "No such file or directory".into(),
                missing: true,
            },
            (None, None, Some("not_started")) => ExitCause::SpawnFailed {
                message: "Resource temporarily unavailable".into(),
                missing: false,
            },
            other => panic!("{}: no end: {other:?}", self.name),
        };
        let at = "2026-01-02T03:04:05Z".parse().unwrap();
        RunExit {
            cause,
            started_at: at,
            finished_at: at,
            stdout_tail: recorded("out").unwrap_or_else(|| self.stdout.clone()),
            stderr_tail: recorded("err").unwrap_or_else(|| self.stderr.clone()),
            lines: 0,
            survivors_killed: 0,
        }
    }

    fn report(&self) -> SuiteReport {
        let exit = self.exit();
        read(&exit.stdout_tail, &exit.stderr_tail, &[])
    }

    fn outcome(&self) -> Outcome {
        classify(Worked::Suite(&self.report()), &self.exit())
    }
}

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
            (Outcome::TransientInfra { .. }, "code") => code.push(name),
            // A contradiction is held, whoever is at fault.
            (Outcome::PermanentEnv { .. }, "code") if situation.exit != Some(0) => code.push(name),
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
        (0, "0 good, 0 bad\n", "permanent_env"),
        (0, "2 good, 1 bad\n", "permanent_env"),
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
