//! What gates share in reading a front matter: one field as a verdict word, and findings.

use crate::artifact::{
    ArtifactContent, FrontMatter, ReportedFinding, Value, VerdictWord, markdown,
};
use crate::verdict::Finding;

/// The fields that carry a verdict wherever they stand.
const CARRIERS: [&str; 3] = ["result", "status", "verdict"];
/// More findings than this help nobody in a brief.
const MAX_FINDINGS: usize = 100;

/// Parses an artifact's front matter; a problem names the file.
pub(super) fn parse(name: &str, content: &ArtifactContent) -> Result<FrontMatter, String> {
    FrontMatter::parse(content).map_err(|problem| format!("{name}: {problem}"))
}

/// The verdict word of a required field.
pub(super) fn required(
    name: &str,
    front: &FrontMatter,
    field: &str,
) -> Result<VerdictWord, String> {
    optional(name, front, field)?.ok_or_else(|| {
        format!(
            "{name}: no field `{field}` at the top level of its front matter, the only place where \
             a verdict stands"
        )
    })
}

/// The verdict word of a field; `None` where the field is absent. A field that is there has to
/// hold a known word.
pub(super) fn optional(
    name: &str,
    front: &FrontMatter,
    field: &str,
) -> Result<Option<VerdictWord>, String> {
    let Some(value) = front.get(field) else { return Ok(None) };
    VerdictWord::of(value).map(Some).ok_or_else(|| {
        let shown = value.shown();
        let known = VerdictWord::known();
        format!("{name}: `{field}` is {shown}, which is no verdict ({known})")
    })
}

/// Refuses an artifact whose verdict fields disagree. `strict`: every carrier that is present has
/// to be known and agree. Else only a plain failure beside a passing field contradicts, since
/// `status` may also speak of the report itself.
pub(super) fn agree(
    name: &str,
    front: &FrontMatter,
    field: &str,
    word: VerdictWord,
    strict: bool,
) -> Result<(), String> {
    for other in CARRIERS.into_iter().filter(|other| *other != field) {
        let said = if strict {
            optional(name, front, other)?
        } else {
            let failing = front.get(other).and_then(VerdictWord::of);
            failing.filter(|other| *other == VerdictWord::Fail && word == VerdictWord::Pass)
        };
        if said.is_some_and(|said| said != word) {
            let (one, two) = (said_as(front, field), said_as(front, other));
            return Err(format!(
                "{name}: `{field}: {one}` and `{other}: {two}` contradict each other"
            ));
        }
    }
    Ok(())
}

/// A scalar field as written, in one line; empty where it is absent or no scalar.
pub(super) fn said_as(front: &FrontMatter, field: &str) -> String {
    let text = front.get(field).and_then(Value::text).unwrap_or_default();
    text.trim().lines().next().unwrap_or_default().chars().take(120).collect()
}

/// The open findings of a failed report, or one made of its body where it lists none.
pub(super) fn open_or_body(
    listed: Vec<ReportedFinding>,
    front: &FrontMatter,
    title: String,
) -> Vec<Finding> {
    let open: Vec<Finding> =
        listed.into_iter().filter(|f| f.open).map(|f| f.finding).take(MAX_FINDINGS).collect();
    if !open.is_empty() {
        return open;
    }
    vec![Finding::new(title).with_detail(markdown::head(front.body(), 200, 8 * 1024))]
}
