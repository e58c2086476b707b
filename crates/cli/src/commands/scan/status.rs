//! A line of counts each second, for programs that watch over scans.

use crate::failure::Failure;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use subflow_probe::scan::Progress;

/// The file that the lines go to.
pub(super) struct Status(File);

const HEADER: &str = "seconds,targets,probed,settled,sent,sent_again,sent_plain,sent_resets,answers,repeats,unverified,late,drops,slowed,rate";

impl Status {
    /// Makes the file, with a header.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let create = || {
            let mut file = File::create(path)?;
            writeln!(file, "{HEADER}")?;
            Ok(file)
        };
        create().map(Self).map_err(|error: io::Error| {
            Failure::failed(format!("cannot write {}: {error}", path.display()))
                .hint("name a file that you may write to with --status-updates-file")
        })
    }

    /// Adds a line.
    pub(super) fn write(&mut self, progress: &Progress) -> io::Result<()> {
        let p = progress;
        let counts = [
            p.targets,
            p.probed,
            p.settled,
            p.sent,
            p.sent_again,
            p.sent_plain,
            p.sent_resets,
            p.answers,
            p.repeats,
            p.unverified,
            p.late,
            p.drops,
            p.slowed,
        ];
        let mut line = format!("{:.3}", p.seconds);
        counts.iter().for_each(|count| line.push_str(&format!(",{count}")));
        // Without a limit there is no rate.
        let rate = if p.rate.is_finite() { format!("{:.1}", p.rate) } else { String::new() };
        writeln!(self.0, "{line},{rate}")
    }
}
