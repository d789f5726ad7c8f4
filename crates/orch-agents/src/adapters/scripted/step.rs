//! One step of a script, from TOML.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::error::ScriptError;
use super::fields::{Fields, Lines};
use super::script::{Action, Step, Text};
use super::text;
use crate::events::Usage;

/// What a step can do, each with the keys that go with it.
pub(super) const ACTIONS: [(&str, &[&str]); 16] = [
    ("write", &["text", "mode", "raw"]),
    ("append", &["text", "mode", "raw"]),
    ("patch", &["find", "replace", "raw"]),
    ("delete", &[]),
    ("artifact", &["text", "raw"]),
    ("run", &["allow_failure"]),
    ("sleep", &[]),
    ("print", &["raw"]),
    ("eprint", &["raw"]),
    ("usage", &[]),
    ("rate_limited", &[]),
    ("exit", &[]),
    ("crash", &[]),
    ("hang", &[]),
    ("spawn_stubborn", &[]),
    ("wait_for_file", &["timeout"]),
];

/// How long `wait_for_file` waits where it does not say: as long as a slow machine needs.
const WAIT: Duration = Duration::from_mins(1);

/// Reads a step: exactly one action, with the keys of that action only.
pub(super) fn read(lines: &Lines, table: &DeTable<'_>, offset: usize) -> Result<Step, ScriptError> {
    let mut known: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
    let further = ACTIONS.iter().flat_map(|(_, further)| further.iter().copied());
    known.extend(further);
    known.sort_unstable();
    known.dedup();
    let fields = Fields::open(lines, "[[on.step]]", offset, table, &known)?;
    let given: Vec<_> = ACTIONS.iter().filter(|(name, _)| fields.has(name)).collect();
    let [(name, further)] = given[..] else { return Err(not_one(&fields, &given)) };
    if let Some(stray) =
        known.iter().find(|key| fields.has(key) && *key != name && !further.contains(key))
    {
        return Err(fields.invalid(format!("`{stray}` does not go with `{name}`; remove it")));
    }
    Ok(Step { line: fields.line, action: action(name, &fields)? })
}

fn not_one(fields: &Fields<'_, '_>, given: &[&(&str, &[&str])]) -> ScriptError {
    let names = |list: Vec<&str>| list.join(", ");
    if given.is_empty() {
        let all = names(ACTIONS.iter().map(|(name, _)| *name).collect());
        return fields.invalid(format!("the step does nothing; give it one of {all}"));
    }
    let found = names(given.iter().map(|(name, _)| *name).collect());
    fields.invalid(format!("the step has several actions ({found}); make each a step of its own"))
}

fn action(name: &str, fields: &Fields<'_, '_>) -> Result<Action, ScriptError> {
    let path = || filled(fields, name, false);
    let text = |key| filled(fields, key, fields.flag("raw")?);
    Ok(match name {
        "write" => Action::Write { path: path()?, text: text("text")?, mode: mode(fields)? },
        "append" => Action::Append { path: path()?, text: text("text")?, mode: mode(fields)? },
        "patch" => Action::Patch { path: path()?, find: find(fields)?, replace: replace(fields)? },
        "delete" => Action::Delete { path: path()? },
        "artifact" => Action::Artifact { path: path()?, text: text("text")? },
        "run" => {
            Action::Run { argv: command(fields)?, allow_failure: fields.flag("allow_failure")? }
        }
        "sleep" => Action::Sleep(duration(fields, name)?),
        "print" => Action::Print(text(name)?),
        "eprint" => Action::Eprint(text(name)?),
        "usage" => Action::Usage(usage(fields)?),
        "rate_limited" => Action::RateLimited(duration(fields, name)?),
        "exit" => Action::Exit(exit(fields)?),
        "crash" => switched(fields, name, Action::Crash)?,
        "hang" => switched(fields, name, Action::Hang)?,
        "spawn_stubborn" => Action::SpawnStubborn(duration(fields, name)?),
        _ => Action::WaitForFile {
            path: path()?,
            timeout: fields.duration("timeout")?.unwrap_or(WAIT),
        },
    })
}

/// A text whose braces are understood; an absent one is empty.
fn filled(fields: &Fields<'_, '_>, key: &str, raw: bool) -> Result<Text, ScriptError> {
    let source = fields.text(key)?.unwrap_or_default().to_owned();
    if !raw {
        text::check(&source)
            .map_err(|problem| fields.invalid(format!("`{key}` can't be filled in: {problem}")))?;
    }
    Ok(Text { source, raw })
}

fn find(fields: &Fields<'_, '_>) -> Result<String, ScriptError> {
    let find = fields.text("find")?.filter(|find| !find.is_empty());
    find.map(ToOwned::to_owned)
        .ok_or_else(|| fields.invalid("`patch` needs `find`, the text to replace".to_owned()))
}

fn replace(fields: &Fields<'_, '_>) -> Result<Text, ScriptError> {
    if !fields.has("replace") {
        return Err(fields.invalid("`patch` needs `replace`; \"\" removes".to_owned()));
    }
    filled(fields, "replace", fields.flag("raw")?)
}

fn mode(fields: &Fields<'_, '_>) -> Result<Option<u32>, ScriptError> {
    let Some(text) = fields.text("mode")? else { return Ok(None) };
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.map(Some).ok_or_else(|| fields.wrong("mode", "octal permissions such as \"755\""))
}

fn duration(fields: &Fields<'_, '_>, key: &str) -> Result<Duration, ScriptError> {
    fields.duration(key).map(Option::unwrap_or_default)
}

/// A text runs under `sh -c`, a list is an argument vector.
fn command(fields: &Fields<'_, '_>) -> Result<Vec<String>, ScriptError> {
    let wrong = || fields.wrong("run", "a command, as a text for sh or as a list of arguments");
    let words = match fields.get("run") {
        Some((DeValue::String(text), _)) if !text.trim().is_empty() => {
            return Ok(vec!["sh".to_owned(), "-c".to_owned(), text.clone().into_owned()]);
        }
        Some((DeValue::Array(words), _)) => words,
        _ => return Err(wrong()),
    };
    let words: Option<Vec<String>> =
        words.iter().map(|word| word.get_ref().as_str().map(ToOwned::to_owned)).collect();
    words.filter(|words| words.first().is_some_and(|word| !word.is_empty())).ok_or_else(wrong)
}

fn usage(fields: &Fields<'_, '_>) -> Result<Usage, ScriptError> {
    const KEYS: [&str; 6] = [
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "cached_input_tokens",
        "reasoning_tokens",
        "model",
    ];
    let table = fields.get("usage").and_then(|(value, _)| value.as_table());
    let table = table.ok_or_else(|| {
        fields.wrong(
            "usage",
            "a table such as {input_tokens = 1200, output_tokens = 80, cost_usd = 0.05}",
        )
    })?;
    let inner = fields.inner("`usage`", table, &KEYS)?;
    Ok(Usage {
        input_tokens: inner.whole(KEYS[0])?.unwrap_or_default(),
        output_tokens: inner.whole(KEYS[1])?.unwrap_or_default(),
        cost_usd: inner.amount(KEYS[2])?,
        cached_input_tokens: inner.whole(KEYS[3])?.unwrap_or_default(),
        reasoning_tokens: inner.whole(KEYS[4])?.unwrap_or_default(),
        model: inner.get(KEYS[5]).and_then(|(v, _)| v.as_str()).map(ToOwned::to_owned),
        ..Usage::default()
    })
}

fn exit(fields: &Fields<'_, '_>) -> Result<u8, ScriptError> {
    let code = fields.whole("exit").ok().flatten().and_then(|code| u8::try_from(code).ok());
    code.ok_or_else(|| fields.wrong("exit", "an exit code from 0 to 255"))
}

fn switched(fields: &Fields<'_, '_>, key: &str, action: Action) -> Result<Action, ScriptError> {
    if fields.flag(key)? { Ok(action) } else { Err(fields.wrong(key, "true, or absent")) }
}
