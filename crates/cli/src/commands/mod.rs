//! The commands, a module each.

mod analyze;
mod anonymize;
mod bar;
mod captures;
mod check;
mod compare;
mod completions;
mod ends;
mod explain;
mod live;
mod man;
mod palette;
mod query;
mod reading;
mod rows;
mod scan;
mod show;
mod sim;
mod tables;
mod tracebox;
mod verify;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;

/// Does what the command line says.
pub(crate) fn run(args: Cli) -> Result<Exit, Failure> {
    match args.command {
        Command::Analyze(args) => analyze::run(*args),
        Command::Show(args) => show::run(*args),
        Command::Explain(args) => explain::run(*args),
        Command::Query(args) => query::run(*args),
        Command::Compare(args) => compare::run(*args),
        Command::Live(args) => live::run(*args),
        Command::Anonymize(args) => anonymize::run(*args),
        Command::Scan(args) => scan::run(*args),
        Command::Tracebox(args) => tracebox::run(*args),
        Command::Verify(args) => verify::run(&args),
        Command::Check(args) => check::run(&args),
        Command::ServeCheck(args) => check::serve(args),
        Command::Sim(args) => sim::run(args),
        Command::Tables(args) => tables::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
