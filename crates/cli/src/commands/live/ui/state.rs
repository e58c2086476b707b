//! What the screen knows: the last snapshot, rates, and what was chosen with keys.

use super::super::snapshot::Snapshot;
use super::feed::Feed;
use ratatui::layout::Size;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;
use subflow_analysis::OpenConnection;
use subflow_capture::live::Interface;

/// From this size on the summary has a place of its own.
const WIDE: Size = Size { width: 150, height: 40 };

/// What the list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Activity,
    Rate,
    Bytes,
    Age,
    Subflows,
    Id,
}

impl Sort {
    pub(super) const ALL: [Self; 6] =
        [Self::Activity, Self::Rate, Self::Bytes, Self::Age, Self::Subflows, Self::Id];

    /// The name on the screen, which begins with the key.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Activity => "last packet",
            Self::Rate => "rate",
            Self::Bytes => "bytes",
            Self::Age => "age",
            Self::Subflows => "subflows",
            Self::Id => "id",
        }
    }
}

/// What lies over the list, or in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    #[default]
    List,
    Detail,
    Summary,
    Help,
}

/// Bits per second.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    at: Duration,
    bytes: u64,
    rate: f64,
}

impl Meter {
    fn read(&mut self, at: Duration, bytes: u64) {
        let seconds = at.saturating_sub(self.at).as_secs_f64();
        if seconds > 0.0 {
            self.rate = bytes.saturating_sub(self.bytes) as f64 * 8.0 / seconds;
            (self.at, self.bytes) = (at, bytes);
        }
    }
}

/// The screen's memory.
pub(super) struct State {
    pub(super) interfaces: String,
    /// What is shown in the header, always the latest.
    pub(super) head: Snapshot,
    /// Packets and bits per second.
    pub(super) packet_rate: f64,
    pub(super) bit_rate: f64,
    /// The open connections that are shown, sorted.
    pub(super) open: Vec<OpenConnection>,
    pub(super) summary: Option<String>,
    pub(super) feed: Feed,
    pub(super) sort: Sort,
    pub(super) reversed: bool,
    pub(super) paused: bool,
    pub(super) pane: Pane,
    /// The chosen connection.
    pub(super) chosen: Option<u64>,
    /// First line of the list, detail or summary that is shown.
    pub(super) scroll: usize,
    /// Lines that the list has, as drawn last.
    pub(super) page: usize,
    pub(super) quit: bool,
    meters: HashMap<(u64, Option<u32>), Meter>,
}

impl State {
    pub(super) fn new(interfaces: &[Interface]) -> Self {
        let names: Vec<_> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
        Self {
            interfaces: names.join(", "),
            head: Snapshot::default(),
            packet_rate: 0.0,
            bit_rate: 0.0,
            open: Vec::new(),
            summary: None,
            feed: Feed::default(),
            sort: Sort::default(),
            reversed: false,
            paused: false,
            pane: Pane::default(),
            chosen: None,
            scroll: 0,
            page: 1,
            quit: false,
            meters: HashMap::new(),
        }
    }

    /// Whether the summary is shown on a screen of this size.
    pub(super) fn wants_summary(&self, size: Size) -> bool {
        self.pane == Pane::Summary || Self::is_wide(size)
    }

    /// Whether there is room for everything at once.
    pub(super) fn is_wide(size: Size) -> bool {
        size.width >= WIDE.width && size.height >= WIDE.height
    }

    /// Whether what was chosen last is not there yet.
    pub(super) fn impatient(&self) -> bool {
        self.pane == Pane::Summary && self.summary.is_none()
    }

    /// Takes a new snapshot. While paused, only the header follows.
    pub(super) fn take(&mut self, mut snapshot: Snapshot) {
        let seconds = snapshot.elapsed.saturating_sub(self.head.elapsed).as_secs_f64();
        if seconds > 0.0 {
            self.packet_rate = snapshot.packets.saturating_sub(self.head.packets) as f64 / seconds;
            self.bit_rate = snapshot.bytes.saturating_sub(self.head.bytes) as f64 * 8.0 / seconds;
        }
        self.feed.take(&snapshot);
        self.measure(&snapshot);
        if !self.paused {
            self.open = std::mem::take(&mut snapshot.view.connections);
            self.sort();
            self.summary = snapshot.summary.take();
        }
        snapshot.ended = Vec::new();
        self.head = snapshot;
    }

    fn measure(&mut self, snapshot: &Snapshot) {
        let mut meters = HashMap::with_capacity(self.meters.len());
        for open in &snapshot.view.connections {
            let row = &open.connection;
            let subflows = open.subflows.iter().map(|open| {
                let row = &open.subflow;
                (Some(row.subflow_id), row.bytes_c2s + row.bytes_s2c)
            });
            for (subflow, bytes) in std::iter::once((None, row.bytes_c2s + row.bytes_s2c)).chain(subflows) {
                let key = (row.connection_id, subflow);
                // What was there when it was first seen came in a time that is not known.
                let new = Meter { at: snapshot.elapsed, bytes, rate: 0.0 };
                let mut meter = self.meters.get(&key).copied().unwrap_or(new);
                meter.read(snapshot.elapsed, bytes);
                meters.insert(key, meter);
            }
        }
        self.meters = meters;
    }

    /// Bits per second of a connection, or of one of its subflows.
    pub(super) fn rate(&self, connection: u64, subflow: Option<u32>) -> f64 {
        self.meters.get(&(connection, subflow)).map_or(0.0, |meter| meter.rate)
    }

    /// Puts the list in the order that was chosen; equals by their ids.
    pub(super) fn sort(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        open.sort_by_key(|open| {
            let row = &open.connection;
            let key = match self.sort {
                Sort::Activity => open.last.0,
                Sort::Rate => self.rate(row.connection_id, None) as i64,
                Sort::Bytes => (row.bytes_c2s + row.bytes_s2c).cast_signed(),
                // The oldest first.
                Sort::Age => row.start.0.saturating_neg(),
                Sort::Subflows => {
                    i64::from(row.subflows_established) << 20 | i64::from(row.subflows_attempted)
                }
                Sort::Id => row.connection_id.cast_signed(),
            };
            (Reverse(key), Reverse(row.connection_id))
        });
        if self.reversed {
            open.reverse();
        }
        self.open = open;
    }

    /// Place of the chosen connection in the list.
    pub(super) fn place(&self) -> Option<usize> {
        self.open.iter().position(|open| Some(open.connection.connection_id) == self.chosen)
    }

    /// Chooses the connection so many lines further.
    pub(super) fn step(&mut self, lines: isize) {
        let last = self.open.len().saturating_sub(1);
        let next = match self.place() {
            Some(place) => place.saturating_add_signed(lines).min(last),
            None if lines > 0 => 0,
            None => last,
        };
        self.chosen = self.open.get(next).map(|open| open.connection.connection_id);
    }

    /// The connection whose subflows are shown.
    pub(super) fn detail(&self) -> Option<&OpenConnection> {
        self.place().and_then(|place| self.open.get(place))
    }
}
