//! What requests carry. A field that is not known is refused: a mistyped name must not be
//! mistaken for a wish that was heard.

use serde::{Deserialize, Serialize};

/// `POST /tasks`: work is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// One line, at most 300 characters.
    pub title: String,
    /// The request in full; may be empty, at most 256 KiB.
    #[serde(default)]
    pub body: String,
    /// The repository; `None` is the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// Higher goes first.
    #[serde(default)]
    pub priority: i32,
}

/// `POST /tasks/{key}/cancel`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// Why; kept with the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /tasks/{key}/retry`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryRequest {
    /// What the task may cost above its budget, in millionths of a US dollar; at most a million
    /// dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raise_cost_micros: Option<u64>,
    /// Tokens that it may read and write above its budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raise_tokens: Option<u64>,
}

/// `POST /tasks/{key}/approve`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    /// Who approves; kept in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// `POST /tasks/{key}/answer`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// The answer; it goes into the next brief. At most 16 KiB.
    pub text: String,
}

/// `POST /serial-gate/pause`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// The task that steps aside.
    pub task: String,
    /// Why; kept with the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /serial-gate/resume`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeRequest {
    /// The task that takes its place again.
    pub task: String,
    /// Accepted beside the other gate requests; not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /serial-gate/freeze`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreezeRequest {
    /// The repository of which no task enters any more.
    pub repo: String,
    /// Why; kept with the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /serial-gate/unfreeze`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnfreezeRequest {
    /// The repository whose tasks enter again.
    pub repo: String,
    /// Accepted beside the other gate requests; not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /repos`: a checkout on the service's machine becomes a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterRepo {
    /// The checkout, or a folder in it; an absolute path.
    pub checkout: String,
    /// Where work is pushed; `None` is what its `orch.toml` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_refused_and_absent_ones_have_defaults() {
        let task: NewTask = serde_json::from_str(r#"{"title":"x"}"#).unwrap();
        assert_eq!(task, NewTask { title: "x".into(), ..NewTask::default() });
        for bad in [r#"{"title":"x","prio":1}"#, r#"{"title":"x","priority":3000000000}"#, "{}"] {
            assert!(serde_json::from_str::<NewTask>(bad).is_err(), "{bad} passed");
        }
        assert!(serde_json::from_str::<RetryRequest>(r#"{"force":true}"#).is_err());
    }
}
