//! What templates see of a context: bounded and plain.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::bounds::{cut_end, cut_middle, line, plain, share};
use super::context::{BriefContext, EarlierArtifact};
use super::data::OVERHEAD;

/// The most of all data blocks together, in bytes; the rest of a brief is the frame and the role's
/// own text.
const MAX_DATA: usize = 48 * 1024;
/// The most of a title.
const MAX_TITLE: usize = 600;
/// The most of a body.
const MAX_BODY: usize = 16 * 1024;
/// The most of one earlier artifact, and how many are quoted.
const MAX_EARLIER: usize = 8 * 1024;
const MAX_EARLIER_COUNT: usize = 24;
/// The most of one finding's detail and of all of them, and how many findings are quoted.
const MAX_DETAIL: usize = 6 * 1024;
const MAX_DETAILS: usize = 10 * 1024;
const MAX_FINDINGS: usize = 20;
/// The most of a finding's title.
const MAX_FINDING_TITLE: usize = 300;
/// What a note about a cut adds.
const NOTE: usize = 40;
/// The most of one line of the gate's and of their list.
const MAX_ASK: usize = 300;
const MAX_ASKS: usize = 12;

#[derive(Serialize)]
struct Finding {
    severity: String,
    title: String,
    detail: String,
}

#[derive(Serialize)]
struct Earlier {
    name: String,
    text: String,
}

/// The values of a context, each within its bound.
pub(super) fn of(brief: &BriefContext) -> Value {
    let title = line(&brief.title, MAX_TITLE);
    let body = cut_end(plain(&brief.body).trim(), MAX_BODY);
    let feedback = feedback(brief);
    let details = |finding: &Finding| OVERHEAD + finding.title.len() + finding.detail.len();
    let used = title.len() + body.len() + feedback.iter().map(details).sum::<usize>();
    let earlier = earlier(&brief.earlier, MAX_DATA.saturating_sub(used + 2 * OVERHEAD));
    let asks: Vec<String> =
        brief.gate_asks.iter().take(MAX_ASKS).map(|ask| line(ask, MAX_ASK)).collect();
    let expected: Vec<String> =
        brief.artifacts_expected.iter().take(MAX_ASKS).map(|name| line(name, MAX_ASK)).collect();
    context! {
        task => brief.task.to_string(),
        title,
        body,
        stage => brief.stage.to_string(),
        role => brief.role.to_string(),
        attempt => brief.attempt,
        repo => brief.repo.to_string(),
        branch => line(&brief.branch, MAX_ASK),
        artifact_dir => line(&brief.artifact_dir, MAX_ASK),
        artifacts_expected => expected,
        gate_name => line(&brief.gate_name, MAX_ASK),
        gate_asks => asks,
        base_commit => brief.base_commit.as_ref().map(ToString::to_string).unwrap_or_default(),
        resumed => brief.resumed,
        findings_left_out => brief.feedback.len() - feedback.len(),
        feedback => Value::from(Serde(feedback)),
        earlier_left_out => brief.earlier.len() - earlier.len(),
        earlier => Value::from(Serde(earlier)),
    }
}

fn feedback(brief: &BriefContext) -> Vec<Finding> {
    let first = &brief.feedback[..brief.feedback.len().min(MAX_FINDINGS)];
    let details: Vec<String> = first.iter().map(|finding| plain(&finding.detail)).collect();
    let lengths: Vec<usize> = details.iter().map(String::len).collect();
    let each = share(&lengths, MAX_DETAIL, MAX_DETAILS);
    let quoted = first.iter().zip(&details).map(|(finding, detail)| Finding {
        severity: line(finding.severity.as_deref().unwrap_or_default(), 20),
        title: line(&finding.title, MAX_FINDING_TITLE),
        detail: cut_middle(detail, each),
    });
    quoted.collect()
}

/// The artifacts within `total` bytes. The last ones are those of the stages just before.
fn earlier(artifacts: &[EarlierArtifact], total: usize) -> Vec<Earlier> {
    let last = &artifacts[artifacts.len().saturating_sub(MAX_EARLIER_COUNT)..];
    let texts: Vec<String> = last.iter().map(|artifact| plain(&artifact.text)).collect();
    let lengths: Vec<usize> = texts.iter().map(String::len).collect();
    let total = total.saturating_sub(last.len() * (OVERHEAD + NOTE));
    let each = share(&lengths, MAX_EARLIER, total);
    let quoted = last
        .iter()
        .zip(&texts)
        .map(|(artifact, text)| Earlier { name: artifact.name.clone(), text: cut_end(text, each) });
    quoted.collect()
}
