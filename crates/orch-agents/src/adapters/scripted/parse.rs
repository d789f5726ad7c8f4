//! A script, from TOML.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ScriptError;
use super::fields::{Fields, Lines};
use super::script::{Attempts, Entry, MAX_SCRIPT, Script};
use super::step;

const TOP: [&str; 2] = ["default_artifacts", "on"];
const CONDITIONS: [&str; 5] = ["task", "role", "stage", "attempt", "step"];

impl Script {
    /// Reads a script. The error names the line and the remedy.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        if text.len() > MAX_SCRIPT {
            return Err(ScriptError::TooLong(text.len()));
        }
        let lines = &Lines::of(text);
        let table = DeTable::parse(text).map_err(|error| ScriptError::Toml {
            line: lines.at(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let top = Fields::open(lines, "the script", 0, table.get_ref(), &TOP)?;
        let entries = tables(&top, "on")?
            .into_iter()
            .map(|(table, offset)| {
                entry(lines, &Fields::open(lines, "[[on]]", offset, table, &CONDITIONS)?)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { default_artifacts: top.flag("default_artifacts")?, entries })
    }
}

fn entry(lines: &Lines, fields: &Fields<'_, '_>) -> Result<Entry, ScriptError> {
    let owned = |key| fields.text(key).map(|text| text.map(ToOwned::to_owned));
    let steps = tables(fields, "step")?
        .into_iter()
        .map(|(table, offset)| step::read(lines, table, offset))
        .collect::<Result<_, _>>()?;
    Ok(Entry {
        line: fields.line,
        task: owned("task")?,
        role: owned("role")?,
        stage: owned("stage")?,
        attempts: attempts(fields)?,
        steps,
    })
}

/// A number, or a text of a number that `+` may follow.
fn attempts(fields: &Fields<'_, '_>) -> Result<Option<Attempts>, ScriptError> {
    const FORM: &str = "an attempt from 1, such as 2, or \"2+\" for it and all that follow";
    let Some((value, _)) = fields.get("attempt") else { return Ok(None) };
    let (number, open) = match value {
        DeValue::Integer(number) => (number.as_str(), false),
        DeValue::String(text) => {
            text.strip_suffix('+').map_or((text.as_ref(), false), |number| (number, true))
        }
        _ => return Err(fields.wrong("attempt", FORM)),
    };
    let number = number.trim().parse::<u32>().ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| fields.wrong("attempt", FORM))?;
    Ok(Some(if open { Attempts::From(number) } else { Attempts::Only(number) }))
}

/// The tables of a list, each with its offset; none where the key is absent.
fn tables<'a, 'i>(
    fields: &Fields<'a, 'i>,
    key: &str,
) -> Result<Vec<(&'a DeTable<'i>, usize)>, ScriptError> {
    let Some((value, _)) = fields.get(key) else { return Ok(Vec::new()) };
    let wrong = || fields.wrong(key, &format!("a list of tables, each begun by its [[…{key}]]"));
    let list = value.as_array().ok_or_else(wrong)?;
    let table = |item: &'a Spanned<DeValue<'i>>| {
        item.get_ref().as_table().map(|table| (table, item.span().start)).ok_or_else(wrong)
    };
    list.iter().map(table).collect()
}
