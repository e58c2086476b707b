//! `subflow explain`.

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::failure::Failure;

pub(super) fn run(args: ExplainArgs) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::failed("subflow explain is being built"))
}
