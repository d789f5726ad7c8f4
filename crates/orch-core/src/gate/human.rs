//! `check_human_approved`: a person said yes.

use super::{GateInput, Judged, pass};

pub(super) fn check(input: &GateInput<'_>) -> Judged {
    match input.approval {
        Some(approval) => Ok(pass([format!("approved by {} at {}", approval.by, approval.at)])),
        None => Err("nobody has approved; `orch task approve KEY` does".to_owned()),
    }
}
