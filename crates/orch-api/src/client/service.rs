//! The service itself.

use serde_json::Value;

use super::{Client, Result};
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

    /// What runs, what is next, and what each loop reports of itself.
    pub fn queue(&self) -> Result<QueueReport> {
        self.transport.get_json("/queue")
    }

    /// The description of the API.
    pub fn openapi(&self) -> Result<Value> {
        self.transport.get_json("/openapi.json")
    }
}
