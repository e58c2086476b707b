//! Takes the rows of a scan and says how far it is.

use super::metadata::Metadata;
use super::status::Status;
use crate::commands::rows::open_stream;
use crate::console;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Output, Sending, Talk};
use crate::summary::scan as summary;
use crate::text::{counted, grouped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, BufWriter, Stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;
use subflow_probe::Summary;
use subflow_probe::rows::{Campaign, Probe, Target};
use subflow_probe::scan::{DryRun, Progress, Sink, Stop, dry_run};
use subflow_rows::Row;
use subflow_store::{Error, GrowingSink, StreamSink};

/// Where the rows go.
enum To {
    Nowhere,
    Stream(Box<StreamSink<BufWriter<Stdout>>>),
    Folder { dir: PathBuf, sink: GrowingSink },
}

/// Takes the rows of a scan.
pub(super) struct Taker<'a> {
    to: To,
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
    /// What the rows say together.
    pub(super) summary: Summary,
    /// Why the output took no more.
    failure: Option<Error>,
}

impl<'a> Taker<'a> {
    /// Opens every output.
    pub(super) fn open(sending: &Sending, talk: Talk, stop: &'a Stop) -> Result<Self, Failure> {
        let go_on = sending.settings.resume;
        let to = match &sending.output {
            Output::Summary => To::Nowhere,
            Output::Directory { dir, format, selection } => {
                let sink =
                    GrowingSink::open(dir, *format, selection, go_on).map_err(|error| match &error {
                        Error::File { source, .. } if go_on && source.kind() == io::ErrorKind::NotFound => {
                            Failure::usage(format!(
                                "{error}: the scan so far has other tables or another format"
                            ))
                            .hint("give the same --format and --table as before")
                        }
                        _ => error.into(),
                    })?;
                To::Folder { dir: dir.clone(), sink }
            }
            Output::Stream(stream) => To::Stream(Box::new(open_stream(stream)?)),
        };
        Ok(Self {
            to,
            metadata: sending.metadata.as_deref().map(|path| metadata(path, go_on)).transpose()?,
            status: sending.status.as_deref().map(Status::create).transpose()?,
            bar: bar(talk.progress, sending.plan.len()),
            plan: dry_run(&sending.plan, &sending.settings),
            cooldown: sending.settings.cooldown,
            quiet: talk.quiet,
            resumed_at: 0,
            stop,
            summary: Summary::default(),
            failure: None,
        })
    }

    fn put<R: Row>(&mut self, row: &R) -> io::Result<()> {
        let result = match &mut self.to {
            To::Nowhere => Ok(()),
            To::Stream(sink) => {
                sink.put(row);
                return if sink.failure().is_some() { Err(refused()) } else { Ok(()) };
            }
            To::Folder { sink, .. } => sink.put(row),
        };
        self.keep(result)
    }

    /// Keeps the first failure, whose words are better than those of an I/O error.
    fn keep(&mut self, result: Result<(), Error>) -> io::Result<()> {
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
        if self.failure.is_some() { Err(refused()) } else { Ok(()) }
    }

    /// Ends the output. A failure of the output that ended the scan is told here, after all that can be saved is.
    pub(super) fn finish(mut self, complete: bool, talk: Talk) -> Result<Summary, Failure> {
        self.bar.finish_and_clear();
        match self.to {
            To::Nowhere => {}
            To::Stream(mut sink) => {
                if self.failure.is_none() {
                    sink.flush().err();
                    sink.finish()?;
                }
            }
            To::Folder { dir, sink } => {
                let written = sink.finish(complete);
                if let Some(failure) = self.failure.take() {
                    return Err(failure.into());
                }
                let written = written?;
                if !talk.quiet {
                    let rows = written.iter().map(|table| table.rows).sum();
                    let tables = counted(written.len() as u64, "table");
                    console::note(format!("{tables} with {} in {}", counted(rows, "row"), dir.display()));
                }
            }
        }
        match self.failure {
            Some(failure) => Err(failure.into()),
            None => Ok(self.summary),
        }
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

fn refused() -> io::Error {
    io::Error::other("the output takes no more rows")
}

impl Sink for Taker<'_> {
    fn probe(&mut self, row: Probe) -> io::Result<()> {
        self.put(&row)
    }

    fn target(&mut self, row: Target) -> io::Result<()> {
        self.summary.add(&row);
        self.put(&row)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = match &mut self.to {
            To::Nowhere => Ok(()),
            To::Stream(sink) => return sink.flush().map_err(|_| refused()),
            To::Folder { sink, .. } => sink.flush(),
        };
        self.keep(result)
    }

    fn campaign(&mut self, row: &Campaign) {
        if row.ended.is_none() && !self.quiet {
            console::note(summary::beginning(&self.plan, row));
        }
        self.resumed_at = row.resumed_at;
        let mut result = match &mut self.to {
            To::Folder { sink, .. } => sink.put_for_now(row),
            To::Stream(sink) => {
                // A stream cannot take back what it was told at the beginning.
                if row.ended.is_some() {
                    sink.put(row);
                }
                Ok(())
            }
            To::Nowhere => Ok(()),
        };
        if let (Some(metadata), Ok(())) = (&mut self.metadata, &result) {
            result = metadata.write(row);
        }
        // Told with the next flush, or at the end.
        let _ = self.keep(result);
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

/// A bar of probed targets; hidden where it is not wanted.
fn bar(wanted: bool, targets: u64) -> ProgressBar {
    let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(targets), target);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3}%  {msg}") {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}
