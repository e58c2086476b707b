//! Two captures of the same connections, taken at two places.
//!
//! The captures are read twice more than for their tables: once for what tells flows again (`flows`), once to match
//! packets within a sliding window (`settle`). Memory follows the flows and the packets of one window, not the length of
//! the captures; a series of delays is kept whole.

mod changes;
mod clock;
mod flows;
mod lane;
mod plan;
mod record;
mod reinject;
mod report;
mod settle;

pub use clock::Sharing;
pub use report::Report;

use crate::rows::Side;
use flows::Flows;
use lane::{Frame, Lane};
use plan::{Plan, Seen};
use record::Record;
use std::path::PathBuf;
use subflow_analysis::rows::Tables;
use subflow_capture::{Error, Input};

/// Packets that wait to be matched, of both captures together; beyond it the window is cut to [`SHORT_NS`].
const MOST_WAITING: usize = 1_000_000;
/// The window that remains when too many packets wait, in nanoseconds.
const SHORT_NS: i64 = 1_000_000_000;
/// Packets between two questions whether to go on.
const ROUND: u64 = 4096;

/// One of the captures: where it lies, and the tables that the analysis made of it.
#[derive(Clone, Copy, Debug)]
pub struct Capture<'a> {
    /// Files, folders or patterns, as [`Input::open`] takes them; not standard input, as they are read again.
    pub paths: &'a [PathBuf],
    /// Tables of the analysis, sorted.
    pub tables: &'a Tables,
}

/// What a comparison of two ends is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What is known of the clocks.
    pub sharing: Sharing,
    /// Whether to keep the fate and delay of every packet: 64 bytes each.
    pub series: bool,
    /// Packets that lie further apart than this, after the clocks are set right, are not one; in nanoseconds.
    pub window_ns: i64,
}

impl Default for Settings {
    /// Half a minute: longer than queues last, shorter than most identification numbers need to come round.
    fn default() -> Self {
        Self { sharing: Sharing::Unknown, series: false, window_ns: 30_000_000_000 }
    }
}

/// Matches two captures. `go_on` is asked now and then; when it says no, the result covers what was read.
pub fn compare(
    a: Capture<'_>,
    b: Capture<'_>,
    settings: Settings,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Report, Error> {
    let flows = [survey(a, go_on)?, survey(b, go_on)?];
    let seen = [Seen::new(a.tables, &flows[0]), Seen::new(b.tables, &flows[1])];
    let mut plan = plan::plan(&seen);
    reinject::watch(&mut plan, &seen);
    let frame =
        Frame { spans: [flows[0].span, flows[1].span], window: settings.window_ns, series: settings.series };
    let shortened = run([a, b], &seen, &mut plan, &frame, go_on)?;
    let passed_over = flows[0].passed_over + flows[1].passed_over;
    Ok(report::report(&plan, &seen, settings.sharing, &frame, report::Limits { shortened, passed_over }))
}

/// The flows of a capture.
fn survey(capture: Capture<'_>, go_on: &mut dyn FnMut() -> bool) -> Result<Flows, Error> {
    let mut input = Input::open(capture.paths)?;
    let mut flows = Flows::default();
    let mut packets = 0_u64;
    while let Some(packet) = input.next_packet() {
        flows.packet(&packet);
        packets += 1;
        if packets.is_multiple_of(ROUND) && !go_on() {
            break;
        }
    }
    Ok(flows)
}

/// Reads both captures side by side and hands each packet to its lane; returns how often the window had to be cut.
fn run(
    captures: [Capture<'_>; 2],
    seen: &[Seen<'_>; 2],
    plan: &mut Plan,
    frame: &Frame,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<u64, Error> {
    let mut inputs = [Input::open(captures[0].paths)?, Input::open(captures[1].paths)?];
    let mut next = [Side::A, Side::B].map(|side| pull(&mut inputs, seen, plan, side));
    let (mut waiting, mut shortened, mut packets) = (0, 0, 0_u64);
    let mut least = usize::MAX;
    loop {
        // Both clocks on that of A.
        let time = |side: usize, plan: &Plan| {
            next[side].as_ref().map(|(_, record)| record.time - if side == 1 { plan.rough } else { 0 })
        };
        let side = match (time(0, plan), time(1, plan)) {
            (None, None) => break,
            (Some(a), Some(b)) => usize::from(b < a),
            (Some(_), None) => 0,
            (None, Some(_)) => 1,
        };
        let now = time(side, plan).unwrap_or_default();
        let which = if side == 0 { Side::A } else { Side::B };
        let Some((index, record)) = next[side].take() else { break };
        next[side] = pull(&mut inputs, seen, plan, which);
        let Some(lane) = plan.lanes.get_mut(index) else { continue };
        lane.waiting[side].push(record);
        waiting += 1;
        if lane.held() >= lane.next_batch {
            let held = lane.held();
            lane.settle(now - frame.window, frame);
            waiting -= held - lane.held();
        }
        if waiting >= MOST_WAITING.max(least) {
            shortened += 1;
            plan.lanes.iter_mut().for_each(|lane| lane.settle(now - SHORT_NS.min(frame.window), frame));
            waiting = plan.lanes.iter().map(Lane::held).sum();
            least = waiting * 2;
        } else if least == usize::MAX {
            least = 0;
        }
        packets += 1;
        if packets.is_multiple_of(ROUND) && !go_on() {
            break;
        }
    }
    plan.lanes.iter_mut().for_each(|lane| lane.settle(i64::MAX, frame));
    Ok(shortened)
}

/// The next packet of a capture that belongs to a lane.
fn pull(inputs: &mut [Input; 2], seen: &[Seen<'_>; 2], plan: &Plan, side: Side) -> Option<(usize, Record)> {
    let (input, seen) = (&mut inputs[side as usize], &seen[side as usize]);
    while let Some(packet) = input.next_packet() {
        let Some((src, dst, record)) = record::record(&packet) else { continue };
        let Some((flow, way)) = seen.flows.find(src, dst, record.time) else { continue };
        if let Some(&lane) = plan.lane_of[side as usize].get(&(flow, way)) {
            return Some((lane, record));
        }
    }
    None
}

#[cfg(test)]
pub(crate) mod testing {
    //! Packets for tests.

    use super::record::{Record, record as parse};
    use subflow_capture::Packet;
    use subflow_wire::LinkType;
    use subflow_wire::tcp::{Flags, Header, TcpOption};

    /// A data packet of this time, sequence number, payload length and timestamp.
    pub(crate) fn record(time_ns: i64, seq: u32, len: usize, stamp: u32) -> Record {
        let header =
            Header { src_port: 1, dst_port: 2, seq, ack: 1000, flags: Flags::ACK, window: 500, urgent: 0 };
        let options = [TcpOption::Timestamps { value: stamp, echo: 1 }];
        let data = ip(&header, &options, &vec![7; len], 64, 0);
        let packet = Packet {
            time_ns,
            wire_len: data.len() as u32,
            link: LinkType::RAW,
            interface: 0,
            file: 0,
            frame: 1,
            data: &data,
        };
        parse(&packet).expect("a TCP packet").2
    }

    /// An IPv4 packet from 10.0.0.1 to 10.0.0.2.
    pub(crate) fn ip(
        header: &Header,
        options: &[TcpOption<'_>],
        payload: &[u8],
        ttl: u8,
        id: u16,
    ) -> Vec<u8> {
        let mut segment = vec![0; Header::segment_len(options, payload)];
        let (src, dst) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        header.emit(src.into(), dst.into(), options, payload, &mut segment).expect("fits");
        let total = (20 + segment.len()) as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(total.to_be_bytes());
        packet.extend(id.to_be_bytes());
        packet.extend([0x40, 0, ttl, 6, 0, 0]);
        packet.extend(src);
        packet.extend(dst);
        packet.extend(segment);
        packet
    }
}
