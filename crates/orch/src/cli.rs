//! The command line as a whole; each command's own arguments stand in its file.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    acp_client, alerts, check_artifact, check_gate, completions, config, db, demo, doctor, events,
    gate, init, launcher, llm, man, pipeline, queue, remote_runner, run_supervisor, sandbox_exec,
    scripted_agent, self_deploy, serve, status, task, why, worker,
};
use crate::env::Env;

const EXAMPLES: &str = "\
Examples:
  orch init                                fit this repository out and register it
  orch serve                               run the service
  orch task add \"Say hello\" --wait         submit a task and wait for its end
  orch why HELLO-1                         why it stands where it stands

Exit codes: 0 done, 1 the thing asked for failed, 2 usage or configuration, 3 not found,
4 the service can't be reached.";

/// Takes software tasks through a delivery pipeline worked by coding agents and runners.
#[derive(Debug, Parser)]
#[command(name = "orch", version = crate::build_info::VERSION, after_help = EXAMPLES, max_term_width = 100)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Serve(serve::Args),
    Worker(worker::Args),
    #[command(subcommand)]
    Task(task::Command),
    Why(why::Args),
    Queue(queue::Args),
    Status(status::Args),
    Events(events::Args),
    #[command(subcommand)]
    Alerts(alerts::Command),
    #[command(subcommand)]
    Gate(gate::Command),
    CheckArtifact(check_artifact::Args),
    CheckGate(check_gate::Args),
    #[command(subcommand)]
    Pipeline(pipeline::Command),
    #[command(subcommand)]
    Llm(llm::Command),
    #[command(subcommand)]
    Config(config::Command),
    Doctor(doctor::Args),
    #[command(subcommand)]
    Db(db::Command),
    Launcher(launcher::Args),
    #[command(subcommand, name = "self")]
    SelfDeploy(self_deploy::Command),
    Completions(completions::Args),
    Man(man::Args),
    #[command(hide = true)]
    RemoteRunner(remote_runner::Args),
    #[command(hide = true)]
    RunSupervisor(run_supervisor::Args),
    #[command(hide = true)]
    SandboxExec(sandbox_exec::Args),
    #[command(hide = true)]
    ScriptedAgent(scripted_agent::Args),
    #[command(hide = true)]
    AcpClient(acp_client::Args),
}

impl Command {
    /// Runs the command to its end.
    pub fn run(self, env: &Env) -> anyhow::Result<ExitCode> {
        match self {
            Self::Demo(args) => demo::run(&args, env),
            Self::Init(args) => init::run(&args, env),
            Self::Serve(args) => serve::run(&args, env),
            Self::Worker(args) => worker::run(&args, env),
            Self::Task(command) => task::run(command, env),
            Self::Why(args) => why::run(&args, env),
            Self::Queue(args) => queue::run(&args, env),
            Self::Status(args) => status::run(&args, env),
            Self::Events(args) => events::run(&args, env),
            Self::Alerts(command) => alerts::run(&command, env),
            Self::Gate(command) => gate::run(command, env),
            Self::CheckArtifact(args) => check_artifact::run(&args, env),
            Self::CheckGate(args) => check_gate::run(&args, env),
            Self::Pipeline(command) => pipeline::run(command, env),
            Self::Llm(command) => llm::run(&command, env),
            Self::Config(command) => config::run(command, env),
            Self::Doctor(args) => doctor::run(&args, env),
            Self::Db(command) => db::run(command, env),
            Self::Launcher(args) => launcher::run(&args, env),
            Self::SelfDeploy(command) => self_deploy::run(&command, env),
            Self::Completions(args) => completions::run(&args, env),
            Self::Man(args) => man::run(&args, env),
            Self::RemoteRunner(args) => Ok(remote_runner::run(&args)),
            Self::RunSupervisor(args) => Ok(run_supervisor::run(&args)),
            Self::SandboxExec(args) => Ok(sandbox_exec::run(args)),
            Self::ScriptedAgent(args) => scripted_agent::run(&args, env),
            Self::AcpClient(args) => acp_client::run(&args, env),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// A command or argument without a word of help would be a hole in the man page.
    #[test]
    fn every_command_and_argument_says_what_it_is() {
        fn visit(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} has no help");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{path}: {} has no help", arg.get_id());
            }
            for sub in command.get_subcommands() {
                visit(sub, &path);
            }
        }
        visit(&Cli::command(), "");
    }
}
