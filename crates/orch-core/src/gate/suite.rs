//! What the gates of testing, deploy-staging and deploy share: a verdict field with evidence.

use super::front::{agree, open_or_body, parse, required, said_as};
use super::{Judged, commit, pass};
use crate::artifact::{ArtifactContent, FrontMatter, Value, VerdictWord, reported_findings};
use crate::ids::Revision;
use crate::verdict::Verdict;

/// How one stage's artifact says its verdict.
pub(super) struct Suite {
    /// The field that carries it.
    pub(super) field: &'static str,
    /// True where `result`, `status` and `verdict`, each that is present, have to be known and agree.
    pub(super) strict: bool,
    /// True where a failure beside `exit_code: 0` contradicts itself. A deploy whose command went
    /// well may still have failed its health check.
    pub(super) zero_means_pass: bool,
}

impl Suite {
    /// Judges one artifact; the revision is not compared where none is at hand.
    pub(super) fn judge(
        &self,
        name: &str,
        content: &ArtifactContent,
        at_hand: Option<&Revision>,
    ) -> Judged {
        let front = parse(name, content)?;
        let word = required(name, &front, self.field)?;
        agree(name, &front, self.field, word, self.strict)?;
        let compared = commit::required(name, &front, at_hand)?;
        let exit_code = exit_code(name, &front)?;
        self.agrees_with_exit(name, &front, word, exit_code)?;
        if word == VerdictWord::Pass {
            tests_ran(name, &front)?;
        }
        let said = format!("`{}: {}`", self.field, said_as(&front, self.field));
        let exited = exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
        if word == VerdictWord::Pass {
            return Ok(pass([format!("{name}: {said}{exited}"), compared]));
        }
        let title = format!("{name}: {said}{exited}{}", command(&front));
        let listed = reported_findings(&front).unwrap_or_default();
        Ok(Verdict::Fail { findings: open_or_body(listed, &front, title) })
    }

    fn agrees_with_exit(
        &self,
        name: &str,
        front: &FrontMatter,
        word: VerdictWord,
        exit_code: Option<i64>,
    ) -> Result<(), String> {
        let contradicts = match (word, exit_code) {
            (VerdictWord::Pass, Some(code)) => code != 0,
            (VerdictWord::Fail, Some(code)) => code == 0 && self.zero_means_pass,
            (_, None) => false,
        };
        if !contradicts {
            return Ok(());
        }
        let (field, said) = (self.field, said_as(front, self.field));
        let code = exit_code.unwrap_or_default();
        Err(format!("{name}: `{field}: {said}` and `exit_code: {code}` contradict each other"))
    }
}

/// Where a passing report counts its tests, some ran and none failed.
fn tests_ran(name: &str, front: &FrontMatter) -> Result<(), String> {
    let passed = whole_number(name, front, "tests_passed")?;
    let failed = whole_number(name, front, "tests_failed")?;
    let total = whole_number(name, front, "tests_total")?;
    if let Some(failed) = failed.filter(|failed| *failed != 0) {
        return Err(format!("{name}: it passes with `tests_failed: {failed}`"));
    }
    if passed == Some(0) || total == Some(0) {
        return Err(format!("{name}: it passes and zero tests ran, which proves nothing"));
    }
    Ok(())
}

fn whole_number(name: &str, front: &FrontMatter, field: &str) -> Result<Option<i64>, String> {
    let Some(value) = front.get(field) else { return Ok(None) };
    let number = value.text().and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or_else(|| {
        format!("{name}: `{field}` is {}; it has to be a whole number", value.shown())
    })
}

fn exit_code(name: &str, front: &FrontMatter) -> Result<Option<i64>, String> {
    whole_number(name, front, "exit_code")
}

fn command(front: &FrontMatter) -> String {
    match front.get("command").and_then(Value::text) {
        Some(_) => format!(", command `{}`", said_as(front, "command")),
        None => String::new(),
    }
}
