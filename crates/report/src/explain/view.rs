//! One connection out of the tables, with the questions that claims ask of it.

use super::words::way;
use std::collections::HashMap;
use std::net::SocketAddr;
use subflow_analysis::rows::{
    Announcement, Carriage, Connection, Direction, Event, EventKind, Packet, Reinjection, Subflow, Tables,
};
use subflow_rows::Time;

/// Both directions.
pub(super) const BOTH: [Direction; 2] = [Direction::C2s, Direction::S2c];

/// A connection with all its rows, each kind in order of time.
pub(super) struct View<'a> {
    pub(super) connection: &'a Connection,
    pub(super) subflows: Vec<&'a Subflow>,
    pub(super) announcements: Vec<&'a Announcement>,
    pub(super) reinjections: Vec<&'a Reinjection>,
    pub(super) events: Vec<&'a Event>,
    pub(super) packets: Vec<&'a Packet>,
    pub(super) carriages: Vec<&'a Carriage>,
    /// Packets by subflow and direction, as indices.
    by_half: HashMap<(u32, Direction), Vec<&'a Packet>>,
    /// DATA_ACKs that brought news, by direction of the data: offset, packet.
    acks: [Vec<(i64, &'a Packet)>; 2],
}

impl<'a> View<'a> {
    /// The connection with this number; `None` when there is none.
    pub(super) fn of(tables: &'a Tables, id: u64) -> Option<Self> {
        let connection = tables.connections.iter().find(|row| row.connection_id == id)?;
        let packets: Vec<_> = tables.packets.iter().filter(|row| row.connection_id == id).collect();
        let mut by_half: HashMap<_, Vec<_>> = HashMap::new();
        let mut acks = [Vec::new(), Vec::new()];
        for &packet in &packets {
            by_half.entry((packet.subflow_id, packet.direction)).or_default().push(packet);
            let news: &mut Vec<(i64, &Packet)> = &mut acks[packet.direction.reverse().index()];
            if let Some(ack) = packet.data_ack
                && news.last().is_none_or(|&(highest, _)| ack > highest)
            {
                news.push((ack, packet));
            }
        }
        Some(Self {
            connection,
            subflows: tables.subflows.iter().filter(|row| row.connection_id == id).collect(),
            announcements: tables.announcements.iter().filter(|row| row.connection_id == id).collect(),
            reinjections: tables.reinjections.iter().filter(|row| row.connection_id == id).collect(),
            events: tables.events.iter().filter(|row| row.connection_id == id).collect(),
            carriages: tables.carriages.iter().filter(|row| row.connection_id == id).collect(),
            packets,
            by_half,
            acks,
        })
    }

    /// Number of the connection.
    pub(super) fn id(&self) -> u64 {
        self.connection.connection_id
    }

    /// Packets of one direction of a subflow.
    pub(super) fn half(&self, subflow: u32, direction: Direction) -> &[&'a Packet] {
        self.by_half.get(&(subflow, direction)).map_or(&[], Vec::as_slice)
    }

    /// Packets of a subflow, both directions, in order.
    pub(super) fn on(&self, subflow: u32) -> impl Iterator<Item = &'a Packet> {
        self.packets.iter().copied().filter(move |packet| packet.subflow_id == subflow)
    }

    /// Seconds from the connection's first packet.
    pub(super) fn since(&self, time: Time) -> f64 {
        (time.0 - self.connection.start.0) as f64 / 1e9
    }

    /// `0.532 s`, from the connection's first packet.
    pub(super) fn moment(&self, time: Time) -> String {
        format!("{:.3} s", self.since(time))
    }

    /// `frame 812 (0.532 s, subflow 1, client to server)`.
    pub(super) fn place(&self, packet: &Packet) -> String {
        self.place_of(packet.frame, packet.time, packet.subflow_id, packet.direction)
    }

    pub(super) fn place_of(&self, frame: u64, time: Time, subflow: u32, direction: Direction) -> String {
        format!("frame {frame} ({}, subflow {subflow}, {})", self.moment(time), way(direction))
    }

    /// `frame 812 (0.532 s)`.
    pub(super) fn short(&self, packet: &Packet) -> String {
        format!("frame {} ({})", packet.frame, self.moment(packet.time))
    }

    /// The first DATA_ACK that covers data of this direction up to `end`.
    pub(super) fn covering(&self, direction: Direction, end: i64) -> Option<(i64, &'a Packet)> {
        let acks = &self.acks[direction.index()];
        acks.get(acks.partition_point(|&(ack, _)| ack < end)).copied()
    }

    /// Events of one kind.
    pub(super) fn events_of(&self, kind: EventKind) -> impl Iterator<Item = &'a Event> {
        self.events.iter().copied().filter(move |event| event.kind == kind)
    }

    /// The direction in which a subflow's opener sends.
    pub(super) fn opened(&self, subflow: &Subflow) -> Direction {
        match subflow.opener {
            subflow_analysis::rows::Opener::Client => Direction::C2s,
            subflow_analysis::rows::Opener::Server => Direction::S2c,
        }
    }

    /// SYNs of a subflow.
    pub(super) fn syns(&self, subflow: &Subflow) -> Vec<&'a Packet> {
        let from = self.half(subflow.subflow_id, self.opened(subflow));
        from.iter().copied().filter(|packet| is_syn(packet)).collect()
    }

    /// SYN/ACKs of a subflow.
    pub(super) fn syn_acks(&self, subflow: &Subflow) -> Vec<&'a Packet> {
        let from = self.half(subflow.subflow_id, self.opened(subflow).reverse());
        from.iter().copied().filter(|packet| is_syn_ack(packet)).collect()
    }

    /// The opener's first packet that is neither SYN nor RST: the third ACK.
    pub(super) fn third_ack(&self, subflow: &Subflow) -> Option<&'a Packet> {
        let from = self.half(subflow.subflow_id, self.opened(subflow));
        from.iter().copied().find(|packet| !packet.flags.contains(['S', 'R']))
    }

    /// The first reset of a subflow.
    pub(super) fn reset(&self, subflow: u32) -> Option<&'a Packet> {
        self.on(subflow).find(|packet| packet.flags.contains('R'))
    }
}

/// `10.0.0.1:80 → 10.0.0.2:81` of a subflow.
pub(super) fn ends(subflow: &Subflow) -> String {
    let end = |addr, port| SocketAddr::from((addr, port)).to_string();
    format!("{} → {}", end(subflow.src_addr, subflow.src_port), end(subflow.dst_addr, subflow.dst_port))
}

/// A SYN without ACK.
pub(super) fn is_syn(packet: &Packet) -> bool {
    packet.flags.contains('S') && !packet.flags.contains('.')
}

/// A SYN/ACK.
pub(super) fn is_syn_ack(packet: &Packet) -> bool {
    packet.flags.contains('S') && packet.flags.contains('.')
}

/// Whether a packet carries an option of this name.
pub(super) fn carries(packet: &Packet, option: &str) -> bool {
    packet.options.split(' ').any(|name| name == option)
}

/// The frames of packets.
pub(super) fn frames_of(packets: &[&Packet]) -> Vec<u64> {
    packets.iter().map(|packet| packet.frame).collect()
}
