//! The commands, a file or folder each. A command parses nothing itself and decides nothing that
//! the service decides: it asks, shows the answer and picks the exit code.

pub mod acp_client;
pub mod alerts;
pub mod check_artifact;
pub mod check_gate;
pub mod completions;
pub mod config;
pub mod db;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod gate;
pub mod init;
pub mod launcher;
pub mod llm;
pub mod man;
pub mod pipeline;
pub mod queue;
pub mod remote_runner;
pub mod run_supervisor;
pub mod sandbox_exec;
pub mod scripted_agent;
pub mod self_deploy;
pub mod serve;
pub mod status;
pub mod task;
pub mod why;
pub mod worker;
