//! The rows that only the end of a run shows: connections, subflows, handovers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use subflow_rows::{Hex32, Hex64};
use subflow_wire::keys::Version;

use super::rows::{EventKind, Tables, TruthConnection, TruthEvent, TruthSubflow};
use super::side::{Side, SubflowSide};
use super::{Connection, Truth};
use crate::observe::{End, Handshake};

impl Truth {
    /// Ends the run: all tables.
    pub fn finish(mut self) -> Tables {
        for (id, connection) in std::mem::take(&mut self.connections) {
            for end in [End::Client, End::Server] {
                if connection.sides[end.index()].takes_part() {
                    self.finish_side(u64::from(id), end, &connection);
                }
            }
        }
        self.tables.events.sort_by_key(|event| event.time);
        self.tables
    }

    fn finish_side(&mut self, id: u64, end: End, connection: &Connection) {
        let side = &connection.sides[end.index()];
        let handovers = side.handovers();
        for &(subflow, silent, direction) in &handovers {
            self.tables.events.push(TruthEvent {
                connection_id: id,
                vantage: end,
                subflow_id: subflow as u32,
                time: self.moment(silent),
                direction,
                kind: EventKind::Handover,
            });
        }
        for (index, subflow) in side.subflows.iter().enumerate() {
            let row = self.subflow_row(id, end, index, subflow);
            self.tables.subflows.push(row);
        }
        let announced = self.announced(id, end);
        let row = self.connection_row(id, end, connection, handovers.len() as u32, announced);
        self.tables.connections.extend(row);
    }

    /// Distinct addresses announced, as seen at this end.
    fn announced(&self, id: u64, end: End) -> u32 {
        let rows = self.tables.announcements.iter();
        let rows = rows.filter(|row| row.connection_id == id && row.vantage == end && !row.echo);
        rows.map(|row| (row.addr, row.port)).collect::<BTreeSet<(IpAddr, Option<u16>)>>().len() as u32
    }

    fn connection_row(
        &self,
        connection_id: u64,
        vantage: End,
        connection: &Connection,
        handovers: u32,
        addresses_announced: u32,
    ) -> Option<TruthConnection> {
        let side: &Side = &connection.sides[vantage.index()];
        let (start, last) = side.span()?;
        let [client, server] = side.addresses();
        let version = side.version.and_then(|version| Version::try_from(version).ok());
        let number = |of: End| Some((side.keys[of.index()]?, version?));
        let token = |of: End| number(of).map(|(key, version)| Hex32(key.token(version)));
        let idsn = |of: End| number(of).map(|(key, version)| Hex64(key.idsn(version)));
        let key = |of: End| side.keys[of.index()].map(|key| Hex64(key.0));
        let sum = |of: fn(&SubflowSide) -> u64| side.subflows.iter().map(of).sum();
        Some(TruthConnection {
            connection_id,
            vantage,
            version: side.version,
            client_addr: client.ip(),
            client_port: client.port(),
            server_addr: server.ip(),
            server_port: server.port(),
            client_key: key(End::Client),
            server_key: key(End::Server),
            client_token: token(End::Client),
            server_token: token(End::Server),
            client_idsn: idsn(End::Client),
            server_idsn: idsn(End::Server),
            start: self.moment(start),
            duration: last.since(start).as_secs_f64(),
            subflows_attempted: side.subflows.len() as u32,
            subflows_established: sum(|subflow| u64::from(subflow.state == Some(Handshake::Established)))
                as u32,
            packets: sum(|subflow| subflow.packets.iter().sum()),
            wire_bytes: sum(|subflow| subflow.wire_bytes.iter().sum()),
            bytes_c2s: side.data[0].unique,
            bytes_s2c: side.data[1].unique,
            reinjected_bytes_c2s: sum(|subflow| subflow.reinjected[0]),
            reinjected_bytes_s2c: sum(|subflow| subflow.reinjected[1]),
            meta_retransmitted_bytes_c2s: side.meta_repeated[0],
            meta_retransmitted_bytes_s2c: side.meta_repeated[1],
            retransmitted_bytes_c2s: sum(|subflow| subflow.repeated[0]),
            retransmitted_bytes_s2c: sum(|subflow| subflow.repeated[1]),
            blocks_c2s: side.blocks[0],
            blocks_s2c: side.blocks[1],
            handovers,
            fallback: side.fallback,
            addresses_announced,
            close: side.close,
        })
    }

    fn subflow_row(&self, id: u64, vantage: End, index: usize, subflow: &SubflowSide) -> TruthSubflow {
        let last = subflow.last.iter().flatten().max().copied().unwrap_or(subflow.start);
        let rtts = [0, 1].map(|direction: usize| subflow.streams[direction].rtt.seconds());
        TruthSubflow {
            connection_id: id,
            vantage,
            subflow_id: index as u32,
            subflow: u64::from(subflow.subflow),
            opener: subflow.opener,
            src_addr: subflow.src.ip(),
            src_port: subflow.src.port(),
            dst_addr: subflow.dst.ip(),
            dst_port: subflow.dst.port(),
            start: self.moment(subflow.start),
            duration: last.since(subflow.start).as_secs_f64(),
            state: subflow.state.unwrap_or(Handshake::SynLost),
            backup: subflow.backup,
            address_id: subflow.address_id,
            packets_c2s: subflow.packets[0],
            packets_s2c: subflow.packets[1],
            wire_bytes_c2s: subflow.wire_bytes[0],
            wire_bytes_s2c: subflow.wire_bytes[1],
            bytes_c2s: subflow.bytes[0],
            bytes_s2c: subflow.bytes[1],
            data_bytes_c2s: subflow.data_bytes[0],
            data_bytes_s2c: subflow.data_bytes[1],
            unique_bytes_c2s: subflow.unique[0],
            unique_bytes_s2c: subflow.unique[1],
            retransmitted_bytes_c2s: subflow.repeated[0],
            retransmitted_bytes_s2c: subflow.repeated[1],
            retransmitted_packets_c2s: subflow.repeated_packets[0],
            retransmitted_packets_s2c: subflow.repeated_packets[1],
            reinjected_bytes_c2s: subflow.reinjected[0],
            reinjected_bytes_s2c: subflow.reinjected[1],
            rtt_samples_c2s: subflow.streams[0].rtt.count,
            rtt_samples_s2c: subflow.streams[1].rtt.count,
            rtt_min_c2s: rtts[0][0],
            rtt_min_s2c: rtts[1][0],
            rtt_mean_c2s: rtts[0][1],
            rtt_mean_s2c: rtts[1][1],
            rtt_max_c2s: rtts[0][2],
            rtt_max_s2c: rtts[1][2],
        }
    }
}
