//! `subflow live`: packets of interfaces in, what goes on on the screen, a summary or tables at the end.

mod opening;
mod snapshot;
mod ui;
mod worker;

use super::analyze::output::{Finished, Rows};
use crate::args::LiveArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings;
use crate::text::{counted, grouped, seconds};
use snapshot::Shared;
use std::thread;
use subflow_analysis::rows::all_schemas;
use subflow_capture::Live;
use subflow_capture::live::{Interface, Status};
use subflow_store::dictionary;
use worker::{Done, Worker};

pub(super) fn run(args: LiveArgs) -> Result<Exit, Failure> {
    if args.output.list_fields {
        console::print(&dictionary::fields(&all_schemas()))?;
        return Ok(Exit::Done);
    }
    let mut settings = settings::Live::new(args)?;
    let live = Live::open(&settings.capture).map_err(|error| opening::failure(error, &settings.capture))?;
    // Only now, so that a capture that cannot begin leaves an older recording alone.
    let recorder = match &settings.record {
        Some((path, container)) => Some(opening::record(path, *container, live.interfaces())?),
        None => None,
    };
    let rows = Rows::new(std::mem::replace(&mut settings.output, settings::Output::Summary), false)?;
    interrupt::watch();
    if !settings.show && !settings.talk.quiet {
        listening(live.interfaces(), settings.capture.snap_len);
    }
    let interfaces = live.interfaces().to_vec();
    let shared = Shared::default();
    let worker = Worker::new(live, recorder, rows, &settings);
    let ((done, rows), shown) = if settings.show {
        thread::scope(|scope| {
            let screen = scope.spawn(|| {
                let shown = ui::run(&interfaces, &shared);
                shared.ends.ask_to_stop();
                shown
            });
            let done = worker.run(&shared);
            (done, screen.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    } else {
        (worker.run(&shared), Ok(()))
    };
    finish(done, rows, &settings, &interfaces)?;
    shown?;
    Ok(Exit::Done)
}

/// Says what is being captured; scripts may wait for this line.
fn listening(interfaces: &[Interface], snap_len: u32) {
    let names: Vec<_> =
        interfaces.iter().map(|interface| format!("{} ({})", interface.name, interface.link)).collect();
    let bytes = counted(u64::from(snap_len), "byte");
    console::note(format!("listening on {}, up to {bytes} of each packet; Ctrl-C ends", names.join(", ")));
}

/// Prints what came of it, and says what is missing.
fn finish(
    done: Done,
    rows: Rows,
    settings: &settings::Live,
    interfaces: &[Interface],
) -> Result<(), Failure> {
    let (_, finished) = rows.finish()?;
    if !settings.talk.quiet {
        if let Finished::Stored { dir, tables } = &finished {
            let rows: u64 = tables.iter().map(|table| table.rows).sum();
            let tables = u64::try_from(tables.len()).unwrap_or(u64::MAX);
            let (tables, rows) = (counted(tables, "table"), counted(rows, "row"));
            console::note(format!("{tables} with {rows} in {}", dir.display()));
        }
        tell(&done, settings, interfaces);
    }
    match done.failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// Packets seen, recorded, dropped.
fn tell(done: &Done, settings: &settings::Live, interfaces: &[Interface]) {
    let packets = counted(done.packets, "packet");
    let dropped = done.status.dropped();
    console::note(format!(
        "{packets} in {} on {}, {} dropped by the kernel",
        seconds(done.elapsed.as_secs_f64()),
        names(interfaces),
        grouped(dropped)
    ));
    if let (Some(recording), Some((path, _))) = (done.recorded, &settings.record) {
        console::note(format!("{} recorded in {}", counted(recording.packets, "packet"), path.display()));
    }
    if done.left > 0 {
        let left = counted(done.left, "packet");
        console::note(format!("{left} came before the end, but after those asked for: not analysed"));
    }
    lost(&done.status, interfaces);
}

fn lost(status: &Status, interfaces: &[Interface]) {
    for (interface, counted) in interfaces.iter().zip(&status.interfaces) {
        if counted.dropped > 0 {
            let share = counted.dropped as f64 / counted.packets.max(1) as f64 * 100.0;
            console::warning(format!(
                "{}: {} of {} packets ({share:.2} %) were dropped, as they came faster than they were analysed; \
                 a smaller --snap-length or a larger --buffer may help",
                interface.name,
                grouped(counted.dropped),
                grouped(counted.packets)
            ));
        }
    }
}

fn names(interfaces: &[Interface]) -> String {
    interfaces.iter().map(|interface| interface.name.as_str()).collect::<Vec<_>>().join(", ")
}
