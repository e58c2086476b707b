//! What a paper would print about a capture: totals and distributions over the rows, kept in bounded memory.

mod distribution;
mod fallbacks;
mod held;
mod service;
mod sizes;

use crate::rows::{
    Announcement, AnyRow, Close, Connection, EventKind, Fallback, Family, Host, Issue, Sink, State, Subflow,
    Traffic,
};
pub use distribution::Distribution;
pub use fallbacks::Fallen;
pub use held::{Held, Stalls};
pub use service::service;
pub use sizes::{SizeClass, Sizes};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

/// Packets and bytes (IP header onward).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Packets.
    pub packets: u64,
    /// Bytes from the IP header onward.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, packets: u64, bytes: u64) {
        self.packets += packets;
        self.bytes += bytes;
    }
}

/// Amounts by address family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByFamily {
    /// Both families.
    pub total: Amount,
    /// IPv4.
    pub ipv4: Amount,
    /// IPv6.
    pub ipv6: Amount,
}

impl ByFamily {
    fn add(&mut self, family: Family, packets: u64, bytes: u64) {
        self.total.add(packets, bytes);
        match family {
            Family::Ipv4 => self.ipv4.add(packets, bytes),
            Family::Ipv6 => self.ipv6.add(packets, bytes),
        }
    }
}

/// What one service (group of ports) saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceUse {
    /// Established MPTCP connections.
    pub connections: u64,
    /// MPTCP packets and bytes.
    pub mptcp: Amount,
    /// All TCP packets and bytes.
    pub tcp: Amount,
}

/// Announced addresses of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Announcements, echoes left out, repeats included.
    pub announcements: u64,
    /// Distinct addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// Announcements that a join to the address followed.
    pub joined: u64,
}

/// Repeated bytes over the connections with data on two or more subflows.
#[derive(Clone, Debug, Default)]
pub struct Repeats {
    /// Such connections.
    pub connections: u64,
    /// Those of them that repeated any.
    pub with_any: u64,
    /// Bytes repeated.
    pub bytes: u64,
    /// Unique data-level bytes of these connections.
    pub unique_bytes: u64,
    /// Distribution over connections of the repeated share of unique bytes.
    pub fraction: Distribution,
}

impl Repeats {
    fn add(&mut self, repeated: u64, unique: u64) {
        self.connections += 1;
        self.with_any += u64::from(repeated > 0);
        self.bytes += repeated;
        self.unique_bytes += unique;
        if unique > 0 {
            self.fraction.add(repeated as f64 / unique as f64);
        }
    }
}

/// The summary; a [`Sink`] that keeps totals instead of rows.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// All TCP.
    pub tcp: ByFamily,
    /// The part of it that belongs to MPTCP connections.
    pub mptcp: ByFamily,
    /// By service name, as [`service`] groups ports.
    pub services: BTreeMap<&'static str, ServiceUse>,
    /// Connections of the table: a SYN with MP_CAPABLE, or MPTCP traffic without a handshake.
    pub connections: u64,
    /// Those that became MPTCP: an established subflow, and no fallback in the handshake.
    pub established: u64,
    /// Established ones by version (`None`: not known).
    pub versions: BTreeMap<Option<u8>, u64>,
    /// Connections whose handshake is not (wholly) in the capture.
    pub incomplete: u64,
    /// Connections without any established subflow.
    pub unanswered: u64,
    /// Established connections by number of subflows attempted.
    pub attempted: BTreeMap<u32, u64>,
    /// Established connections by number of subflows established.
    pub subflows: BTreeMap<u32, u64>,
    /// Subflows by state.
    pub states: BTreeMap<State, u64>,
    /// Connections on which an address was announced.
    pub announcing: u64,
    /// Most addresses announced on one connection.
    pub most_announced: u32,
    /// Announced addresses by class.
    pub announced: BTreeMap<&'static str, Announced>,
    /// Delay of the second subflow, seconds, over connections that have one.
    pub join_delay: Distribution,
    /// Spread of the mean round-trip times of a connection's subflows, seconds.
    pub rtt_spread: Distribution,
    /// Reinjected bytes, connections with data on two or more subflows.
    pub reinjected: Repeats,
    /// Bytes retransmitted by TCP, over the same connections.
    pub retransmitted: Repeats,
    /// Bytes retransmitted by TCP on all MPTCP connections.
    pub retransmitted_bytes: u64,
    /// Unique data-level bytes of established connections, `c2s` and `s2c`.
    pub data_bytes: [u64; 2],
    /// Reinjected bytes of all connections, `c2s` and `s2c`.
    pub reinjected_bytes: [u64; 2],
    /// Sizes and durations of established connections, their blocks and switching rates.
    pub sizes: Sizes,
    /// What held established connections up.
    pub held: Held,
    /// Handovers, and connections that had any.
    pub handovers: u64,
    /// Connections with a handover.
    pub with_handover: u64,
    /// Connections by place of fallback.
    pub fallbacks: BTreeMap<Fallback, u64>,
    /// Connections that fell back, by place, service and the direction in which it showed.
    pub fallen: Fallen,
    /// Connections by kind of close.
    pub closes: BTreeMap<Close, u64>,
    /// Events by kind.
    pub events: BTreeMap<EventKind, u64>,
    /// Hosts that took part in MPTCP connections.
    pub hosts: u64,
    /// Hosts that opened MPTCP connections.
    pub clients: u64,
    /// What could not be read or used.
    pub issues: Vec<Issue>,
    /// Subflows with data, of connections whose own row is still to come.
    carriers: HashMap<u64, u32>,
}

impl Summary {
    /// Takes a row into account.
    pub fn add(&mut self, row: &AnyRow) {
        match row {
            AnyRow::Traffic(row) => self.add_traffic(row),
            AnyRow::Connection(row) => self.add_connection(row),
            AnyRow::Subflow(row) => self.add_subflow(row),
            AnyRow::Announcement(row) => self.add_announcement(row),
            AnyRow::Event(row) => {
                *self.events.entry(row.kind).or_default() += 1;
                self.fallen.add_event(row);
            }
            AnyRow::Host(Host { connections_as_client, .. }) => {
                self.hosts += 1;
                self.clients += u64::from(*connections_as_client > 0);
            }
            AnyRow::Issue(row) => self.issues.push(row.clone()),
            AnyRow::Stall(row) => self.held.add_stall(row),
            AnyRow::Reinjection(_)
            | AnyRow::Series(_)
            | AnyRow::Packet(_)
            | AnyRow::Carriage(_)
            | AnyRow::Sample(_) => {}
        }
    }

    fn add_traffic(&mut self, row: &Traffic) {
        self.tcp.add(row.family, row.packets, row.bytes);
        let service = self.services.entry(service(row.service_port)).or_default();
        service.tcp.add(row.packets, row.bytes);
        if row.mptcp {
            self.mptcp.add(row.family, row.packets, row.bytes);
            service.mptcp.add(row.packets, row.bytes);
        }
    }

    fn add_subflow(&mut self, row: &Subflow) {
        *self.states.entry(row.state).or_default() += 1;
        if row.bytes_c2s + row.bytes_s2c > 0 {
            *self.carriers.entry(row.connection_id).or_default() += 1;
        }
    }

    fn add_connection(&mut self, row: &Connection) {
        let carriers = self.carriers.remove(&row.connection_id).unwrap_or(0);
        self.connections += 1;
        self.incomplete += u64::from(!row.complete);
        self.fallen.add_connection(row);
        *self.fallbacks.entry(row.fallback).or_default() += 1;
        if row.subflows_established == 0 {
            self.unanswered += 1;
            return;
        }
        if !is_mptcp(row.fallback) {
            return;
        }
        self.established += 1;
        *self.versions.entry(row.version).or_default() += 1;
        *self.closes.entry(row.close).or_default() += 1;
        self.services.entry(service(Some(row.server_port))).or_default().connections += 1;
        *self.attempted.entry(row.subflows_attempted).or_default() += 1;
        *self.subflows.entry(row.subflows_established).or_default() += 1;
        self.announcing += u64::from(row.addresses_announced > 0);
        self.most_announced = self.most_announced.max(row.addresses_announced);
        if let Some(delay) = row.second_subflow_delay {
            self.join_delay.add(delay);
        }
        if let Some(spread) = row.rtt_spread {
            self.rtt_spread.add(spread);
        }
        let retransmitted = row.retransmitted_bytes_c2s + row.retransmitted_bytes_s2c;
        let reinjected = row.reinjected_bytes_c2s + row.reinjected_bytes_s2c;
        let unique = row.bytes_c2s + row.bytes_s2c;
        if carriers >= 2 {
            self.reinjected.add(reinjected, unique);
            self.retransmitted.add(retransmitted, unique);
        }
        self.sizes.add(row);
        self.held.add(row);
        self.retransmitted_bytes += retransmitted;
        self.data_bytes[0] += row.bytes_c2s;
        self.data_bytes[1] += row.bytes_s2c;
        self.reinjected_bytes[0] += row.reinjected_bytes_c2s;
        self.reinjected_bytes[1] += row.reinjected_bytes_s2c;
        self.handovers += u64::from(row.handovers);
        self.with_handover += u64::from(row.handovers > 0);
    }

    fn add_announcement(&mut self, row: &Announcement) {
        if !row.echo {
            let class = self.announced.entry(row.class).or_default();
            class.announcements += 1;
            class.addresses.insert(row.addr);
            class.joined += u64::from(row.joined);
        }
    }
}

/// Whether a connection that fell back there had been MPTCP at all.
pub fn is_mptcp(fallback: Fallback) -> bool {
    matches!(fallback, Fallback::None | Fallback::Checksum | Fallback::Later)
}

impl Sink for Summary {
    fn row(&mut self, row: AnyRow) {
        self.add(&row);
    }
}
