//! Rendering: the role's template, then the frame around it.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, context};
use orch_core::ids::AgentName;

use super::context::BriefContext;
use super::{data, view};

/// The largest brief, in bytes: some 16,000 tokens, which every model takes in.
pub const MAX_BRIEF: usize = 64 * 1024;
/// The most that a role's own template may say, in bytes.
const MAX_WORK: usize = 8 * 1024;
/// Bounds time and memory of a template (about 13 MB): a hostile one must not hang the service.
const FUEL: u64 = 200_000;
/// How deep a template may nest.
const DEPTH: usize = 100;

/// The parts of the frame; an override can include them too.
const PARTS: [(&str, &str); 6] = [
    ("_frame.md.j2", include_str!("../../prompts/_frame.md.j2")),
    ("_rules.md.j2", include_str!("../../prompts/_rules.md.j2")),
    ("_task.md.j2", include_str!("../../prompts/_task.md.j2")),
    ("_feedback.md.j2", include_str!("../../prompts/_feedback.md.j2")),
    ("_earlier.md.j2", include_str!("../../prompts/_earlier.md.j2")),
    ("_artifact_rules.md.j2", include_str!("../../prompts/_artifact_rules.md.j2")),
];

/// A brief can't be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the prompt of {role} can't be rendered: {message}")]
pub struct BriefError {
    /// The role.
    pub role: AgentName,
    /// What is wrong, with template and line.
    pub message: String,
}

/// The built-in template of a role; `None` for a role of the user's own.
pub fn default_template(role: &AgentName) -> Option<&'static str> {
    Some(match role.as_str() {
        "analyst" => include_str!("../../prompts/analyst.md.j2"),
        "architect" => include_str!("../../prompts/architect.md.j2"),
        "developer" => include_str!("../../prompts/developer.md.j2"),
        "reviewer" => include_str!("../../prompts/reviewer.md.j2"),
        "tester" => include_str!("../../prompts/tester.md.j2"),
        "deployer" => include_str!("../../prompts/deployer.md.j2"),
        _ => return None,
    })
}

/// Renders a brief of at most [`MAX_BRIEF`] bytes; `template` is the role's own. Fails where the
/// template is malformed, uses a name that is not there, or says too much.
pub fn render(template: &str, brief: &BriefContext) -> Result<String, BriefError> {
    render_named(&format!("{}.md.j2", brief.role), template, brief)
}

/// Like [`render`]; errors call the template by `name`.
pub fn render_named(
    name: &str,
    template: &str,
    brief: &BriefContext,
) -> Result<String, BriefError> {
    let failed = |message| BriefError { role: brief.role.clone(), message };
    let (work, text) =
        rendered(name, template, brief).map_err(|error| failed(described(&error)))?;
    if work > MAX_WORK {
        let message = format!("{name} says {work} bytes; at most {MAX_WORK} are passed on");
        return Err(failed(message));
    }
    if text.len() > MAX_BRIEF {
        let length = text.len();
        return Err(failed(format!("the brief has {length} bytes; at most {MAX_BRIEF} are sent")));
    }
    Ok(text)
}

/// The length of the role's own text, and the whole.
fn rendered(name: &str, template: &str, brief: &BriefContext) -> Result<(usize, String), Error> {
    let environment = environment()?;
    let values = view::of(brief);
    let work = environment.template_from_named_str(name, template)?.render(values.clone())?;
    let work = work.trim();
    let frame = environment.get_template("_frame.md.j2")?;
    let text = frame.render(context! { work, ..values })?;
    Ok((work.len(), format!("{}\n", text.trim())))
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    environment.add_function("block", |name: String, text: String| data::block(&name, &text));
    for (name, part) in PARTS {
        environment.add_template(name, part)?;
    }
    Ok(environment)
}

/// The innermost of an error: one of an included part names that part.
fn described(error: &Error) -> String {
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        told = inner.to_string();
        source = inner.source();
    }
    told
}
