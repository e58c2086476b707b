//! `subflow compare`.

use crate::args::CompareArgs;
use crate::exit::Exit;
use crate::failure::Failure;

pub(super) fn run(args: CompareArgs) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::failed("subflow compare is being built"))
}
