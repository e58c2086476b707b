//! `subflow anonymize`.

use crate::args::AnonymizeArgs;
use crate::exit::Exit;
use crate::failure::Failure;

pub(super) fn run(args: AnonymizeArgs) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::failed("subflow anonymize is being built"))
}
