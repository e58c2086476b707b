//! What held connections up: how much of their time, and in which stalls.

use super::Distribution;
use crate::rows::{Connection, Stall, StallKind};
use std::collections::BTreeMap;

/// Stalls of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stalls {
    /// How many.
    pub count: u64,
    /// Their durations together, seconds.
    pub time: f64,
    /// The longest, seconds.
    pub longest: f64,
}

/// What held established connections up.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Over directions with data: the share of the connection's duration in which the direction was held up so.
    /// Directions in which this cannot be known are left out.
    pub share: BTreeMap<StallKind, Distribution>,
    /// The rows of `stalls`, which has the longer ones only.
    pub stalls: BTreeMap<StallKind, Stalls>,
}

impl Held {
    pub(super) fn add_stall(&mut self, row: &Stall) {
        let stalls = self.stalls.entry(row.kind).or_default();
        stalls.count += 1;
        stalls.time += row.duration;
        stalls.longest = stalls.longest.max(row.duration);
    }

    pub(super) fn add(&mut self, row: &Connection) {
        if row.duration <= 0.0 {
            return;
        }
        let directions = [
            (
                row.bytes_c2s,
                row.receive_window_time_c2s,
                Some(row.head_of_line_time_c2s),
                row.application_time_c2s,
                row.no_progress_time_c2s,
            ),
            (
                row.bytes_s2c,
                row.receive_window_time_s2c,
                Some(row.head_of_line_time_s2c),
                row.application_time_s2c,
                row.no_progress_time_s2c,
            ),
        ];
        for (bytes, window, head, application, progress) in directions {
            if bytes == 0 {
                continue;
            }
            for (kind, time) in [
                (StallKind::ReceiveWindow, window),
                (StallKind::HeadOfLine, head),
                (StallKind::Application, application),
                (StallKind::NoProgress, progress),
            ] {
                if let Some(time) = time {
                    self.share.entry(kind).or_default().add((time / row.duration).min(1.0));
                }
            }
        }
    }
}
