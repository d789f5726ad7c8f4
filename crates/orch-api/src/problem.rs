//! Problem documents (RFC 9457): the form of every error of the API.

use serde::{Deserialize, Serialize};

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Says what was wrong with a request, or why the service could not do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What sort of problem it is; the same for all problems of a sort, for machines.
    #[serde(rename = "type")]
    pub kind: String,
    /// The sort in words; the same for all problems of a sort.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong this time, and the remedy.
    pub detail: String,
    /// The path of the request; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Single faults, where there are several or where a place can be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One fault among several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where it is, such as a field's name; `None` where the detail says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong there.
    pub detail: String,
}

impl Problem {
    /// A problem of the sort `kind`, a short name such as `not-found`.
    pub fn new(kind: &str, title: &str, status: u16, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:orch:problem:{kind}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            instance: None,
            errors: Vec::new(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)?;
        for error in &self.errors {
            match &error.field {
                Some(field) => write!(f, "; {field}: {}", error.detail)?,
                None => write!(f, "; {}", error.detail)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_the_standard_and_leaves_empty_ones_out() {
        let mut problem = Problem::new("not-found", "Not found", 404, "there is no task X-1");
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            r#"{"type":"urn:orch:problem:not-found","title":"Not found","status":404,"detail":"there is no task X-1"}"#
        );
        problem.errors.push(FieldError { field: Some("a".into()), detail: "b".into() });
        assert_eq!(problem.to_string(), "there is no task X-1; a: b");
    }
}
