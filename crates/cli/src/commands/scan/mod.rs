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
use crate::settings::{Scan, ScanOf, Talk};
use crate::summary::scan as summary;
use crate::text::counted;
use subflow_probe::scan::dry_run;
use subflow_probe::targets::List;

/// Bad lines of lists that are told word by word unless more is asked for.
const TOLD: usize = 5;

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

fn tell_bad_lines(reading: &List, talk: Talk) {
    if talk.quiet || reading.bad_lines == 0 {
        return;
    }
    let told = if talk.verbose { reading.bad.len() } else { TOLD };
    reading.bad.iter().take(told).for_each(console::warning);
    let lines = counted(reading.bad_lines, "line");
    console::warning(format!(
        "{lines} of the lists cannot be read and are passed over (--strict refuses them)"
    ));
}
