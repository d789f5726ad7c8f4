//! `orch man`: the manual page, one page for all commands.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::env::Env;
use crate::exit::Exit;
use crate::output::Out;

/// Print the manual page (roff), or that of one command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch man > ~/.local/share/man/man1/orch.1")]
pub struct Args {
    /// The command, such as `task add`; without it the page of orch itself.
    command: Vec<String>,
}

/// Prints the page.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let mut command = Cli::command();
    command.build();
    let mut at = &command;
    for name in &args.command {
        at = at.find_subcommand(name).ok_or_else(|| {
            crate::exit::Stop::not_found(format!("no command {:?}", args.command.join(" ")))
                .hint("see `orch --help`")
        })?;
    }
    let name = at.get_display_name().unwrap_or("orch").to_owned();
    let mut page = Vec::new();
    let source = concat!("orch ", env!("CARGO_PKG_VERSION"));
    Man::new(at.clone().display_name(name)).source(source).render(&mut page)?;
    Out::new(env).raw(&page)?;
    Ok(Exit::Done.into())
}
