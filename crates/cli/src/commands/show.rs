//! `subflow show`.

use crate::args::ShowArgs;
use crate::exit::Exit;
use crate::failure::Failure;

pub(super) fn run(args: ShowArgs) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::failed("subflow show is being built"))
}
