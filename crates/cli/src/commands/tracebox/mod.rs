//! `subflow tracebox`: which box on a path did what.

mod board;
mod names;
mod offline;
mod send;
mod show;
mod ui;

use crate::args::TraceboxArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::{Tracebox, TraceboxOf};
use crate::summary::tracebox as summary;

pub(super) fn run(args: TraceboxArgs) -> Result<Exit, Failure> {
    let Tracebox { of, show, strict, talk } = Tracebox::new(args)?;
    match of {
        TraceboxOf::Captures(paths) => offline::run(&paths, &show, strict, talk),
        TraceboxOf::Targets(probing) if probing.dry => {
            console::print(&summary::dry_run(&probing))?;
            Ok(Exit::Done)
        }
        TraceboxOf::Targets(probing) => send::run(&probing, &show, talk),
    }
}
