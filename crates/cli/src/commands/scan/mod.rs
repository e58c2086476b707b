//! `subflow scan`: who supports Multipath TCP.

mod metadata;
mod offline;
mod send;
mod status;
mod taker;

use crate::args::ScanArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::{Scan, ScanOf, tell_bad_lines};
use crate::summary::scan as summary;
use subflow_probe::scan::dry_run;

pub(super) fn run(args: ScanArgs) -> Result<Exit, Failure> {
    let Scan { of, strict, talk } = Scan::new(args)?;
    match of {
        ScanOf::Captures { paths, output } => offline::run(&paths, output, strict, talk),
        ScanOf::Targets(sending) => {
            tell_bad_lines(sending.plan.reading(), talk);
            if sending.dry {
                let dry = dry_run(&sending.plan, &sending.settings);
                console::print(&summary::dry_run(&dry, &sending.plan, &sending.settings))?;
                return Ok(Exit::Done);
            }
            send::run(&sending, talk)
        }
    }
}
