//! A scan on the wire.

use super::taker::Taker;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Output, Sending, Talk};
use crate::summary::scan as summary;
use crate::text::counted;
use subflow_probe::Stop;
use subflow_probe::rows::End;
use subflow_probe::scan::{self, Outcome, State};
use subflow_store::GrowingSink;

pub(super) fn run(sending: &Sending, talk: Talk) -> Result<Exit, Failure> {
    let Sending { plan, settings, output, .. } = sending;
    if settings.resume && is_complete(sending)? {
        console::note("the scan is complete: nothing is left to probe");
        return Ok(Exit::Done);
    }
    interrupt::watch_saying(
        "\ninterrupted: no target is begun any more, answers to the others are waited for (Ctrl-C again stops at once)",
    );
    let stop = Stop::default();
    let mut taker = Taker::open(sending, talk, &stop)?;
    let outcome = scan::run(plan, settings, &mut taker, &stop);
    taker.clear();
    let outcome = outcome?;
    let complete = outcome.campaign.ended == Some(End::Complete);
    let found = taker.finish(complete, talk)?;
    if *output == Output::Summary {
        console::print(&summary::results(&found, &outcome))?;
    } else if !talk.quiet {
        console::note(summary::in_a_line(&found, &outcome));
    }
    if !talk.quiet {
        doubts(&outcome);
    }
    end(&outcome, settings.state.is_some(), talk)
}

/// Whether everything was probed in earlier runs; what they could not finish of their files is finished.
fn is_complete(sending: &Sending) -> Result<bool, Failure> {
    let Sending { plan, settings, output, .. } = sending;
    let (Some(path), Output::Directory { dir, format, selection }) = (&settings.state, output) else {
        return Ok(false);
    };
    let complete = State::read(path, plan, settings)?.settled >= plan.len();
    if complete {
        GrowingSink::complete(dir, *format, selection)?;
    }
    Ok(complete)
}

/// What a careful reader of the results should know.
fn doubts(outcome: &Outcome) {
    let progress = &outcome.progress;
    if progress.drops > 0 {
        let drops = counted(progress.drops, "packet");
        console::warning(format!(
            "{drops} came faster than they could be taken and were dropped by the kernel: some of them may have been answers; \
             use a lower --rate"
        ));
    }
    if progress.late > 0 {
        let late = counted(progress.late, "answer");
        console::warning(format!(
            "{late} came after their targets were settled: a longer --cooldown-time waits for such"
        ));
    }
}

fn end(outcome: &Outcome, state: bool, talk: Talk) -> Result<Exit, Failure> {
    let again = if state {
        "the same command with --resume goes on from here"
    } else {
        "with -o DIR it could go on from here"
    };
    let left = counted(outcome.progress.targets.saturating_sub(outcome.progress.settled), "target");
    if let Some(trouble) = &outcome.trouble {
        return Err(Failure::failed(format!("{trouble}: {left} left"))
            .hint(format!("what was found until then is kept; {again}")));
    }
    match outcome.campaign.ended {
        Some(End::Stopped) => {
            if !talk.quiet {
                console::note(format!("stopped: {left} left; {again}"));
            }
            Ok(Exit::Interrupted)
        }
        Some(End::OutOfTime) => {
            if !talk.quiet {
                console::note(format!("--max-runtime is over: {left} left; {again}"));
            }
            Ok(Exit::Done)
        }
        _ => Ok(Exit::Done),
    }
}
