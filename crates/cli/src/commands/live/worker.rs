//! The one loop: packets to the recording and to the analysis.

use super::super::analyze::output::Rows;
use super::opening;
use super::snapshot::{Shared, Snapshot};
use crate::console;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use subflow_analysis::Analyzer;
use subflow_analysis::rows::{AnyRow, Connection, Sink};
use subflow_capture::Live;
use subflow_capture::live::{Next, Notice, Recorder, Recording, State, Status};
use subflow_rows::Time;

/// How long a packet is waited for before the rest is looked after.
const PATIENCE: Duration = Duration::from_millis(50);
/// How many packets pass between two looks at the clock.
const ROUND: u64 = 8;
/// How often the keyboard, the screen and the limits are looked after.
const LOOK: Duration = Duration::from_millis(50);
/// How often rows and packets are brought to those who read them.
const FLUSH: Duration = Duration::from_secs(1);
/// Open connections that are shown.
const MOST_SHOWN: usize = 1000;
/// How far back events are shown, in nanoseconds.
const EVENTS_NS: i64 = 30_000_000_000;
/// Ended connections that wait to be shown.
const MOST_ENDED: usize = 1000;

/// What came of the capture.
pub(super) struct Done {
    pub(super) packets: u64,
    /// Packets that came in time, but not among the first so many that were asked for.
    pub(super) left: u64,
    pub(super) elapsed: Duration,
    pub(super) status: Status,
    pub(super) recorded: Option<Recording>,
    pub(super) failure: Option<Failure>,
}

/// The capture at work.
pub(super) struct Worker {
    live: Live,
    recorder: Option<(Recorder, PathBuf)>,
    analyzer: Analyzer<Watched>,
    output_failed: Arc<AtomicBool>,
    limit: Option<u64>,
    duration: Option<Duration>,
    show: bool,
    quiet: bool,
    begin: Instant,
    packets: u64,
    bytes: u64,
    last_ns: i64,
    looked: Instant,
    flushed: Instant,
    notices: Vec<String>,
    failure: Option<Failure>,
}

impl Worker {
    /// Sets everything up.
    pub(super) fn new(live: Live, recorder: Option<Recorder>, rows: Rows, settings: &settings::Live) -> Self {
        let output_failed = rows.failed();
        let mut analyzer =
            Analyzer::new(settings.options.clone(), Watched { rows, ended: Vec::new(), keep: settings.show });
        let path = settings.record.as_ref().map(|(path, _)| path.clone());
        // Whoever reads of a frame looks for it in the recording.
        analyzer.name_file(
            path.as_ref()
                .map_or_else(|| settings.capture.interfaces.join(","), |path| path.display().to_string()),
        );
        let now = Instant::now();
        Self {
            live,
            recorder: recorder.zip(path),
            analyzer,
            output_failed,
            limit: settings.packets,
            duration: settings.duration,
            show: settings.show,
            quiet: settings.talk.quiet,
            begin: now,
            packets: 0,
            bytes: 0,
            last_ns: 0,
            looked: now,
            flushed: now,
            notices: Vec::new(),
            failure: None,
        }
    }

    /// Works, and passes on all rows, until the end is asked for, a limit is reached, or there is nothing to capture from any more.
    pub(super) fn run(mut self, shared: &Shared) -> (Done, Rows) {
        // The screen ends with this, whatever happens here.
        let _over = shared.ends.over_when_dropped();
        self.pump(shared);
        let elapsed = self.begin.elapsed();
        // The kernel's last counters, and what came in time but is not wanted.
        self.live.stop();
        let mut left = 0;
        loop {
            match self.live.next(Duration::from_secs(1)) {
                Next::Packet(_) => left += 1,
                Next::Quiet => {}
                Next::End => break,
            }
        }
        self.hear();
        let status = self.live.status().clone();
        let all_gone = status.interfaces.iter().all(|counted| counted.state == State::Gone);
        if self.failure.is_none() && all_gone {
            self.failure = Some(opening::all_gone(self.live.interfaces()));
        }
        let mut recorded = None;
        if let Some((recorder, path)) = self.recorder.take() {
            match recorder.finish(&status, self.last_ns) {
                Ok(recording) => recorded = Some(recording),
                Err(error) => {
                    self.failure.get_or_insert(opening::recording_failed(&path, self.packets, &error));
                }
            }
        }
        self.analyzer.live_issues(&self.live);
        let rows = self.analyzer.finish().rows;
        let failure = self.failure;
        (Done { packets: self.packets, left, elapsed, status, recorded, failure }, rows)
    }

    fn pump(&mut self, shared: &Shared) {
        loop {
            match self.live.next(PATIENCE) {
                Next::Packet(packet) => {
                    if let Some((recorder, path)) = &mut self.recorder
                        && let Err(error) = recorder.write(&packet)
                    {
                        self.failure = Some(opening::recording_failed(path, self.packets, &error));
                        return;
                    }
                    self.analyzer.packet(&packet);
                    self.packets += 1;
                    self.bytes += u64::from(packet.wire_len);
                    self.last_ns = packet.time_ns;
                    if self.limit.is_some_and(|limit| self.packets >= limit) {
                        return;
                    }
                    if !self.packets.is_multiple_of(ROUND) || self.looked.elapsed() < LOOK {
                        continue;
                    }
                }
                Next::Quiet => {}
                Next::End => return,
            }
            self.looked = Instant::now();
            self.look(shared);
        }
    }

    /// Looks after everything but packets.
    fn look(&mut self, shared: &Shared) {
        let over = self.duration.is_some_and(|duration| self.begin.elapsed() >= duration);
        if over
            || interrupt::is_pressed()
            || shared.ends.is_to_stop()
            || self.output_failed.load(Ordering::Relaxed)
        {
            self.live.stop();
        }
        self.hear();
        if self.flushed.elapsed() >= FLUSH {
            self.flushed = Instant::now();
            self.analyzer.sink().rows.flush();
            // A failure shows with the next piece that is written.
            if let Some((recorder, path)) = &mut self.recorder
                && let Err(error) = recorder.flush()
            {
                self.failure.get_or_insert(opening::recording_failed(path, self.packets, &error));
                self.live.stop();
            }
        }
        if let Some(summary) = shared.wanted() {
            let snapshot = self.snapshot(summary);
            shared.put(snapshot);
        }
    }

    /// Passes on what happened to the interfaces.
    fn hear(&mut self) {
        for notice in self.live.take_notices() {
            let text = match notice {
                Notice::Changed { interface, state } => {
                    let name = self
                        .live
                        .interfaces()
                        .get(interface as usize)
                        .map_or("", |interface| &interface.name);
                    match state {
                        State::Up => format!("{name} is up again"),
                        State::Down => format!("{name} is down: waiting for it to come up"),
                        State::Gone => format!("{name} is gone"),
                    }
                }
                Notice::Failed(reason) => {
                    self.failure.get_or_insert(Failure::failed(format!("the capture broke off: {reason}")));
                    continue;
                }
            };
            if self.show {
                self.notices.push(text);
            } else if !self.quiet {
                console::warning(text);
            }
        }
    }

    fn snapshot(&mut self, with_summary: bool) -> Snapshot {
        let since = if with_summary { i64::MIN } else { self.last_ns.saturating_sub(EVENTS_NS) };
        let mut view = self.analyzer.view(MOST_SHOWN, Time(since));
        let connections = self.analyzer.connections();
        let sink = self.analyzer.sink();
        let ended = std::mem::take(&mut sink.ended);
        let mut summary = None;
        if with_summary && let Some(so_far) = sink.rows.summary() {
            let mut all = so_far.clone();
            for open in &view.connections {
                let subflows =
                    open.subflows.iter().map(|open| AnyRow::Subflow(Box::new(open.subflow.clone())));
                subflows.for_each(|row| all.row(row));
                open.announcements.iter().for_each(|row| all.row(AnyRow::Announcement(row.clone())));
                open.events.iter().for_each(|row| all.row(AnyRow::Event(row.clone())));
                all.row(AnyRow::Connection(Box::new(open.connection.clone())));
            }
            summary = Some(crate::summary::render(&all));
        }
        let recent = Time(self.last_ns.saturating_sub(EVENTS_NS));
        for open in &mut view.connections {
            open.announcements.retain(|row| row.time >= recent);
            open.events.retain(|row| row.time >= recent);
        }
        Snapshot {
            elapsed: self.begin.elapsed(),
            now_ns: self.last_ns,
            packets: self.packets,
            bytes: self.bytes,
            connections,
            status: self.live.status().clone(),
            view,
            ended,
            notices: std::mem::take(&mut self.notices),
            summary,
        }
    }
}

/// Rows on their way out, of which the ends of connections are also shown.
struct Watched {
    rows: Rows,
    ended: Vec<Connection>,
    keep: bool,
}

impl Sink for Watched {
    fn row(&mut self, row: AnyRow) {
        if let AnyRow::Connection(connection) = &row
            && self.keep
            && self.ended.len() < MOST_ENDED
        {
            self.ended.push((**connection).clone());
        }
        self.rows.row(row);
    }
}
