//! `subflow query`.

use crate::args::QueryArgs;
use crate::exit::Exit;
use crate::failure::Failure;

pub(super) fn run(args: QueryArgs) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::failed("subflow query is being built"))
}
