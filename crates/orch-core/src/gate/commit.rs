//! Evidence of the revision judged: an old verdict can't pass new code.

use crate::artifact::{FrontMatter, Value};
use crate::ids::Revision;

/// The shortest abbreviation of a revision that counts as naming it.
const SHORTEST: usize = 7;

/// Asks of a verdict artifact that its `commit` is the revision at hand, in full. Gives the line
/// that says what was compared.
pub(super) fn required(
    name: &str,
    front: &FrontMatter,
    at_hand: Option<&Revision>,
) -> Result<String, String> {
    let Some(at_hand) = at_hand else { return Ok(not_compared()) };
    match said(name, front)? {
        None => Err(format!(
            "{name}: no field `commit`, so it can't be told whether it judges the revision at \
             hand, {at_hand}"
        )),
        Some(commit) if commit == at_hand.as_str() => Ok(format!("it judges {at_hand}")),
        Some(commit) => Err(stale(name, &commit, at_hand)),
    }
}

/// The same of an artifact by an agent, which may not know its revision: `commit` may be absent
/// or abbreviated to 7 digits, but not be another revision's.
pub(super) fn if_given(
    name: &str,
    front: &FrontMatter,
    at_hand: Option<&Revision>,
) -> Result<Option<String>, String> {
    let Some(at_hand) = at_hand else { return Ok(None) };
    match said(name, front)? {
        None => Ok(None),
        Some(commit) if commit.len() >= SHORTEST && at_hand.as_str().starts_with(&commit) => {
            Ok(Some(format!("it judges {at_hand}")))
        }
        Some(commit) => Err(stale(name, &commit, at_hand)),
    }
}

fn said(name: &str, front: &FrontMatter) -> Result<Option<String>, String> {
    match front.get("commit") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Scalar(scalar)) => Ok(Some(scalar.text.trim().to_ascii_lowercase())),
        Some(other) => {
            Err(format!("{name}: `commit` is {}; it has to be one revision", other.shown()))
        }
    }
}

fn stale(name: &str, commit: &str, at_hand: &Revision) -> String {
    let commit: String = commit.chars().take(64).collect();
    format!(
        "{name}: it judges the revision {commit:?}, but the one at hand is {at_hand}: a stale \
         verdict can't pass new code; run the stage again"
    )
}

fn not_compared() -> String {
    "the revision was not compared, as none was given".to_owned()
}
