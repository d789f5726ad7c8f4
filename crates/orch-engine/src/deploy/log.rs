//! `16-deploy-log.md`: the verdict in its front matter, the evidence beside it, every step in its
//! body.

use std::fmt::Write as _;

use jiff::Timestamp;
use orch_core::artifact::{EvidenceFields, render_with};
use orch_core::deploy::{Action, End, Ran, StepResult};
use orch_core::ids::Revision;
use orch_core::verdict::{Finding, tail};
use orch_store::{Deploy, DeployStep};

use crate::repo_config::RepoConfig;
use crate::run::Owned;

/// Output quoted of one command.
const QUOTED: usize = 2 * 1024;

/// A deploy that ended, with its journal.
#[derive(Debug, Clone)]
pub struct DeployLog {
    /// The deploy.
    pub deploy: Deploy,
    /// How it ended.
    pub end: End,
    /// Its journal.
    pub steps: Vec<DeployStep>,
    /// When it ended.
    pub ended_at: Timestamp,
}

impl DeployLog {
    /// What stands in `deploy_status`.
    fn status(&self) -> &'static str {
        match self.end {
            End::Done { .. } | End::Superseded { .. } => "SUCCESS",
            End::RolledBack { .. } => "ROLLED_BACK",
            End::Failed { .. } | End::Stuck(_) => "FAILED",
        }
    }

    /// The deploy command's own exit code; 124 where it did not come to one.
    pub fn exit_code(&self) -> i32 {
        let last = self.steps.iter().rev().find_map(|step| match &step.entry.result {
            Some(StepResult::Ran { ran, .. }) if step.entry.action == Action::Deploy => Some(ran),
            _ => None,
        });
        match (last, self.status()) {
            (_, "SUCCESS") | (Some(Ran::Well), _) => 0,
            (Some(Ran::Failed { exit_code }), _) => *exit_code,
            _ => 124,
        }
    }

    /// Renders the artifact; `base` is the revision at hand.
    pub fn artifact(&self, owned: &Owned, config: &RepoConfig, base: &Revision) -> String {
        let deploy = &self.deploy;
        let command = config.settings.deploy.command.as_ref();
        let evidence = EvidenceFields {
            task: owned.task.key.clone(),
            run_id: owned.owner.run_id.clone(),
            commit: base.clone(),
            code_tree: None,
            started_at: deploy.began_at,
            duration_s: self.ended_at.duration_since(deploy.began_at).as_secs_f64(),
            command: command.map(ToString::to_string).unwrap_or_default(),
            exit_code: self.exit_code(),
        };
        let mut fields = vec![("deploy_status".to_owned(), self.status().to_owned())];
        fields.extend(evidence.fields());
        let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
        add("target", deploy.target.clone());
        add("revision", deploy.revision.to_string());
        let reason = match &self.end {
            End::Done { evidence } => evidence.clone(),
            End::Superseded { by } => {
                add("superseded_by", by.to_string());
                format!("{} is deployed already and holds this revision", by.short())
            }
            End::Failed { reason, .. } => reason.clone(),
            End::RolledBack { to, evidence, verified } => {
                add("rolled_back_to", to.to_string());
                format!("{evidence}; rolled back to {}: {verified}", to.short())
            }
            End::Stuck(stuck) => stuck.reason.clone(),
        };
        add("evidence", reason.clone());
        let findings = if self.status() == "SUCCESS" {
            Vec::new()
        } else {
            vec![Finding::new(reason.clone())]
        };
        render_with(&fields, &findings, &self.body(&reason))
    }

    fn body(&self, reason: &str) -> String {
        let mut text =
            format!("# Deploy log: {}\n\n{}\n\n## Steps\n\n", self.status(), plain(reason));
        text.push_str("| step | begun | took | result |\n| --- | --- | --- | --- |\n");
        for step in &self.steps {
            let took = step.done_at.map_or_else(
                || "–".to_owned(),
                |done| format!("{:.1} s", done.duration_since(step.intended_at).as_secs_f64()),
            );
            let result = plain(&result(step));
            let (name, begun) = (name(&step.entry.action), step.intended_at);
            let _ = writeln!(text, "| {name} | {begun} | {took} | {result} |");
        }
        for step in &self.steps {
            if let Some(StepResult::Ran { said, .. }) = &step.entry.result
                && !said.trim().is_empty()
            {
                let _ = write!(text, "\n## Output of {}, its end\n\n", name(&step.entry.action));
                text.push_str(&indented(tail(said, QUOTED)));
            }
        }
        text
    }
}

fn name(action: &Action) -> String {
    action.word().replace('_', " ")
}

/// What a step came to, in a line.
pub(super) fn result(step: &DeployStep) -> String {
    match &step.entry.result {
        None => "not confirmed".to_owned(),
        Some(StepResult::Locked { epoch, taken_over, last_good, .. }) => {
            let mut text = format!("lock {epoch}");
            if let Some(good) = last_good {
                let _ = write!(text, "; last good revision {}", good.short());
            }
            if let Some(evidence) = taken_over {
                let _ = write!(text, "; taken over from {evidence}");
            }
            text
        }
        Some(StepResult::Busy { by, .. }) => format!("waits: {by}"),
        Some(StepResult::Ran { ran, .. }) => match &step.entry.action {
            Action::ProveRollback { to } | Action::Rollback { to } => {
                format!("to {}: {ran}", to.short())
            }
            _ => ran.to_string(),
        },
        Some(StepResult::Seen { seen }) => format!("{seen} ({} looks)", seen.looks),
        Some(StepResult::Resumed) => "set going again".to_owned(),
    }
}

/// One line that can't end a table's cell.
fn plain(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.replace('|', "\\|")
}

/// As an indented block: no content can close it, unlike a fence.
fn indented(text: &str) -> String {
    text.lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") })
        .collect()
}
