//! `subflow tracebox`: which box on a path did what.

mod names;
mod offline;
mod show;

use crate::args::TraceboxArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::{Tracebox, TraceboxOf};

pub(super) fn run(args: TraceboxArgs) -> Result<Exit, Failure> {
    let Tracebox { of, show, strict, talk } = Tracebox::new(args)?;
    match of {
        TraceboxOf::Captures(paths) => offline::run(&paths, &show, strict, talk),
    }
}
