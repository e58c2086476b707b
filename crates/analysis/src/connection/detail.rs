//! Every packet, carriage and sample of a connection, for those who asked for it in detail.

use super::{Connection, Subflow, half::Piece};
use crate::{
    rows::{AnyRow, Carriage, Carried, Direction, Packet, Sample, Sampled, Sink},
    segment::Segment,
    track::dataspace::{Carrier, Known, Part},
};
use subflow_rows::Time;
use subflow_wire::{mptcp::Mptcp, tcp::Flags};

/// Rows that wait for the sink: handed over after every packet.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    packets: Vec<Packet>,
    carriages: Vec<Carriage>,
    samples: Vec<Sample>,
}

impl Detail {
    /// Hands over what has gathered, or only lets go of it.
    pub(crate) fn drain(&mut self, mut sink: Option<&mut impl Sink>) {
        let packets = self.packets.drain(..).map(|row| AnyRow::Packet(Box::new(row)));
        let carriages = self.carriages.drain(..).map(AnyRow::Carriage);
        let samples = self.samples.drain(..).map(AnyRow::Sample);
        for row in packets.chain(carriages).chain(samples) {
            if let Some(sink) = &mut sink {
                sink.row(row);
            }
        }
    }
}

impl Connection {
    /// From now on every packet is told.
    pub(crate) fn tell_all(&mut self) {
        self.detail = Some(Box::default());
    }

    /// A round-trip sample was taken, in nanoseconds, when `segment` acknowledged data of this direction.
    pub(super) fn tell_sample(
        &mut self,
        subflow: Option<u16>,
        direction: Direction,
        segment: &Segment<'_>,
        sampled: Sampled,
        sample: Option<i64>,
    ) {
        let Some((detail, rtt)) = self.detail.as_mut().zip(sample) else { return };
        detail.samples.push(Sample {
            connection_id: self.id,
            subflow_id: subflow.map(u32::from),
            direction,
            time: Time(segment.time),
            frame: segment.frame,
            sampled,
            rtt: rtt as f64 / 1e9,
        });
    }

    /// A subflow carried data-level bytes that are new on it.
    pub(super) fn tell_carried(&mut self, subflow: u16, direction: Direction, piece: Piece, part: Part) {
        let (carried, first, late) = match part.known {
            Known::New { late } => (Carried::New, None, late),
            Known::Again(first) if self.is_same_carrier(subflow, first) => {
                (Carried::MetaRetransmission, first, false)
            }
            Known::Again(first) => (Carried::Reinjection, first, false),
        };
        self.tell_carriage(subflow, direction, piece, (part.start, part.end), carried, first, late);
    }

    /// A subflow repeated the bytes of `piece`; `data` are the data-level ranges that they are mapped to.
    pub(super) fn tell_repeated(
        &mut self,
        subflow: u16,
        direction: Direction,
        piece: Piece,
        data: &[(i64, i64)],
    ) {
        for &range in data {
            let first = self.data[direction.index()].carrier(range.0);
            self.tell_carriage(subflow, direction, piece, range, Carried::Retransmission, first, false);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the columns of one row")]
    fn tell_carriage(
        &mut self,
        subflow: u16,
        direction: Direction,
        piece: Piece,
        range: (i64, i64),
        carried: Carried,
        first: Option<Carrier>,
        late: bool,
    ) {
        let Some(detail) = &mut self.detail else { return };
        detail.carriages.push(Carriage {
            connection_id: self.id,
            direction,
            time: Time(piece.time),
            frame: piece.frame,
            subflow_id: u32::from(subflow),
            dsn: range.0,
            bytes: (range.1 - range.0) as u64,
            carried,
            first_subflow: first.map(|first| u32::from(first.subflow)),
            first_frame: first.map(|first| first.frame),
            first_time: first.map(|first| Time(first.time)),
            late,
        });
    }

    /// A packet has been dealt with; `repeated` is how many bytes its direction had repeated before it.
    pub(super) fn tell_packet(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        repeated: u64,
    ) {
        let (half, peer) = (&subflow.halves[direction.index()], &subflow.halves[direction.reverse().index()]);
        let position = half.space.as_ref().map(|space| space.position(segment.seq));
        // A SYN takes the number before the first byte.
        let position = position.map(|position| position + i64::from(segment.flags.syn()));
        let ack = segment.flags.ack().then_some(segment.ack);
        let mapping = segment.dss.and_then(|dss| dss.mapping);
        let data = &self.data[direction.index()];
        let row = Packet {
            connection_id: self.id,
            subflow_id: u32::from(subflow.id),
            time: Time(segment.time),
            frame: segment.frame,
            direction,
            flags: letters(segment.flags),
            seq: segment.seq,
            ack,
            position,
            acked: ack.and_then(|ack| Some(peer.space.as_ref()?.position(ack))),
            bytes: u64::from(segment.len),
            retransmitted_bytes: half.repeated - repeated,
            window: subflow.window(direction, segment),
            options: names(segment),
            dsn: mapping.and_then(|mapping| self.known_offset(direction, mapping.dsn)),
            mapping_position: mapping
                .filter(|_| half.alignment.is_none() && half.space.is_some())
                .map(|mapping| half.position_of(mapping.subflow_seq)),
            mapping_bytes: mapping.map(|mapping| u64::from(mapping.len)),
            data_ack: segment.dss.and_then(|dss| self.known_offset(direction.reverse(), dss.data_ack?)),
            data_fin: segment.dss.is_some_and(|dss| dss.data_fin),
            flight: half.flight(),
            data_flight: data
                .next()
                .filter(|_| data.acked() != i64::MIN)
                .map(|next| u64::try_from(next - data.acked()).unwrap_or(0)),
        };
        if let Some(detail) = &mut self.detail {
            detail.packets.push(row);
        }
    }
}

fn letters(flags: Flags) -> String {
    let all = [
        ('S', flags.syn()),
        ('F', flags.fin()),
        ('R', flags.rst()),
        ('P', flags.psh()),
        ('.', flags.ack()),
        ('U', flags.urg()),
        ('E', flags.ece()),
        ('W', flags.cwr()),
    ];
    all.into_iter().filter_map(|(letter, set)| set.then_some(letter)).collect()
}

/// The names of the MPTCP options of a segment.
fn names(segment: &Segment<'_>) -> String {
    let mut text = String::new();
    for option in segment.mptcp() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(match option {
            Mptcp::Capable(_) => "MP_CAPABLE",
            Mptcp::Join(_) => "MP_JOIN",
            Mptcp::Dss(_) => "DSS",
            Mptcp::AddAddr(option) if option.echo => "ADD_ADDR(echo)",
            Mptcp::AddAddr(_) => "ADD_ADDR",
            Mptcp::RemoveAddr(_) => "REMOVE_ADDR",
            Mptcp::Prio(_) => "MP_PRIO",
            Mptcp::Fail(_) => "MP_FAIL",
            Mptcp::FastClose(_) => "MP_FASTCLOSE",
            Mptcp::TcpRst(_) => "MP_TCPRST",
            Mptcp::Unknown { .. } => "unknown",
            Mptcp::Malformed { .. } => "malformed",
        });
    }
    text
}
