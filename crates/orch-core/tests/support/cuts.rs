//! Suites whose output breaks off while the exit code is 0: killed left of a pipe, or behind
//! `|| true`.

use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::process::{ExitCause, RunExit};
use orch_core::suite::read;

use crate::situations::situations;

/// A suite that passed, by its situation's name; what stands in a line that promises more, and how
/// the line begins that keeps the promise.
const PROMISES: &[(&str, &str, &str)] = &[
    ("cargo test", "running ", "test result: "),
    ("cargo nextest", "Starting ", "Summary ["),
    ("pytest", "test session starts", "2 passed"),
    ("go test -v", "=== RUN", "PASS"),
    ("node --test, as TAP", "TAP version", "1..1"),
    ("jest", "PASS ", "Tests: "),
    ("vitest", "RUN  v", "Tests  "),
    ("mocha", "✔ adds", "1 passing"),
    ("ctest", "Test project", "100% tests passed"),
    ("maven", "Time elapsed", "[INFO] Tests run: "),
    ("gradle", "> Task :test", "BUILD SUCCESSFUL"),
    ("unittest", "Ran 3 tests", "OK (skipped=1)"),
    ("cargo test in a workspace", "running ", "test result: "),
    ("flaky, nextest tries again, recorded", "Starting ", "Summary ["),
];

/// Whole outputs that are no situation of their own.
const WHOLE: &[(&str, &str)] = &[
    (
        "pytest, quietly",
        "...                                  [ 50%]\n...   [100%]\n6 passed in 0.03s",
    ),
    ("pytest, more quietly", "...                                  [ 50%]\n...        [100%]"),
    (
        "two sessions of pytest",
        "== test session starts ==\ncollected 1 item\n\na.py .   [100%]\n\n== 1 passed in 0.01s ==\n== test session starts ==\ncollected 1 item\n\nb.py .   [100%]\n\n== 1 passed in 0.01s ==",
    ),
    ("a test program of go", "=== RUN   TestAdd\n--- PASS: TestAdd (0.00s)\nPASS"),
    (
        "packages of go",
        "=== RUN   TestAdd\n--- PASS: TestAdd (0.00s)\nPASS\nok  \ta\t0.1s\n?   \tb\t[no test files]",
    ),
    ("TAP, the plan first", "1..2\nok 1 - adds\nok 2 - divides"),
    ("TAP with a version, the plan first", "TAP version 14\n1..2\nok 1 - adds\nok 2 - divides"),
    ("TAP, one document after another", "TAP version 13\nok 1\n1..1\nTAP version 13\n1..1\nok 1"),
    ("prove -v", "a.t ..\n1..2\nok 1\nok 2\nok\nb.t ..\n1..1\nok 1\nok\nAll tests successful."),
    ("points without a plan", "ok 1 - adds\nok 2 - divides"),
    (
        "JUnit XML",
        "<testsuites>\n<testsuite name=\"a\">\n<testcase name=\"adds\"/>\n</testsuite>\n<testsuite name=\"b\" tests=\"0\"/>\n</testsuites>",
    ),
    (
        "twisted",
        "calc.Calc\n  test_adds ...   [OK]\n\nRan 1 tests in 0.001s\n\nPASSED (successes=1)",
    ),
    ("bun", "✓ adds [0.1ms]\n\n 1 pass\n 0 fail\nRan 1 tests across 1 files. [5.00ms]"),
    (
        "unittest, verbosely",
        "test_adds (calc.Calc.test_adds) ... ok\n\n---\nRan 1 test in 0.001s\n\nOK",
    ),
    (
        "maven, quietly",
        "-----\n T E S T S\n-----\nRunning CalcTest\nTests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.05 sec\n\nResults :\n\nTests run: 2, Failures: 0, Errors: 0, Skipped: 0\n",
    ),
    (
        "jest, verbosely, beside a log",
        "  console.log\n    hi\n\n      at log (a.js:1)\n\n  console.log\n    hi\n\nPASS ./a.test.js\n  calc\n    ✓ adds (2 ms)\n\nTests:       1 passed, 1 total\n",
    ),
    ("docker compose", " ✔ Network site  Created\n ✔ Container site-db  Started\nhealthy"),
    ("a list of steps", "  ✔ built\n  ✔ pushed"),
    ("only built", "   Compiling calc v0.1.0\n    Finished `test` profile in 0.37s"),
];

/// Outputs that break off, beyond the cuts of whole ones.
const BROKEN: &[(&str, &str)] = &[
    ("cargo test while it compiles", "   Compiling calc v0.1.0 (/home/dev/rs)"),
    (
        "cargo test between programs",
        "     Running unittests src/lib.rs (target/calc)\n\nrunning 1 test\ntest adds ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\n   Doc-tests calc",
    ),
    ("cargo test without its beginning", "test tests::adds ... ok\ntest tests::divides ... ok"),
    ("pytest, quietly", "...                                  [ 50%]"),
    ("pytest, quietly, after a failure", "..F                                  [100%]"),
    (
        "pytest, whole after one that broke off",
        "== test session starts ==\ncollected 2 items\n\na.py .\n== test session starts ==\ncollected 1 item\n\nb.py .   [100%]\n\n== 1 passed in 0.01s ==",
    ),
    ("TAP, the plan first", "1..3\nok 1 - adds\nok 2 - divides"),
    (
        "TAP beside a suite that passed",
        "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored\n1..3\nok 1 - adds",
    ),
    ("JUnit XML", "<testsuites>\n<testsuite name=\"a\">\n<testcase name=\"adds\"/>\n</testsuite>"),
    (
        "unittest, verbosely",
        "test_adds (calc.Calc.test_adds) ... ok\ntest_divides (calc.Calc.test_divides) ... ok",
    ),
    ("Django", "Found 3 test(s).\nSystem check identified no issues (0 silenced).\n..."),
    (
        "maven between modules",
        "[INFO] Scanning for projects...\n[INFO]  T E S T S\n[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.05 s - in CalcTest\n[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0",
    ),
    ("node --test", "✔ adds (0.922568ms)\n✔ divides (0.1ms)"),
    ("mocha, in suites", "\n\n  calc\n    ✔ adds\n    ✔ divides"),
    ("vitest at its start", " RUN  v4.1.12 /home/dev/site\n"),
];

fn ended_well(stdout: &str, stderr: &str) -> Outcome {
    let exit = RunExit {
        cause: ExitCause::Exited { code: 0 },
        stdout_tail: stdout.to_owned(),
        stderr_tail: stderr.to_owned(),
        ..situations()[0].exit()
    };
    classify(Worked::Suite(&read(stdout, stderr, &[])), &exit)
}

fn keeps(line: &str, kept: &str) -> bool {
    line.trim_start_matches([' ', '=']).starts_with(kept)
}

fn is_pass(outcome: &Outcome) -> bool {
    *outcome == Outcome::SuiteRan { exit_code: 0 }
}

/// Cut after every line of a suite that passed, between a promise and what keeps it, the output is
/// no pass; whole, it is one.
#[test]
fn an_output_that_breaks_off_is_no_pass() {
    let (mut wrong, mut cuts) = (Vec::new(), 0);
    for (name, promise, kept) in PROMISES {
        let all = situations();
        let passed = |s: &&crate::situations::Situation| s.name == *name && s.fault == "none";
        let suite = all.iter().find(passed).unwrap_or_else(|| panic!("{name}"));
        let exit = suite.exit();
        let in_stdout = exit.stdout_tail.lines().any(|line| keeps(line, kept));
        let mut streams = [&exit.stdout_tail, &exit.stderr_tail];
        streams.rotate_left(usize::from(!in_stdout));
        let [told, other] = streams;
        let (mut begun, mut open, mut text) = (false, false, String::new());
        for line in told.lines() {
            text = text + line + "\n";
            open = (open || line.contains(promise)) && !(keeps(line, kept) && begun);
            begun |= open;
            let outcome =
                if in_stdout { ended_well(&text, other) } else { ended_well(other, &text) };
            cuts += usize::from(open);
            if begun && is_pass(&outcome) == open {
                wrong.push(format!("{name}, cut after {line:?}: {outcome:?}"));
            }
        }
        assert!(begun && !open, "{name}: the promise is not made and kept");
    }
    for (name, text) in BROKEN {
        cuts += 1;
        for outcome in [ended_well(text, ""), ended_well("", text)] {
            if outcome.kind() != "unproven" {
                wrong.push(format!("broken: {name}: {outcome:?}"));
            }
        }
    }
    println!("{cuts} outputs that break off, {} taken for a pass", wrong.len());
    assert!(cuts >= 60, "{cuts} cuts");
    assert!(wrong.is_empty(), "{} of {cuts}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_whole_output_stays_a_pass() {
    let whole = WHOLE.iter().filter(|(_, text)| !is_pass(&ended_well(text, "")));
    let wrong: Vec<_> = whole.map(|(name, text)| (name, ended_well(text, ""))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Somebody reads what to do.
#[test]
fn the_reason_names_the_runner_and_the_remedy() {
    let Outcome::Unproven { reason } = ended_well("\nrunning 2 tests\ntest adds ... ok\n", "")
    else {
        panic!("a pass")
    };
    for words in ["cargo test", "breaks off", "pipefail"] {
        assert!(reason.contains(words), "{reason}");
    }
}
