//! The passing artifacts of a stage, for rehearsals whose script speaks of other stages only.

use orch_core::artifact::render;

use super::script::{Action, Step, Text};

/// What an agent without an entry does. A stage of the user's own is told by its role; nothing is
/// done where neither is known.
pub(super) fn steps(stage: &str, role: &str) -> Vec<Step> {
    let kind = match role {
        _ if of(stage).is_some() => stage,
        "analyst" => "analysis",
        "architect" => "architecture",
        "developer" => "development",
        "reviewer" => "review",
        "tester" => "testing",
        "deployer" => "deploy-staging",
        _ => return Vec::new(),
    };
    let artifacts = of(kind).unwrap_or_default();
    let action = |(path, source): (&str, String)| Action::Artifact {
        path: Text { source: path.to_owned(), raw: true },
        text: Text { source, raw: false },
    };
    artifacts.into_iter().map(|artifact| Step { line: 0, action: action(artifact) }).collect()
}

/// The artifacts of a stage of the standard pipeline.
fn of(stage: &str) -> Option<Vec<(&'static str, String)>> {
    Some(match stage {
        "analysis" => vec![
            ("01-analysis.md", front(&[("status", "ready")], "{{ title }}")),
            ("03-acceptance-criteria.md", "- {{ title }}\n".to_owned()),
        ],
        "architecture" => {
            vec![("06-adr/not-needed.md", front(&[("reason", "the change decides nothing")], ""))]
        }
        "development" => {
            vec![("11-implementation.md", front(&[("status", "ready")], "{{ title }}"))]
        }
        "review" => {
            vec![("12-review.md", front(&[("verdict", "APPROVED")], "Nothing was found."))]
        }
        "testing" => vec![("13-test-report.md", judged("result", "PASS"))],
        "deploy-staging" => vec![("15-staging-log.md", judged("staging_status", "SUCCESS"))],
        "deploy" => vec![("16-deploy-log.md", judged("deploy_status", "SUCCESS"))],
        _ => return None,
    })
}

/// A verdict on the revision that the agent found.
fn judged(field: &str, word: &str) -> String {
    format!("---\n{field}: {word}\ncommit: {{{{ commit }}}}\n---\n\nRehearsed; nothing was run.\n")
}

fn front(fields: &[(&str, &str)], body: &str) -> String {
    let fields: Vec<_> =
        fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    render(&fields, body)
}
