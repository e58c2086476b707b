//! Running totals: the traffic table and the hosts.

use crate::{
    addr::class,
    rows::{AnyRow, Family, Host, Sink, Traffic},
};
use std::{collections::BTreeMap, net::IpAddr};
use subflow_rows::Time;

/// The traffic table in the making.
#[derive(Debug, Default)]
pub(crate) struct TrafficTable {
    cells: BTreeMap<(Family, bool, Option<u16>), (u64, u64)>,
}

impl TrafficTable {
    /// Adds packets of one flow.
    pub(crate) fn add(&mut self, v6: bool, mptcp: bool, port: Option<u16>, packets: u64, bytes: u64) {
        let family = if v6 { Family::Ipv6 } else { Family::Ipv4 };
        let cell = self.cells.entry((family, mptcp, port)).or_default();
        cell.0 += packets;
        cell.1 += bytes;
    }

    /// Writes the rows.
    pub(crate) fn finish(self, sink: &mut impl Sink) {
        for ((family, mptcp, service_port), (packets, bytes)) in self.cells {
            sink.row(AnyRow::Traffic(Traffic { family, mptcp, service_port, packets, bytes }));
        }
    }
}

/// The hosts table in the making.
#[derive(Debug, Default)]
pub(crate) struct HostTable {
    hosts: BTreeMap<IpAddr, Host>,
}

impl HostTable {
    /// The row of a host that was heard from (or spoken to) between these times.
    pub(crate) fn host(&mut self, addr: IpAddr, first: i64, last: i64) -> &mut Host {
        let host = self.hosts.entry(addr).or_insert_with(|| Host {
            addr,
            class: class(addr),
            connections_as_client: 0,
            connections_as_server: 0,
            joins: 0,
            packets: 0,
            bytes: 0,
            first_seen: Time(first),
            last_seen: Time(last),
        });
        host.first_seen = host.first_seen.min(Time(first));
        host.last_seen = host.last_seen.max(Time(last));
        host
    }

    /// Writes the rows.
    pub(crate) fn finish(self, sink: &mut impl Sink) {
        for host in self.hosts.into_values() {
            sink.row(AnyRow::Host(host));
        }
    }
}
