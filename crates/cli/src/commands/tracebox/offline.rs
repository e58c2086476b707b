//! `subflow tracebox --read`: captures of probes.

use super::show::Found;
use crate::commands::captures::conclude;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Showing, Talk};
use std::path::PathBuf;
use subflow_capture::Input;
use subflow_probe::trace::offline::Offline;

pub(super) fn run(paths: &[PathBuf], show: &Showing, strict: bool, talk: Talk) -> Result<Exit, Failure> {
    interrupt::watch();
    let mut input = Input::open(paths).map_err(Failure::failed)?;
    let mut offline = Offline::default();
    while let Some(packet) = input.next_packet() {
        offline.packet(&packet);
        if interrupt::is_pressed() {
            break;
        }
    }
    let mut found = Found::open(show)?;
    for trace in offline.traces() {
        // The output says at its end why it takes no more.
        if found.take(&trace, "", |_| {}).is_err() {
            break;
        }
    }
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let none = found.targets() == 0;
    found.finish(&names.join(", "), talk)?;
    if none && !talk.quiet {
        console::warning("no probe was found: captures of probes hold the SYNs and what came back of them");
    }
    conclude(&input, strict, talk)
}
