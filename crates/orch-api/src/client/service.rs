//! The service itself.

use serde_json::Value;

use super::transport::with_query;
use super::{Client, Result};
use crate::llm::LlmReport;
use crate::queue::QueueReport;
use crate::status::{Health, StatusReport};

impl Client {
    /// Whether the process serves.
    pub fn health(&self) -> Result<Health> {
        self.transport.get_json("/health")
    }

    /// Whether the database answers; a problem with status 503 where it does not.
    pub fn ready(&self) -> Result<Health> {
        self.transport.get_json("/ready")
    }

    /// Which service this is and what it has to do.
    pub fn status(&self) -> Result<StatusReport> {
        self.transport.get_json("/status")
    }

    /// The revision that the service was built from; `None` where its build did not know it. Nothing
    /// else of the answer is read, so that a service of another version can be asked too.
    pub fn revision(&self) -> Result<Option<String>> {
        #[derive(serde::Deserialize)]
        struct OfStatus {
            revision: Option<String>,
        }
        self.transport.get_json("/status").map(|status: OfStatus| status.revision)
    }

    /// What runs, what is next, and what each loop reports of itself.
    pub fn queue(&self) -> Result<QueueReport> {
        self.transport.get_json("/queue")
    }

    /// What starts of language models came to, since a moment and of one repository where asked.
    pub fn llm_report(&self, since: Option<&str>, repo: Option<&str>) -> Result<LlmReport> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let query = [("since", owned(since)), ("repo", owned(repo))];
        self.transport.get_json(&with_query("/llm/report", &query))
    }

    /// The description of the API.
    pub fn openapi(&self) -> Result<Value> {
        self.transport.get_json("/openapi.json")
    }
}
