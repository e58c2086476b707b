//! Where rows go, and what is told while a scan runs.

use std::io;

use crate::rows;

/// Takes rows as they come. An error ends the scan; what was flushed before is complete.
pub trait Sink {
    /// Whether answers are wanted at all; when not, no rows are made of them.
    fn takes_probes(&self) -> bool {
        true
    }
    /// Takes one answer.
    fn probe(&mut self, row: rows::Probe) -> io::Result<()>;
    /// Takes one verdict.
    fn target(&mut self, row: rows::Target) -> io::Result<()>;
    /// Makes sure that what was taken outlives the machine's power, as far as whoever takes it cares. Called about once a second, always
    /// before the state is written that counts on it.
    fn flush(&mut self) -> io::Result<()>;
    /// Is told what the scan is, before the first packet and again, with its counts, at the end.
    fn campaign(&mut self, _row: &rows::Campaign) {}
    /// Is told about once a second how far the scan is.
    fn progress(&mut self, _progress: &Progress) {}
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Since the beginning of this run, in seconds.
    pub seconds: f64,
    /// Targets of this shard.
    pub targets: u64,
    /// Targets probed at least once, those of earlier runs included.
    pub probed: u64,
    /// Targets that are settled, those of earlier runs included.
    pub settled: u64,
    /// Probes sent in this run, further attempts included.
    pub sent: u64,
    /// Of these, sent again because nothing had come.
    pub sent_again: u64,
    /// Of these, plain SYNs to find out whether the option is to blame.
    pub sent_plain: u64,
    /// Resets sent.
    pub sent_resets: u64,
    /// Verified answers, repeated ones included.
    pub answers: u64,
    /// Repeated answers.
    pub repeats: u64,
    /// Packets to our ports that answered no probe of ours.
    pub unverified: u64,
    /// Answers that came after their target was settled.
    pub late: u64,
    /// Packets that the kernel dropped because we were too slow.
    pub drops: u64,
    /// How often the rate was lowered because answers came faster than they could be taken.
    pub slowed: u64,
    /// Packets a second that are kept to now; infinite without a limit.
    pub rate: f64,
}

/// Keeps everything, for small scans and tests.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Table `probes`.
    pub probes: Vec<rows::Probe>,
    /// Table `targets`.
    pub targets: Vec<rows::Target>,
}

impl Sink for Kept {
    fn probe(&mut self, row: rows::Probe) -> io::Result<()> {
        self.probes.push(row);
        Ok(())
    }

    fn target(&mut self, row: rows::Target) -> io::Result<()> {
        self.targets.push(row);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
