//! The `subflow` command: arguments in, tables and pages out. What is measured is decided on the floors below.

mod args;
mod commands;
mod console;
mod exit;
mod failure;
mod interrupt;
mod settings;
mod summary;
mod text;

use clap::Parser;
use exit::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = args::Cli::parse();
    let exit = commands::run(args).unwrap_or_else(|failure| {
        if failure.is_closed_pipe() {
            return Exit::Done;
        }
        console::error(&failure);
        failure.exit()
    });
    exit.into()
}
