//! Every operation, one transaction per file. An operation is given the transaction, the time and
//! the ids it needs; it begins and ends nothing itself, and an error undoes all it did.

pub(crate) mod admission;
pub(crate) mod apply;
pub(crate) mod breakers;
pub(crate) mod channels;
pub(crate) mod claim;
pub(crate) mod damage;
pub(crate) mod deploys;
pub(crate) mod events;
pub(crate) mod freeze;
pub(crate) mod gate_results;
pub(crate) mod gate_stages;
pub(crate) mod gate_view;
pub(crate) mod guard;
pub(crate) mod heartbeat;
pub(crate) mod held;
pub(crate) mod jobs;
pub(crate) mod labels;
pub(crate) mod llm_calls;
pub(crate) mod lost_tasks;
pub(crate) mod next_wakeup;
pub(crate) mod outbox;
pub(crate) mod pause;
pub(crate) mod prune_records;
pub(crate) mod prune_tasks;
pub(crate) mod questions;
pub(crate) mod queue_snapshot;
pub(crate) mod readmit;
pub(crate) mod register_repo;
pub(crate) mod repos;
pub(crate) mod resume;
pub(crate) mod run_ends;
pub(crate) mod running;
pub(crate) mod runs;
pub(crate) mod sanitize;
pub(crate) mod shadows;
pub(crate) mod snapshot;
pub(crate) mod stamp;
pub(crate) mod status_counts;
pub(crate) mod submit;
pub(crate) mod tasks;
pub(crate) mod unfreeze;
pub(crate) mod workers;

#[cfg(test)]
mod cost;
