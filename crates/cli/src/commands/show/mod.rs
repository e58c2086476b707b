//! `subflow show`: one connection of captures, as text or as files.

mod files;
mod width;

use super::reading;
use crate::args::ShowArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::Reading;
use crate::text::counted;
use files::Files;
use std::path::{Path, PathBuf};
use subflow_analysis::rows::Tables;
use subflow_report::connection::{One, Terminal, list, render};

/// Connections that are listed before the list is cut.
const MOST_LISTED: usize = 100;

pub(super) fn run(args: ShowArgs) -> Result<Exit, Failure> {
    let captures = args.captures;
    let mut reading = Reading::new(&captures, args.filter, &args.read, &args.talk, "show")?;
    reading.options.detail = true;
    let wanted = match reading.options.filter.connections.as_slice() {
        [] => None,
        [id] => Some(*id),
        several => {
            return Err(Failure::usage(format!("one connection is shown at a time, not {}", several.len()))
                .hint("give -c once, with one number"));
        }
    };
    let files = Files::new(&args.output);
    interrupt::watch();
    let (outcome, tables) = reading::tables(&captures, &reading)?;
    let interrupted = outcome.interrupted;
    let chosen = match (wanted, tables.connections.as_slice()) {
        (Some(id), _) => id,
        (None, [only]) => only.connection_id,
        (None, []) => {
            return Err(Failure::failed("there is no MPTCP connection in the input")
                .hint("subflow analyze tells what the input holds"));
        }
        (None, several) if files.is_empty() => {
            console::print(&list(several, MOST_LISTED, width::style()))?;
            if !reading.talk.quiet {
                console::note(format!(
                    "{}: choose one with -c ID, as in -c {}",
                    counted(several.len() as u64, "connection"),
                    most_interesting(&tables)
                ));
            }
            return Ok(exit(interrupted));
        }
        (None, several) => {
            return Err(Failure::usage(format!(
                "the input holds {} connections, and files show one",
                several.len()
            ))
            .hint("choose one with -c ID; without options subflow show lists them"));
        }
    };
    let Some(one) = One::of(&tables, chosen) else {
        return Err(missing(chosen, &captures, &reading));
    };
    if interrupted && !reading.talk.quiet {
        console::warning("incomplete: reading was interrupted");
    }
    if files.is_empty() {
        let terminal = Terminal { width: width::columns(), all: args.output.all, style: width::style() };
        console::print(&render(&one, terminal))?;
    } else {
        let name = captures.first().map_or_else(String::new, |path| path.display().to_string());
        for written in files.write(&one, &name)? {
            if !reading.talk.quiet {
                console::note(written);
            }
        }
    }
    Ok(exit(interrupted))
}

const fn exit(interrupted: bool) -> Exit {
    if interrupted { Exit::Interrupted } else { Exit::Done }
}

/// The connection with most to tell: an example for whoever has to choose.
fn most_interesting(tables: &Tables) -> u64 {
    let told = |id: u64| {
        let events = tables.events.iter().filter(|row| row.connection_id == id).count();
        events + tables.reinjections.iter().filter(|row| row.connection_id == id).count()
    };
    let ids = tables.connections.iter().take(MOST_LISTED).map(|row| row.connection_id);
    ids.max_by_key(|&id| (told(id), std::cmp::Reverse(id))).unwrap_or(0)
}

/// The connection that was asked for is not there; says which ones are, if the input can be read again.
fn missing(id: u64, captures: &[PathBuf], reading: &Reading) -> Failure {
    let failure = Failure::failed(format!("there is no connection {id} in the input"));
    if captures.iter().any(|path| path == Path::new("-")) {
        return failure.hint("subflow show - without -c lists the connections");
    }
    let mut quiet = reading.clone();
    quiet.options.detail = false;
    quiet.options.filter.connections.clear();
    quiet.talk.quiet = true;
    let Ok((_, tables)) = reading::tables(captures, &quiet) else { return failure };
    match (tables.connections.first(), tables.connections.last()) {
        (Some(first), Some(last)) if first.connection_id != last.connection_id => failure.hint(format!(
            "there are {}, numbered {} to {}; without -c they are listed",
            tables.connections.len(),
            first.connection_id,
            last.connection_id
        )),
        (Some(only), _) => failure.hint(format!("the only one is {}: leave out -c", only.connection_id)),
        (None, _) => failure.hint("there is none at all; subflow analyze tells what the input holds"),
    }
}
