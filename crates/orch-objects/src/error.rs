//! Why the object store could not be used, in words that hold no secret.

use std::error::Error as _;

use orch_core::settings::Secret;

/// Why the object store could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectsError {
    /// It knows the caller and refuses, or does not know the caller: somebody has to mend the
    /// credentials or the rights.
    #[error("the object store refuses: {reason}")]
    Denied {
        /// What it said.
        reason: String,
    },
    /// The bucket or the directory is not there: somebody has to make it or mend the settings.
    #[error("the object store is not there: {reason}")]
    Missing {
        /// What was looked for.
        reason: String,
    },
    /// It does not answer, answers with a fault of its own, or takes too long: it may later.
    #[error("the object store can't be reached: {reason}")]
    Unavailable {
        /// What failed.
        reason: String,
    },
}

/// What stands in place of a secret.
const MASK: &str = "********";
/// Enough for a server's message, and no page of XML.
const MAX_REASON: usize = 300;

/// Sorts an error of the library; `secrets` are masked in its words.
pub(crate) fn sorted(error: &object_store::Error, secrets: &[Secret]) -> ObjectsError {
    use object_store::Error;
    let reason = words(error, secrets);
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            ObjectsError::Denied { reason }
        }
        Error::NotFound { .. } => ObjectsError::Missing { reason },
        _ if REFUSED.iter().any(|sign| reason.contains(sign)) => ObjectsError::Denied { reason },
        _ => ObjectsError::Unavailable { reason },
    }
}

/// How a server says that it refuses where the library has no error of its own for it.
const REFUSED: [&str; 5] = [
    "403 Forbidden",
    "401 Unauthorized",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
];

/// Where a machine in Amazon's cloud is asked for its role.
const ROLE_SERVICE: &str = "//169.254.169.254/";

/// What a server says of its refusal, else the words of the error and of what caused it; on one
/// line, without secrets and cut.
fn words(error: &object_store::Error, secrets: &[Secret]) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    if text.contains(ROLE_SERVICE) {
        let none = "no credentials are set, and this machine has no role that gives them";
        return format!("{none} ({})", tidy(&text, secrets));
    }
    match (element(&text, "Code"), element(&text, "Message")) {
        (Some(code), Some(message)) => tidy(&format!("{code}: {message}"), secrets),
        (Some(code), None) => tidy(code, secrets),
        _ => tidy(&text, secrets),
    }
}

/// The text of an element in the XML that an S3 server explains itself with.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    (!inner.is_empty()).then_some(inner)
}

/// One line, without secrets, cut.
fn tidy(text: &str, secrets: &[Secret]) -> String {
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(|c| !c.is_control());
    for secret in secrets {
        line = line.replace(secret.expose(), MASK);
    }
    match line.char_indices().nth(MAX_REASON) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_without_secrets() {
        let secrets = [Secret::new("AKIA-1"), Secret::new("hush")];
        let told = tidy("a\n  <Key>AKIA-1</Key> \u{7}hush\t b", &secrets);
        assert_eq!(told, "a <Key>********</Key> ******** b");
        assert_eq!(tidy(&"é".repeat(400), &[]).chars().count(), MAX_REASON + 1);
    }
}
