//! Reads directives.

use std::str::FromStr;

use super::{Directive, Expect, Place, Worker};

/// The most workers of a world.
pub const MAX_WORKERS: usize = 9;

impl FromStr for Worker {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('w').and_then(|number| number.parse().ok());
        number
            .filter(|number| (1..=MAX_WORKERS).contains(number))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a worker, w1 to w{MAX_WORKERS}"))
    }
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "api" { Ok(Self::Api) } else { text.parse().map(Self::At) }
    }
}

/// The words of a line, taken one by one.
struct Words<'a>(std::str::SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn word(&mut self, what: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("{what} is missing"))
    }

    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, what: &str) -> Result<T, String> {
        self.word(what)?.parse().map_err(|error: T::Err| error.to_string())
    }
}

impl FromStr for Directive {
    type Err = String;
    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = Words(line.split_whitespace());
        let parsed = parse(&mut words)?;
        match words.0.next() {
            None => Ok(parsed),
            Some(more) => Err(format!("{more:?} is more than `{parsed}` takes")),
        }
    }
}

fn parse(words: &mut Words<'_>) -> Result<Directive, String> {
    use Directive as D;
    let name = words.word("the directive")?;
    Ok(match name {
        "submit" => {
            let repo = words.parsed("the repository")?;
            let priority = match words.0.next() {
                None => 0,
                Some("priority") => words.parsed("the priority")?,
                Some(other) => return Err(format!("{other:?} stands where `priority N` may")),
            };
            D::Submit { repo, priority }
        }
        "claim" => D::Claim(words.parsed("the worker")?),
        "step" => D::Step(words.parsed("the worker")?, words.parsed("the task")?),
        "beat" => D::Beat(words.parsed("the worker")?),
        "reap" => D::Reap(words.parsed("the worker")?),
        "reconcile" => D::Reconcile(words.parsed("the worker")?),
        "crash" => D::Crash(words.parsed("the worker")?),
        "start" => D::Start(words.parsed("the worker")?),
        "reboot" => D::Reboot(words.parsed("the worker")?),
        "container" => D::Container(words.parsed("the worker")?),
        "kill" => D::Kill(words.parsed("the worker")?, words.parsed("the task")?),
        "suspend" => D::Suspend(words.parsed("the worker")?),
        "wake" => D::Wake(words.parsed("the worker")?),
        "partition" => D::Partition(words.parsed("the worker")?),
        "heal" => D::Heal(words.parsed("the worker")?),
        "skew" => D::Skew(words.parsed("the worker")?, words.parsed("the jump")?),
        "fault" => D::Arm(words.parsed("the worker")?, words.parsed("the fault")?),
        "calm" => D::Calm(words.parsed("the worker")?),
        "exit" => D::Exit(
            words.parsed("the worker")?,
            words.parsed("the task")?,
            words.parsed("the end")?,
        ),
        "push" => {
            let repo = words.parsed("the repository")?;
            match words.0.next() {
                None => D::Push { repo, clash: false },
                Some("clash") => D::Push { repo, clash: true },
                Some(other) => return Err(format!("{other:?} stands where `clash` may")),
            }
        }
        "pause" => D::Pause(words.parsed("the task")?),
        "resume" => D::Resume(words.parsed("the task")?),
        "cancel" => D::Cancel(words.parsed("the task")?),
        "retry" => D::Retry(words.parsed("the task")?),
        "approve" => D::Approve(words.parsed("the task")?),
        "answer" => D::Answer(words.parsed("the task")?),
        "freeze" => D::Freeze(words.parsed("the repository")?),
        "unfreeze" => D::Unfreeze(words.parsed("the repository")?),
        "advance" => D::Advance(words.parsed("the span")?),
        "run" => {
            D::Run(words.parsed("the worker")?, words.parsed("the task")?, words.parsed("the end")?)
        }
        "drain" => D::Drain,
        "show" => D::Show,
        "why" => D::Why(words.parsed("the task")?),
        "expect" => D::Expect(expect(words)?),
        other => return Err(format!("there is no directive {other:?}")),
    })
}

const STATES: [&str; 8] =
    ["queued", "running", "held", "done", "cancelled", "paused", "inside", "outside"];
const FACTS: [&str; 7] = ["stage", "landed", "defers", "crashes", "attempts", "bounces", "epoch"];
const COUNTS: [&str; 3] = ["worktrees", "alive", "driving"];

fn expect(words: &mut Words<'_>) -> Result<Expect, String> {
    let about = words.word("the task or worker")?;
    let what = words.word("what is expected")?;
    if let Ok(worker) = about.parse::<Worker>() {
        return if COUNTS.contains(&what) {
            Ok(Expect::Count(worker, what.to_owned(), words.parsed("the number")?))
        } else {
            Err(format!("{what:?} is nothing to expect of a worker; {}", COUNTS.join(", ")))
        };
    }
    let key = about.parse().map_err(|error| format!("{error}"))?;
    if STATES.contains(&what) {
        return Ok(Expect::Is(key, what.to_owned()));
    }
    if FACTS.contains(&what) {
        return Ok(Expect::Has(key, what.to_owned(), words.word("the value")?.to_owned()));
    }
    Err(format!(
        "{what:?} is nothing to expect of a task; {}, {}",
        STATES.join(", "),
        FACTS.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directive_is_read_back_as_it_was_written() {
        let lines = [
            "submit alpha",
            "submit alpha priority -2",
            "claim w1",
            "step w1 ALPHA-1",
            "skew w2 -1h",
            "fault w1 git-lost-reply",
            "fault api disk-full",
            "calm w2",
            "exit w1 ALPHA-1 rate-limit",
            "push alpha clash",
            "advance 90s",
            "advance 250ms",
            "run w1 ALPHA-1 pass",
            "expect ALPHA-1 stage deploy",
            "expect ALPHA-1 held",
            "expect w1 worktrees 0",
            "drain",
        ];
        for line in lines {
            assert_eq!(line.parse::<Directive>().unwrap().to_string(), line);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let table = [
            ("jump w1", "no directive"),
            ("claim", "the worker is missing"),
            ("claim w0", "not a worker"),
            ("claim w1 now", "more than"),
            ("advance soon", "span of time"),
            ("advance 99999999h", "span of time"),
            ("exit w1 ALPHA-1 well", "not an end of work"),
            ("expect ALPHA-1 happy", "nothing to expect"),
        ];
        for (line, expected) in table {
            let error = line.parse::<Directive>().unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
