//! Why a call of the client did not come to its answer.

use crate::problem::Problem;

/// Why a call did not come to its answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers at the address, or not in time.
    #[error("the service at {url} can't be reached ({reason}); start it with `orch serve`")]
    Unreachable {
        /// The address.
        url: String,
        /// The system's words.
        reason: String,
    },
    /// The service answered with a problem document.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// Whatever answered is not this API, or not one that this client understands.
    #[error("{url} answered {status}, and not as this API does: {detail}")]
    Unexpected {
        /// The address that was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What was wrong with the answer.
        detail: String,
    },
    /// The address or the token can't be sent.
    #[error("no request can be made to {url}: {reason}")]
    Unsendable {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection broke while the answer was read.
    #[error("the answer of {url} broke off")]
    Broken {
        /// The address that was asked.
        url: String,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
}

impl ClientError {
    /// The status of a problem document; `None` where there was none.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Unexpected { status, .. } => Some(*status),
            Self::Unreachable { .. } | Self::Unsendable { .. } | Self::Broken { .. } => None,
        }
    }

    /// True where the service does not know the thing that was named.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// True where the same call may work in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Broken { .. }) || self.status() == Some(503)
    }

    pub(super) fn of(url: &str, error: ureq::Error) -> Self {
        use ureq::Error;
        match error {
            Error::Io(_) | Error::Timeout(_) | Error::HostNotFound | Error::ConnectionFailed => {
                Self::Unreachable { url: url.to_owned(), reason: words(&error) }
            }
            other => Self::Unsendable { url: url.to_owned(), reason: other.to_string() },
        }
    }
}

/// The system's own words, without the library's "io:" before them.
fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}
