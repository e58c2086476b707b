//! Takes the rows of a scan and says how far it is.

use super::metadata::Metadata;
use super::status::Status;
use crate::console;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Output, Sending, Stream, Talk};
use crate::text::{counted, grouped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, BufWriter, Stdout};
use std::path::PathBuf;
use subflow_probe::Summary;
use subflow_probe::rows::{Campaign, Probe, Target};
use subflow_probe::scan::{Progress, Sink, Stop};
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
                let sink = GrowingSink::open(dir, *format, selection, go_on)?;
                To::Folder { dir: dir.clone(), sink }
            }
            Output::Stream(stream) => {
                let out = console::stdout();
                To::Stream(Box::new(match stream {
                    Stream::Json(selection) => StreamSink::json(selection, out)?,
                    Stream::Jsonl(selection) => StreamSink::jsonl(selection, out),
                    Stream::Csv(layout) => StreamSink::csv(layout.clone(), out)?,
                }))
            }
        };
        Ok(Self {
            to,
            metadata: sending.metadata.as_deref().map(|path| Metadata::open(path, go_on)).transpose()?,
            status: sending.status.as_deref().map(Status::create).transpose()?,
            bar: bar(talk.progress, sending.plan.len()),
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
                    let tables: Vec<_> = written
                        .iter()
                        .map(|table| format!("{} {}", grouped(table.rows), table.table))
                        .collect();
                    console::note(format!("{} in {}", tables.join(", "), dir.display()));
                }
            }
        }
        match self.failure {
            Some(failure) => Err(failure.into()),
            None => Ok(self.summary),
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
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
            let rate = progress.sent as f64 / progress.seconds.max(0.1);
            self.bar.set_message(format!(
                "{} sent  {}/s  {}  {} with MPTCP{drops}",
                grouped(progress.sent),
                grouped(rate as u64),
                counted(progress.answers, "answer"),
                grouped(supporting)
            ));
            self.bar.set_position(progress.settled);
        }
    }
}

/// A bar of settled targets; hidden where it is not wanted.
fn bar(wanted: bool, targets: u64) -> ProgressBar {
    let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(targets), target);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3}%  {msg}  {eta} left") {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}
