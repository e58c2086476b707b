//! The whole way: read, rewrite, check, publish.

use crate::{
    Error, Secret,
    frame::{Fate, Rewriting},
    headers::link_after,
    learn::{Learnt, learn},
    output::Output,
    verify::verify,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use subflow_analysis::rows::Issue;
use subflow_capture::Input;

/// How many packets pass between two looks at whoever waits.
const ROUND: u64 = 4096;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Captures, merged in order of time.
    pub inputs: Vec<PathBuf>,
    /// The new capture. Its name says what it will be: pcapng where it ends in `.pcapng`, else pcap; compressed where
    /// `.zst` or `.gz` follows.
    pub output: PathBuf,
    /// What all replacements follow from.
    pub secret: Secret,
    /// Added to every time, in nanoseconds.
    pub shift_ns: i64,
    /// Leave out frames that hold no TCP or cannot be read, instead of leaving an empty one in their place.
    pub drop_others: bool,
    /// Write over a file of the output's name.
    pub force: bool,
    /// Read the output again: its tables must be those of the input, and nothing may be left of what was to go.
    pub verify: bool,
}

/// What part of the work is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The input is read for the first time.
    Learning,
    /// It is read again and rewritten.
    Rewriting,
    /// The output is read.
    Verifying,
}

/// How far the work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Packets in this phase so far.
    pub packets: u64,
    /// Bytes read in this phase so far, and how many there are where that is known.
    pub bytes: (u64, Option<u64>),
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Frames read.
    pub packets: u64,
    /// Frames with TCP, which were rewritten.
    pub rewritten: u64,
    /// Frames that hold something else than TCP.
    pub others: u64,
    /// Frames that could not be read.
    pub unreadable: u64,
    /// Frames written.
    pub written: u64,
    /// Addresses replaced, those that stay themselves included.
    pub addresses: u64,
    /// Keys replaced.
    pub keys: u64,
    /// Connections in the tables.
    pub connections: u64,
    /// Link types whose headers were cut off, so that frames begin with the IP packet.
    pub cut_links: Vec<String>,
    /// Whether frames have other numbers than in the input.
    pub renumbered: bool,
    /// In what the tables of the output differ from those of the input, a line each; `None` when that was not looked at.
    pub differences: Option<Vec<String>>,
    /// What could not be read of the input.
    pub issues: Vec<Issue>,
}

/// Who is told how far the work has come, and may end it.
pub(crate) struct Watch<'a> {
    go_on: &'a mut dyn FnMut(Progress) -> bool,
}

impl Watch<'_> {
    /// Tells, now and then.
    pub(crate) fn look(&mut self, phase: Phase, packets: u64, input: &Input) -> Result<(), Error> {
        let progress = || Progress { phase, packets, bytes: (input.bytes_read(), input.bytes_total()) };
        if packets.is_multiple_of(ROUND) && !(self.go_on)(progress()) {
            return Err(Error::Interrupted);
        }
        Ok(())
    }
}

/// Writes a capture that can be shared. Whatever goes wrong, there is either the whole output or none.
///
/// `go_on` is asked now and then, and ends the work by returning false.
pub fn run(settings: &Settings, go_on: &mut dyn FnMut(Progress) -> bool) -> Result<Report, Error> {
    let mut watch = Watch { go_on };
    if settings.inputs.iter().any(|path| path == Path::new("-")) {
        return Err(Error::OnlyOnce);
    }
    let input = Input::open(&settings.inputs)?;
    refuse_output(settings, &input)?;
    let learnt = learn(input, settings.secret.clone(), &mut watch)?;
    let Learnt { book, tables, interfaces, fine, renumbered, packets } = learnt;

    let fine = fine || settings.shift_ns % 1000 != 0;
    let mut output = Output::create(&settings.output, &interfaces, fine)?;
    let mut input = Input::open(&settings.inputs)?;
    let mut rewriting = Rewriting::new(settings.secret.clone(), book);
    let mut report = Report { packets, renumbered, ..Report::default() };
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    let (mut frame, mut seen) = (Vec::new(), 0);
    // Numbers of the frames written, where the output will have others.
    let mut frames = (renumbered || settings.drop_others).then(Vec::new);
    while let Some(packet) = input.next_packet() {
        seen += 1;
        let (wire_len, fate) = rewriting.rewrite(&packet, &mut frame);
        *fates.entry(fate).or_default() += 1;
        let link = link_after(packet.link);
        if link != packet.link && !report.cut_links.contains(&packet.link.to_string()) {
            report.cut_links.push(packet.link.to_string());
        }
        if fate == Fate::Rewritten || !settings.drop_others {
            report.written += 1;
            if let Some(frames) = &mut frames {
                frames.push(packet.frame);
            }
            let interface = (packet.file, packet.interface, link);
            output.write(interface, packet.time_ns.saturating_add(settings.shift_ns), wire_len, &frame)?;
        }
        watch.look(Phase::Rewriting, seen, &input)?;
    }
    let count = |fate| fates.get(&fate).copied().unwrap_or(0);
    report.rewritten = count(Fate::Rewritten);
    report.others = count(Fate::Other);
    report.unreadable = count(Fate::Unreadable);
    report.renumbered |= report.written != packets;
    report.addresses = rewriting.addresses.len() as u64;
    report.keys = rewriting.book.key_count();
    report.connections = tables.connections.len() as u64;
    report.issues.clone_from(&tables.issues);
    let draft = output.finish()?;
    if settings.verify {
        let shift = settings.shift_ns;
        let found = verify(draft.path(), shift, &tables, &mut rewriting, frames.as_deref(), &mut watch)?;
        report.differences = Some(found);
    }
    draft.publish(&settings.output, settings.force)?;
    Ok(report)
}

/// Says no before any work is done where the output cannot be.
fn refuse_output(settings: &Settings, input: &Input) -> Result<(), Error> {
    let path = &settings.output;
    if let Ok(output) = fs::canonicalize(path) {
        let same = |name: &str| fs::canonicalize(name).is_ok_and(|input| input == output);
        if input.files().iter().any(|file| same(&file.name)) {
            return Err(Error::IsInput { path: path.clone() });
        }
        if !settings.force {
            return Err(Error::Exists { path: path.clone() });
        }
    }
    Ok(())
}
