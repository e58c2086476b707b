//! `…_flight_N.csv`, `…_flight_per_flow_N.csv`, `…_acksize_N.csv` and the three `…_rtt_…_N.csv`: what is on its way, the receive
//! window, and when mappings were acknowledged.

use super::ordered::{Ordered, before};
use super::step::{Mapping, Step, seconds, stamp};
use std::fmt::Write;

/// One direction: its data, and the window that the other end gives it.
#[derive(Debug, Default)]
pub(super) struct Flight {
    pub(super) flight: String,
    pub(super) per_flow: String,
    pub(super) ack_size: String,
    pub(super) rtt_by_ack: String,
    pub(super) rtt_by_departure: String,
    pub(super) rtt_by_number: String,
    /// Mappings not yet acknowledged, with the time of their first sight.
    unacked: Ordered<i64>,
    /// Segments of each subflow that are not yet acknowledged, and the highest acknowledgement of them.
    segments: Vec<(Ordered<()>, Option<u32>)>,
    right_edge: Option<u32>,
}

impl Flight {
    /// A segment of this direction.
    pub(super) fn segment(&mut self, step: &Step) {
        let (segments, acked) = self.subflow(step.subflow);
        if acked.is_none_or(|acked| !before(step.seq, acked)) {
            segments.insert(step.seq, step.seq.wrapping_add(step.payload), ());
        }
    }

    /// A segment of the other direction, which acknowledges segments of this one.
    pub(super) fn segment_ack(&mut self, step: &Step) {
        let Some(ack) = step.ack else { return };
        let (segments, acked) = self.subflow(step.subflow);
        if acked.is_none_or(|acked| before(acked, ack)) {
            *acked = Some(ack);
        }
        segments.acknowledge(ack, |_| {});
    }

    fn subflow(&mut self, subflow: u32) -> &mut (Ordered<()>, Option<u32>) {
        let index = subflow as usize;
        if self.segments.len() <= index {
            self.segments.resize_with(index + 1, Default::default);
        }
        &mut self.segments[index]
    }

    /// A mapping, unless all of it is acknowledged.
    pub(super) fn mapping(&mut self, step: &Step, mapping: Mapping, acked: Option<u32>) {
        if acked.is_none_or(|acked| before(acked, mapping.end())) {
            self.unacked.insert(mapping.start, mapping.end(), step.time);
        }
    }

    /// The lines about a mapping.
    pub(super) fn tell_mapping(&mut self, step: &Step) {
        self.tell_flight(step);
        self.tell_per_flow(step);
        self.tell_sum(step);
    }

    /// A DATA_ACK takes mappings out.
    pub(super) fn data_ack(&mut self, step: &Step, ack: u32) {
        let mut bytes = 0_u32;
        let (by_ack, by_departure, by_number) =
            (&mut self.rtt_by_ack, &mut self.rtt_by_departure, &mut self.rtt_by_number);
        self.unacked.acknowledge(ack, |range| {
            bytes = bytes.wrapping_add(range.end.wrapping_sub(range.start));
            let micros = step.time - range.what;
            let rtt =
                micros.div_euclid(1_000_000) as f64 * 1000.0 + micros.rem_euclid(1_000_000) as f64 / 1000.0;
            let _ = writeln!(by_ack, "{},{rtt:.6},2,0,0", stamp(step.time));
            let _ = writeln!(by_departure, "{},{rtt:.6},2,0,0", stamp(range.what));
            // mptcptrace writes this one for xplot whatever it is asked for.
            let _ = writeln!(by_number, "2\ndiamond {} {}", range.start, rtt as u32);
        });
        let _ = writeln!(self.ack_size, "{},{bytes},{},0,0,-1", stamp(step.time), step.subflow + 1);
    }

    /// The window that a DATA_ACK opens, the highest one being `highest`.
    pub(super) fn window(&mut self, step: &Step, ack: u32, highest: u32) {
        let edge = ack.wrapping_add(step.window);
        if self.right_edge.is_none_or(|right| right == 0 || !before(edge, right)) {
            self.right_edge = Some(edge);
        }
        let window = self.right_edge.unwrap_or(edge).wrapping_sub(highest);
        let _ = writeln!(self.flight, "{},{window},1,0,0,-1", stamp(step.time));
        self.tell_flight(step);
    }

    fn tell_flight(&mut self, step: &Step) {
        if let Some(bytes) = self.unacked.span() {
            let _ = writeln!(self.flight, "{},{bytes},2,0,0,-1", stamp(step.time));
        }
    }

    /// The sum of what is on its way on the subflows.
    pub(super) fn tell_sum(&mut self, step: &Step) {
        let sum = self.segments.iter().filter_map(|(segments, _)| segments.span()).fold(0, u32::wrapping_add);
        let _ = writeln!(self.flight, "{},{sum},3,0,0,-1", stamp(step.time));
    }

    /// What is on its way on each of them, one upon the other, the youngest subflow lowest.
    pub(super) fn tell_per_flow(&mut self, step: &Step) {
        let mut sum = 0_u32;
        for (subflow, (segments, _)) in self.segments.iter().enumerate().rev() {
            let Some(bytes) = segments.span() else { continue };
            let top = sum.wrapping_add(bytes);
            let _ = writeln!(self.per_flow, "{},{sum},{subflow},1,{top},-1", stamp(step.time));
            sum = top;
        }
    }
}

/// The time between two moments in seconds.
pub(super) fn between(from: i64, to: i64) -> f64 {
    seconds(to - from)
}
