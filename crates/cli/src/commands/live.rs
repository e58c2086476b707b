//! `subflow live`.

use crate::args::LiveArgs;
use crate::exit::Exit;
use crate::failure::Failure;

pub(super) fn run(args: LiveArgs) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::failed("subflow live is being built"))
}
