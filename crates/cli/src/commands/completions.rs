//! `subflow completions`: from the same definitions as the parser.

use crate::args::{Cli, CompletionsArgs};
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use clap::CommandFactory;
use std::io::Write;

pub(super) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    // Through memory: the generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "subflow", &mut script);
    let mut out = console::stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Done)
}
