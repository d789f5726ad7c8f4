//! Texts of a script that are filled in when they are used.

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, context};

use super::fields::nearest;
use super::perform::ScriptContext;
use super::script::Text;
use super::{act, place};

/// The names that a text can use.
pub(super) const NAMES: [&str; 8] =
    ["task", "title", "stage", "role", "attempt", "run_id", "artifact_dir", "commit"];
/// Bounds time and memory of one text (about 13 MB): a script must not hang its agent by mistake.
const FUEL: u64 = 200_000;
/// What the texts are called in messages.
const NAME: &str = "text";

/// Checks braces and names. The error names the line within the text, and the remedy.
pub(super) fn check(source: &str) -> Result<(), String> {
    if !source.contains('{') {
        return Ok(());
    }
    let environment = environment().map_err(|error| described(&error))?;
    let template = environment.template_from_named_str(NAME, source).map_err(|error| {
        format!("{}; where the braces are meant as they are, set raw = true", described(&error))
    })?;
    let functions: Vec<String> = environment.globals().map(|(name, _)| name.to_owned()).collect();
    let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    unknown.retain(|name| !NAMES.contains(&name.as_str()) && !functions.contains(name));
    unknown.sort_unstable();
    let Some(name) = unknown.first() else { return Ok(()) };
    let remedy = nearest(name, &NAMES).map_or_else(
        || format!("known are {}", NAMES.join(", ")),
        |word| format!("did you mean `{word}`?"),
    );
    Err(format!("the name {name:?} is not known; {remedy}"))
}

/// The text with its names filled in.
pub(super) fn fill(text: &Text, context: &ScriptContext) -> io::Result<String> {
    if text.raw || !text.source.contains('{') {
        return Ok(text.source.clone());
    }
    let environment = environment().map_err(|error| failed(&error))?;
    let template =
        environment.template_from_named_str(NAME, &text.source).map_err(|error| failed(&error))?;
    // The revision costs a process: it is asked for only where a text speaks of it.
    let commit = template.undeclared_variables(false).contains("commit");
    let commit = if commit { Some(act::commit(context)?) } else { None };
    let artifact_dir = place::artifact_dir(context)?.display().to_string();
    let values = context! {
        task => &context.task,
        title => &context.title,
        stage => &context.stage,
        role => &context.role,
        attempt => context.attempt,
        run_id => &context.run_id,
        artifact_dir,
        commit,
    };
    template.render(values).map_err(|error| failed(&error))
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    Ok(environment)
}

fn failed(error: &Error) -> io::Error {
    io::Error::other(described(error))
}

fn described(error: &Error) -> String {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    error.line().map_or(detail.clone(), |line| format!("{detail} (line {line} of the text)"))
}
