//! The `alerts` block of `GET /queue`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who is told of what has to be mended, and how that goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsReport {
    /// The kill-switch.
    pub enabled: bool,
    /// Who is told: `webhook`, `slack`, `ntfy`, `telegram`.
    pub receivers: Vec<String>,
    /// Alerts that are still to be delivered.
    pub pending: u64,
    /// Alerts that were delivered and not yet pruned.
    pub delivered: u64,
    /// When one was delivered last; `None` before the first.
    pub last_delivered_at: Option<Timestamp>,
    /// What the last failed delivery of a pending alert said; `None` where none failed.
    pub last_error: Option<String>,
}
