//! Domain values into wire types; nothing is decided here.

pub(crate) mod breakers;
pub(crate) mod deploys;
pub(crate) mod event;
pub(crate) mod llm;
pub(crate) mod queue;
pub(crate) mod repo;
pub(crate) mod run;
pub(crate) mod task;
