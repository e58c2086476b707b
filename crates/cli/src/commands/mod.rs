//! The commands, a module each.

mod analyze;
mod completions;
mod man;
mod tables;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;

/// Does what the command line says.
pub(crate) fn run(args: Cli) -> Result<Exit, Failure> {
    match args.command {
        Command::Analyze(args) => analyze::run(*args),
        Command::Tables(args) => tables::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
