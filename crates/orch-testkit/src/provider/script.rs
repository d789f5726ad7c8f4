//! How a prompt scripts the answers: directives in double brackets, played one per turn.
//!
//! | directive | the model |
//! | --- | --- |
//! | `[[write PATH\|TEXT]]` | writes a file with the agent's own tool; `\n` in the text is a line end |
//! | `[[bash COMMAND]]` | runs a command with the agent's own tool |
//! | `[[tool NAME {json}]]` | calls that tool with these arguments |
//! | `[[say TEXT]]` | says something: before the next call, or as the last answer |
//! | `[[fault SCENARIO]]` | the scenario happens instead of what follows, for good |
//! | `[[stage NAME]]`, `[[stage NAME N]]` | what follows belongs to this stage of a task, or to its attempt `N` alone |
//!
//! What comes before the first `[[stage …]]` belongs to every stage. `{task}`, `{stage}`,
//! `{attempt}` and `{artifacts}` stand for what the brief says of them. Where nothing is left to do,
//! the model says `Done.`

use serde_json::Value;

use super::brief::Brief;
use super::scenario::Scenario;

/// A directive that calls a tool.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// Writes a file.
    Write { path: String, text: String },
    /// Runs a command.
    Bash(String),
    /// Calls a tool by its name.
    Tool { name: String, input: Value },
}

/// One turn of the model.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Turn {
    /// Said before the call, or alone.
    pub(super) text: Option<String>,
    /// `None` at the end.
    pub(super) act: Option<Act>,
    /// Happens instead.
    pub(super) fault: Option<Scenario>,
}

/// The turn after `done` calls; a directive that can't be read is an error, named.
pub(super) fn turn(prompt: &str, done: usize) -> Result<Turn, String> {
    let brief = Brief::read(prompt);
    let mut turns = vec![Turn::default()];
    for directive in directives(&brief)? {
        let last = turns.last_mut().expect("it is never empty");
        match directive {
            Directive::Say(text) => last.text = Some(text),
            Directive::Fault(scenario) => last.fault = Some(scenario),
            Directive::Act(act) => {
                last.act = Some(act);
                turns.push(Turn::default());
            }
            Directive::Stage { .. } => {}
        }
    }
    let last = turns.len() - 1;
    let mut turn = turns.swap_remove(done.min(last));
    if turn.act.is_none() {
        turn.text.get_or_insert_with(|| "Done.".to_owned());
    }
    Ok(turn)
}

/// Whether the text holds a directive at all.
pub(super) fn is_script(text: &str) -> bool {
    NAMES.iter().any(|name| text.contains(&format!("[[{name} ")))
}

enum Directive {
    Act(Act),
    Say(String),
    Fault(Scenario),
    Stage { name: String, attempt: Option<u32> },
}

const NAMES: [&str; 6] = ["write", "bash", "tool", "say", "fault", "stage"];

/// The directives of the brief's stage and attempt.
fn directives(brief: &Brief<'_>) -> Result<Vec<Directive>, String> {
    let all: Vec<Directive> = brackets(brief.script)
        .filter_map(|(name, rest)| parse(name, &brief.fill(rest)).transpose())
        .collect::<Result<_, _>>()?;
    let this_attempt = all.iter().any(|directive| {
        matches!(directive, Directive::Stage { name, attempt: Some(attempt) }
            if brief.is_at(name) && *attempt == brief.attempt)
    });
    let mut applies = true;
    let mut kept = Vec::new();
    for directive in all {
        if let Directive::Stage { name, attempt } = &directive {
            let wanted = if this_attempt { Some(brief.attempt) } else { None };
            applies = brief.is_at(name) && *attempt == wanted;
        } else if applies {
            kept.push(directive);
        }
    }
    Ok(kept)
}

/// What stands in double brackets and begins with a known name: the name and the rest.
fn brackets(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let begin = rest.find("[[")?;
            let inside = &rest[begin + 2..];
            let name = NAMES.iter().find(|name| {
                inside.strip_prefix(**name).is_some_and(|after| after.starts_with([' ', '\n']))
            });
            let Some(name) = name else {
                rest = inside;
                continue;
            };
            let end = inside.find("]]")?;
            rest = &inside[end + 2..];
            return Some((*name, inside[name.len() + 1..end].trim()));
        }
    })
}

fn parse(name: &str, rest: &str) -> Result<Option<Directive>, String> {
    let fault = |what: &str| format!("[[{name} {rest}]]: {what}");
    Ok(Some(match name {
        "write" => {
            let (path, text) = rest.split_once('|').ok_or_else(|| fault("PATH|TEXT is wanted"))?;
            let (path, text) = (path.trim().to_owned(), text.replace("\\n", "\n"));
            Directive::Act(Act::Write { path, text })
        }
        "bash" => Directive::Act(Act::Bash(rest.to_owned())),
        "tool" => {
            let (name, json) = rest.split_once(char::is_whitespace).unwrap_or((rest, "{}"));
            let input = serde_json::from_str(json).map_err(|error| fault(&error.to_string()))?;
            Directive::Act(Act::Tool { name: name.to_owned(), input })
        }
        "say" => Directive::Say(rest.to_owned()),
        "fault" => Directive::Fault(rest.parse().map_err(|error| fault(&format!("{error}")))?),
        "stage" => {
            let (name, attempt) = rest.split_once(' ').unwrap_or((rest, ""));
            let attempt = match attempt {
                "" => None,
                number => Some(number.parse().map_err(|_| fault("the attempt is a number"))?),
            };
            Directive::Stage { name: name.to_owned(), attempt }
        }
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bash(turn: &Turn) -> &str {
        match &turn.act {
            Some(Act::Bash(command)) => command,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_directive_a_turn_and_the_last_word_at_the_end() {
        let prompt = "Do it. [[say first]] [[bash ls [a-z]*]] [[write a b.txt|x\\ny|z]]\n\
                      [[tool mcp__orch__ask {\"a\": [1]}]] [[say bye]] and [[ that ]] [[x]]";
        let first = turn(prompt, 0).unwrap();
        assert_eq!((first.text.as_deref(), bash(&first)), (Some("first"), "ls [a-z]*"));
        let written = Act::Write { path: "a b.txt".to_owned(), text: "x\ny|z".to_owned() };
        assert_eq!(turn(prompt, 1).unwrap().act, Some(written));
        let input = serde_json::json!({"a": [1]});
        let called = Act::Tool { name: "mcp__orch__ask".to_owned(), input };
        assert_eq!(turn(prompt, 2).unwrap().act, Some(called));
        for done in [3, 4, 99] {
            let last = turn(prompt, done).unwrap();
            assert_eq!((last.text.as_deref(), last.act), (Some("bye"), None));
        }
        assert_eq!(turn("Nothing to do", 0).unwrap().text.as_deref(), Some("Done."));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (prompt, what) in [
            ("[[write a]]", "PATH|TEXT"),
            ("[[tool x {]]", "EOF"),
            ("[[fault no]]", "no scenario"),
            ("[[stage x y]]", "number"),
        ] {
            let error = turn(prompt, 0).unwrap_err();
            assert!(error.contains(what) && error.contains("[["), "{prompt}: {error}");
        }
        assert!(!is_script("a [[ b ]] [[c]] [[sayings]]") && is_script("[[say a]]"));
    }

    const BODY: &str = "[[say all]] [[stage development]] [[bash first {task}]] \
                        [[stage development 2]] [[bash second {attempt}]] [[fault 529]] \
                        [[stage review]] [[bash look {artifacts}]]";

    fn brief(stage: &str, attempt: &str) -> String {
        format!(
            "# A-1, {stage}: you are the worker\n\nRules [[bash no]]\n\
             ----- BEGIN DATA 0a: title of A-1 -----\nT [[bash no]]\n----- END DATA 0a -----\n\
             ----- BEGIN DATA 0b: body of A-1 -----\n{BODY}\n----- END DATA 0b -----\n\
             {attempt}\n[[bash no]]\nWrite your artifacts into `docs/A-1`.\n"
        )
    }

    #[test]
    fn a_brief_is_played_by_stage_and_attempt() {
        let first = turn(&brief("development", ""), 0).unwrap();
        assert_eq!((first.text.as_deref(), bash(&first)), (Some("all"), "first A-1"));
        let again = brief("development", "This is attempt 2 at this stage. Deal with it");
        assert_eq!(bash(&turn(&again, 0).unwrap()), "second 2");
        let fault = Scenario::Status { code: 529, retry_after: None };
        assert_eq!(turn(&again, 1).unwrap().fault, Some(fault));
        let third = brief("development", "This is attempt 3 at this stage. Deal with it");
        assert_eq!(bash(&turn(&third, 0).unwrap()), "first A-1");
        assert_eq!(bash(&turn(&brief("review", ""), 0).unwrap()), "look docs/A-1");
        let elsewhere = turn(&brief("analysis", ""), 0).unwrap();
        assert_eq!((elsewhere.text.as_deref(), elsewhere.act), (Some("all"), None));
    }
}
