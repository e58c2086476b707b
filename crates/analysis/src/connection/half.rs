//! One direction of a subflow: what its sender sent and what came back for it.

use crate::track::{
    flight::Flight,
    mapping::{Alignment, Mapping, Mappings},
    rtt::{Karn, Timestamps},
    seqspace::SeqSpace,
    series::Bin,
};

/// Length of a mapping without an end.
const ENDLESS: i64 = i64::MAX / 4;

/// Payload of one segment, in positions of its subflow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) time: i64,
    pub(crate) frame: u64,
    /// It fills a hole of its subflow: what was sent there before did not get to the capture point, or was overtaken.
    pub(crate) filled: bool,
    /// Its options could not be read, so that it may well have had a mapping.
    pub(crate) excused: bool,
}

/// One direction of a subflow.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// Bytes seen; `None` before the first segment.
    pub(crate) space: Option<SeqSpace>,
    /// Whether `space` starts at the SYN.
    pub(crate) syn_seen: bool,
    /// Whether its sender has used DSS here.
    pub(crate) dss_seen: bool,
    /// The mappings.
    pub(crate) mappings: Mappings,
    /// Present while it is not known where the subflow began.
    pub(crate) alignment: Option<Box<Alignment>>,
    /// Position of relative subflow sequence number 1.
    pub(crate) shift: i64,
    /// RTT by data and ACK.
    pub(crate) karn: Karn,
    /// RTT by timestamps.
    pub(crate) stamps: Timestamps,
    /// Payload bytes on the wire.
    pub(crate) bytes: u64,
    /// Payload bytes on the wire that a mapping covers.
    pub(crate) mapped: u64,
    /// Payload bytes seen for the first time.
    pub(crate) unique: u64,
    /// Payload bytes seen again.
    pub(crate) repeated: u64,
    /// Packets with payload seen again.
    pub(crate) repeated_packets: u64,
    /// Data-level bytes carried here and elsewhere before.
    pub(crate) reinjected: u64,
    /// Bytes in the SYN (TCP Fast Open), outside the data sequence space.
    pub(crate) syn_bytes: u64,
    /// Payload without a mapping.
    pub(crate) unmapped: Vec<Piece>,
    /// Position after the FIN.
    pub(crate) fin: Option<i64>,
    /// When it was first sent.
    pub(crate) fin_time: Option<i64>,
    /// Highest position acknowledged by the other side.
    pub(crate) acked: Option<i64>,
    /// Window scale that its sender announced in its SYN (RFC 7323, section 2); `None` when the SYN has none, or was not
    /// seen.
    pub(crate) window_scale: Option<u8>,
    /// Segment size that its sender takes, by its SYN.
    pub(crate) max_segment: Option<u16>,
    /// Whether options of its SYN could not be read.
    pub(crate) syn_cut: bool,
    /// Payload bytes in flight.
    pub(crate) flight: Flight,
    /// Data-level bytes that it carried first.
    pub(crate) data_bytes: u64,
    /// Time in which others waited for bytes that it brought, in nanoseconds, and waiting bytes times time.
    pub(crate) blocked: i64,
    pub(crate) blocked_byte_ns: u128,
    /// The interval of `series`.
    pub(crate) bin: Bin,
    /// Packets other than SYN and RST.
    pub(crate) packets: u64,
    /// Time of the last packet.
    pub(crate) last: Option<i64>,
    /// Frame of the last packet.
    pub(crate) last_frame: u64,
    /// Time of the last data-level byte seen for the first time.
    pub(crate) last_new: Option<i64>,
}

impl Half {
    /// The SYN of this direction was seen.
    pub(crate) fn syn(&mut self, isn: u32) {
        if !self.syn_seen && self.bytes == 0 {
            self.space = Some(SeqSpace::after_syn(isn));
            self.syn_seen = true;
            self.alignment = None;
        }
    }

    /// The sequence space, begun at this segment if it was not known.
    pub(crate) fn space(&mut self, seq: u32) -> &mut SeqSpace {
        if self.space.is_none() {
            self.alignment = Some(Box::default());
        }
        self.space.get_or_insert_with(|| SeqSpace::midstream(seq))
    }

    /// Bytes in the SYN were taken when the other side's SYN/ACK, or what follows them, says so; else they come again.
    pub(crate) fn accept_fast_open(&mut self, next_seq: u32) {
        if self.syn_bytes == 0 || self.shift != 0 {
            return;
        }
        let taken = self.syn_bytes.cast_signed();
        if let Some(space) =
            self.space.as_mut().filter(|space| space.next() == 0 && space.position(next_seq) == taken)
        {
            // Relative subflow sequence numbers begin after these bytes, as data sequence numbers do.
            space.add(0, taken, |_, _| {});
            self.shift = taken;
            self.bytes += self.syn_bytes;
            self.unique += self.syn_bytes;
        }
    }

    /// The other side acknowledged everything before `ack`; returns the round-trip sample that this gives, in nanoseconds.
    pub(crate) fn acknowledged(&mut self, ack: u32, time: i64) -> Option<i64> {
        let ack = self.space.as_ref()?.position(ack);
        if self.acked.is_none_or(|before| ack > before) {
            self.acked = Some(ack);
        }
        self.karn.acked(ack, time)
    }

    /// Bytes sent and not yet acknowledged; `None` before any ACK.
    pub(crate) fn flight(&self) -> Option<u64> {
        let (space, acked) = (self.space.as_ref()?, self.acked?);
        Some(u64::try_from(space.next() - acked).unwrap_or(0))
    }

    /// The data-level offset up to which TCP has acknowledged, where one mapping goes on for ever.
    pub(crate) fn streamed(&self) -> Option<i64> {
        let stream = self.mappings.newest().filter(|mapping| mapping.len >= ENDLESS)?;
        Some(stream.data + (self.acked?.max(stream.start) - stream.start))
    }

    /// Position of a relative subflow sequence number, nearest to what was seen last.
    pub(crate) fn position_of(&self, relative: u32) -> i64 {
        let near = self.space.as_ref().map_or(0, SeqSpace::next) - self.shift;
        let offset = relative.wrapping_sub(1).wrapping_sub(near as u32).cast_signed();
        self.shift + near + i64::from(offset)
    }

    /// From here on every byte is mapped, as after an infinite mapping or a fallback.
    pub(crate) fn map_all_from(&mut self, start: i64, data: i64) {
        self.mappings.learn(Mapping { start, data, len: ENDLESS });
    }
}
