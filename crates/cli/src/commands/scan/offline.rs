//! `subflow scan --read`: captures of scans.

use crate::commands::captures::conclude;
use crate::commands::rows::Rows;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Output, Talk};
use crate::summary::scan as summary;
use std::path::PathBuf;
use std::slice;
use subflow_capture::Input;
use subflow_probe::Summary;
use subflow_probe::answers::Offline;

pub(super) fn run(paths: &[PathBuf], output: Output, strict: bool, talk: Talk) -> Result<Exit, Failure> {
    interrupt::watch();
    let mut input = Input::open(paths).map_err(Failure::failed)?;
    let mut offline = Offline::default();
    let mut answers = 0;
    // A report comes when everything is known, rows come as they are.
    let mut rows = match output {
        Output::Summary => None,
        output => Some(Rows::open(output, String::new)?),
    };
    while let Some(packet) = input.next_packet() {
        if let Some(row) = offline.packet(&packet) {
            answers += 1;
            rows.iter_mut().for_each(|rows| rows.put(slice::from_ref(&row)));
        }
        if interrupt::is_pressed() {
            break;
        }
    }
    let mut found = Summary::default();
    for row in offline.verdicts() {
        found.add(&row);
        rows.iter_mut().for_each(|rows| rows.put(slice::from_ref(&row)));
    }
    match rows {
        Some(rows) => rows.finish()?,
        None => console::print(&summary::offline(&found, answers))?,
    }
    if found.ports.is_empty() && !talk.quiet {
        console::warning(
            "no SYN was found, so nobody was asked: captures of scans hold the probes and the answers",
        );
    }
    conclude(&input, strict, talk)
}
