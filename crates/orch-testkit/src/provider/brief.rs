//! What a prompt says of the task it is for, where it is a brief of the service.

/// A prompt, read.
#[derive(Debug, PartialEq)]
pub(super) struct Brief<'a> {
    task: &'a str,
    stage: &'a str,
    artifacts: &'a str,
    /// From 1; a brief names it from the second on.
    pub(super) attempt: u32,
    /// Where directives stand: the task's body, or all of a prompt that is no brief.
    pub(super) script: &'a str,
}

impl<'a> Brief<'a> {
    pub(super) fn read(prompt: &'a str) -> Self {
        let (task, stage) = heading(prompt).unwrap_or_default();
        Self {
            task,
            stage,
            artifacts: between(prompt, "Write your artifacts into `", "`").unwrap_or_default(),
            attempt: between(prompt, "This is attempt ", " ")
                .and_then(|number| number.parse().ok())
                .unwrap_or(1),
            script: body(prompt, task).unwrap_or(prompt),
        }
    }

    /// Whether the brief is for this stage; a prompt that is no brief is for every one.
    pub(super) fn is_at(&self, stage: &str) -> bool {
        self.stage.is_empty() || self.stage == stage
    }

    /// The text with the brief's facts in it.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{task}", self.task)
            .replace("{stage}", self.stage)
            .replace("{attempt}", &self.attempt.to_string())
            .replace("{artifacts}", self.artifacts)
    }
}

/// Task and stage of the heading `# KEY, STAGE: you are the ROLE`.
fn heading(prompt: &str) -> Option<(&str, &str)> {
    let heading = prompt.lines().find(|line| line.starts_with("# "))?;
    let (named, _) = heading.strip_prefix("# ")?.split_once(": you are the ")?;
    named.split_once(", ")
}

/// The data block that holds the task's body.
fn body<'a>(prompt: &'a str, task: &str) -> Option<&'a str> {
    let ending = format!(": body of {task} -----");
    let head = prompt.lines().find(|line| line.ends_with(&ending))?;
    let mark = head.strip_prefix("----- BEGIN DATA ")?.strip_suffix(&ending)?;
    between(prompt, head, &format!("----- END DATA {mark} -----"))
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once(end).map(|(inside, _)| inside)
}
