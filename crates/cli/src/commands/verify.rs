//! `subflow verify`: who proves that it supports Multipath TCP.

use crate::args::VerifyArgs;
use crate::commands::bar::{OF_THINGS, bar};
use crate::commands::rows::Growing;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Output, Verify};
use crate::summary::verify::{Proved, dry_run};
use crate::text::{counted, grouped};
use indicatif::ProgressBar;
use std::io;
use std::time::Instant;
use subflow_probe::Stop;
use subflow_probe::network::Driven;
use subflow_probe::rows::Verification;
use subflow_probe::verify::{self, Sink};

/// Looks at the clock once in so many progress calls, which come ten times a second: rows are put on the disk each second.
const FLUSH: u32 = 10;

pub(super) fn run(args: &VerifyArgs) -> Result<Exit, Failure> {
    let wanted = Verify::new(args)?;
    if wanted.dry {
        console::print(&dry_run(&wanted.targets, &wanted.settings))?;
        return Ok(Exit::Done);
    }
    interrupt::watch_saying(
        "\ninterrupted: no server is begun any more, the others are finished (Ctrl-C again stops at once)",
    );
    let stop = Stop::default();
    let mut taker = Taker {
        rows: Growing::open(&wanted.output, false)?,
        proved: Proved::default(),
        bar: bar(wanted.talk.progress, Some(wanted.targets.len() as u64), OF_THINGS),
        stop: &stop,
        ticks: 0,
    };
    let start = Instant::now();
    let outcome = verify::run(&wanted.targets, &wanted.settings, &mut taker, &stop);
    taker.bar.finish_and_clear();
    let Taker { rows, proved, .. } = taker;
    // What was found is kept, whatever ended the work.
    rows.finish(true, wanted.talk)?;
    if wanted.output == Output::Summary && proved.servers() > 0 {
        console::print(&proved.report())?;
    }
    let outcome = outcome?;
    if !wanted.talk.quiet {
        if wanted.output != Output::Summary || wanted.talk.verbose {
            console::note(format!(
                "{}, {} with Multipath TCP; {} sent in {:.1} s",
                counted(proved.servers(), "server"),
                grouped(proved.supporting()),
                counted(outcome.driven.sent, "packet"),
                start.elapsed().as_secs_f64()
            ));
        }
        if outcome.driven.drops > 0 {
            let drops = counted(outcome.driven.drops, "packet");
            console::warning(format!("{drops} came faster than they could be taken: use a lower --rate"));
        }
    }
    Ok(match (stop.times(), wanted.named) {
        (1.., _) => Exit::Interrupted,
        (0, true) if proved.supporting() < proved.servers() => Exit::Failed,
        _ => Exit::Done,
    })
}

/// Takes the rows of a verification.
struct Taker<'a> {
    rows: Growing,
    proved: Proved,
    bar: ProgressBar,
    stop: &'a Stop,
    ticks: u32,
}

impl Sink for Taker<'_> {
    fn verification(&mut self, row: Verification) -> io::Result<()> {
        self.proved.add(&row);
        self.rows.put(&row)
    }

    fn progress(&mut self, so_far: &Driven, _targets: usize) {
        if interrupt::is_pressed() && self.stop.times() == 0 {
            self.stop.ask();
        }
        self.ticks += 1;
        if self.ticks.is_multiple_of(FLUSH) {
            // A failure is told with the next row, or at the end.
            let _ = self.rows.flush();
        }
        self.bar.set_position(so_far.finished);
        self.bar.set_message(format!(
            "{} of {} with MPTCP  {} at work",
            grouped(self.proved.supporting()),
            grouped(self.proved.servers()),
            grouped(so_far.active)
        ));
    }
}
