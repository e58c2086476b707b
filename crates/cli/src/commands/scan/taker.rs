//! Takes the rows of a scan and says how far it is.

use super::metadata::Metadata;
use super::status::Status;
use crate::commands::bar::{OF_THINGS, bar};
use crate::commands::rows::Growing;
use crate::console;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Sending, Talk};
use crate::summary::scan as summary;
use crate::text::{counted, grouped};
use indicatif::ProgressBar;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use subflow_probe::Stop;
use subflow_probe::Summary;
use subflow_probe::rows::{Campaign, Probe, Target};
use subflow_probe::scan::{About, AboutServer, DryRun, Progress, Sink, dry_run};
use subflow_rows::Row;

/// Takes the rows of a scan.
pub(super) struct Taker<'a> {
    rows: Growing,
    metadata: Option<Metadata>,
    status: Option<Status>,
    bar: ProgressBar,
    /// What the scan would do; told when it begins to.
    plan: DryRun,
    cooldown: Duration,
    quiet: bool,
    /// Targets that were settled before this run.
    resumed_at: u64,
    stop: &'a Stop,
    /// The page about the scan, before it is shown, and then.
    page: Option<(About, u16)>,
    shown: Option<AboutServer>,
    /// What the rows say together.
    pub(super) summary: Summary,
}

impl<'a> Taker<'a> {
    /// Opens every output.
    pub(super) fn open(sending: &Sending, talk: Talk, stop: &'a Stop) -> Result<Self, Failure> {
        let go_on = sending.settings.resume;
        let rows = Growing::open(&sending.output, go_on)?;
        Ok(Self {
            rows,
            metadata: sending.metadata.as_deref().map(|path| metadata(path, go_on)).transpose()?,
            status: sending.status.as_deref().map(Status::create).transpose()?,
            bar: bar(talk.progress, Some(sending.plan.len()), OF_THINGS),
            plan: dry_run(&sending.plan, &sending.settings),
            cooldown: sending.settings.cooldown,
            quiet: talk.quiet,
            resumed_at: 0,
            stop,
            page: sending.page.clone(),
            shown: None,
            summary: Summary::default(),
        })
    }

    /// Ends the output. A failure of the output that ended the scan is told here, after all that can be saved is.
    pub(super) fn finish(self, complete: bool, talk: Talk) -> Result<Summary, Failure> {
        self.bar.finish_and_clear();
        self.rows.finish(complete, talk)?;
        Ok(self.summary)
    }

    /// How long it will take at the present speed, the wait for the last answers included.
    fn left(&self, progress: &Progress) -> String {
        let done = progress.probed.saturating_sub(self.resumed_at).max(1) as f64;
        let to_do = progress.targets.saturating_sub(progress.probed) as f64;
        summary::span(self.cooldown + Duration::from_secs_f64(progress.seconds * to_do / done))
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn metadata(path: &Path, go_on: bool) -> Result<Metadata, Failure> {
    Metadata::open(path, go_on).map_err(|error| {
        Failure::failed(error).hint("name a file that you may write to with --metadata-file")
    })
}

impl Sink for Taker<'_> {
    fn takes_probes(&self) -> bool {
        self.rows.takes(Probe::SCHEMA.table)
    }

    fn probe(&mut self, row: Probe) -> io::Result<()> {
        self.rows.put(&row)
    }

    fn target(&mut self, row: Target) -> io::Result<()> {
        self.summary.add(&row);
        self.rows.put(&row)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.rows.flush()
    }

    fn campaign(&mut self, row: &Campaign) {
        if row.ended.is_none() && !self.quiet {
            console::note(summary::beginning(&self.plan, row));
        }
        if let Some((about, port)) = self.page.take() {
            self.shown = show(&about, port, &row.sources);
        }
        self.resumed_at = row.resumed_at;
        // Told with the next flush, or at the end.
        let put = self.rows.put_for_now(row, row.ended.is_some());
        if let (Some(metadata), Ok(())) = (&mut self.metadata, &put) {
            let _ = self.rows.keep(metadata.write(row));
        }
    }

    fn progress(&mut self, progress: &Progress) {
        if interrupt::is_pressed() && self.stop.times() == 0 {
            self.stop.ask();
        }
        if let Some(status) = &mut self.status
            && let Err(error) = status.write(progress)
        {
            console::warning(format!("the status file takes no more lines: {error}"));
            self.status = None;
        }
        if !self.bar.is_hidden() {
            let supporting = self.summary.all().supporting();
            let drops = match progress.drops {
                0 => String::new(),
                drops => format!("  {} dropped", grouped(drops)),
            };
            let left = if self.stop.times() > 0 {
                "stopping".to_owned()
            } else {
                format!("{} left", self.left(progress))
            };
            self.bar.set_position(progress.probed);
            let rate = progress.sent as f64 / progress.seconds.max(0.1);
            self.bar.set_message(format!(
                "{} sent  {}/s  {}  {} with MPTCP{drops}  {left}",
                grouped(progress.sent),
                grouped(rate as u64),
                counted(progress.answers, "answer"),
                grouped(supporting)
            ));
        }
    }
}

/// Shows the page at the addresses that probes come from. A scan does not fail for it.
fn show(about: &About, port: u16, sources: &str) -> Option<AboutServer> {
    let addrs = sources.split_whitespace().filter_map(|text| text.parse::<IpAddr>().ok());
    let places: Vec<SocketAddr> = addrs.map(|addr| SocketAddr::new(addr, port)).collect();
    match AboutServer::start(about, &places) {
        Ok(server) => Some(server),
        Err(error) => {
            console::warning(format!("the page about the scan is not shown at port {port}: {error}"));
            None
        }
    }
}
