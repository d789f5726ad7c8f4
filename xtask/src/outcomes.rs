//! The page of outcomes: the situations that the tests of `orch-core` classify, as a table.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;

const HEAD: &str = "# What a suite's end is taken for

The test-runner and the staging-runner class each end of their command by its exit code, by what it
printed and by whether the suite's own marks are in it.

| class | what it means | what follows |
| --- | --- | --- |
| `suite_ran` | the suite came to its own end; its verdict counts | the gate judges: on, or back with the failing tests in the brief |
| `transient_infra` | infrastructure failed for a moment | the same stage again after a while, then a hold |
| `permanent_env` | something has to be mended | a hold with the reason |
| `unproven` | the suite came to an end that proves nothing | a hold with the reason |
| `unknown` | nobody can tell what failed | once more, then a hold |
| `timed_out` `stalled` | the runner's own limits | once more, then a hold |
| `cancelled` | somebody asked for the end | the same stage again |

A hold costs the task nothing: mend the cause, then `orch task retry KEY` goes on at the same stage.
Budgets, shared faults and alerts: [faults](faults.md).

- A failure counts as the code's only on positive evidence: marks of a runner that is known
  (`cargo test`, `cargo nextest`, pytest, unittest, `go test`, `node --test`, Jest, Vitest, Mocha,
  Maven, Gradle, CTest, TAP, JUnit XML), a compiler that refuses the source, a program's own words
  of a failed assertion, a fault signal. For a runner of your own set `marks` in `[test_runner]` or
  `[staging_runner]`: regular expressions for lines that only the suite prints. Their groups
  `passed`, `failed` and `skipped` are read as counts and `test` as a failing test's name, such as
  `(?P<passed>\\d+) good, (?P<failed>\\d+) bad`. With marks set, exit 0 without any of them is no pass.
- Beside failing tests only faults of the machine itself count as infrastructure: a full disk, no
  memory, a docker daemon or an ssh link that is gone.
- Zero tests are no pass, nor are fewer than 95 % of those in the last landed report that the branch
  has in its history (`fewer_tests_percent`), nor a suite that was counted there and is not any more. Where tests were taken out on purpose, raise it and
  retry; once that has landed, take it back.
- Exit 0 beside failing tests is held: a pipe or `|| true` hides the suite's exit code. A suite that
  was run again and then passed as many tests is a pass.
- Exit 0 is no pass either where a known runner's output breaks off: it was killed left of a pipe
  (`suite | tee log`), or its end went elsewhere. Let the shell tell (`set -o pipefail`).

Over 267 situations and 11920 faults injected into them, infrastructure is taken for code 0 times,
code for infrastructure 31 times, 0 ends are unknown, and 0 passes are false.

";

#[derive(Deserialize)]
struct Situations {
    situation: Vec<Situation>,
}

/// What the page says of a situation; the tests read the rest.
#[derive(Deserialize)]
struct Situation {
    name: String,
    exit: Option<i32>,
    signal: Option<i32>,
    ended: Option<String>,
    remote: Option<Remote>,
    class: String,
    source: String,
    why: String,
}

/// What came back from another machine.
#[derive(Deserialize)]
struct Remote {
    frame: Option<i32>,
}

/// The whole page; a situation that can't be read leaves its error in it, which the tests of
/// `orch-core` find first.
pub fn page(root: &Path) -> String {
    let folder = root.join("crates/orch-core/tests/outcomes");
    let mut files: Vec<_> = fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    files.sort();
    let mut text = HEAD.to_owned();
    let mut rows = String::new();
    let (mut all, mut recorded) = (0, 0);
    for file in files {
        let title = file.file_stem().unwrap_or_default().to_string_lossy().replace('-', " ");
        let _ = write!(
            rows,
            "\n### {}{}\n\n| situation | end | class | why |\n| --- | --- | --- | --- |\n",
            title[..1].to_uppercase(),
            &title[1..]
        );
        let parsed = fs::read_to_string(&file)
            .map_err(|error| error.to_string())
            .and_then(|text| toml::from_str::<Situations>(&text).map_err(|e| e.to_string()));
        match parsed {
            Ok(read) => {
                for situation in &read.situation {
                    all += 1;
                    recorded += u32::from(situation.source == "recorded");
                    rows.push_str(&row(situation));
                }
            }
            Err(error) => {
                let _ = writeln!(rows, "| {error} | | | |");
            }
        }
    }
    let _ = write!(
        text,
        "## The situations\n\nEach of these {all} is a test; {recorded} are recorded from the programs \
         themselves, the others are written from their documentation.\n{rows}"
    );
    text
}

fn row(situation: &Situation) -> String {
    let end = match (situation.exit, situation.signal, &situation.ended) {
        (Some(code), _, _) => format!("exit {code}"),
        (_, Some(signal), _) => format!("signal {signal}"),
        (_, _, Some(ended)) => ended.replace('_', " "),
        _ => String::new(),
    };
    let end = match &situation.remote {
        None => end,
        Some(Remote { frame: Some(code) }) => format!("ssh: {end}; frame: exit {code}"),
        Some(Remote { frame: None }) => format!("ssh: {end}; no frame"),
    };
    let plain = |text: &str| text.replace('|', "\\|");
    format!(
        "| {} | {end} | `{}` | {} |\n",
        plain(&situation.name),
        situation.class,
        plain(&situation.why)
    )
}
