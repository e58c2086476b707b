//! The rows of a connection that has ended.

use super::{Connection, Subflow, half::Half};
use crate::rows::{
    AnyRow, Close, Connection as ConnectionRow, Direction, Fallback, Family, Opener, Sink, State,
    Subflow as SubflowRow,
};
use std::collections::BTreeSet;
use subflow_rows::{Hex32, Hex64, Time};

/// Subflows with fewer RTT samples say nothing about the spread.
const FEWEST_SAMPLES: u64 = 3;

/// What ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All its subflows closed.
    Closed,
    /// Nothing was heard for the idle limit.
    Idle,
    /// The capture ended.
    Capture,
}

/// Packets and bytes of a subflow by direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    /// Packets.
    pub(crate) packets: [u64; 2],
    /// Bytes from the IP header onward.
    pub(crate) bytes: [u64; 2],
}

impl Connection {
    /// Writes the connection's rows. `subflows` are in order of their ids, each with its counters.
    pub(crate) fn finish(
        mut self,
        mut subflows: Vec<Subflow>,
        counters: &[Counters],
        end: Ending,
        sink: &mut impl Sink,
    ) {
        for subflow in &mut subflows {
            self.align_rest(subflow);
            self.settle_unmapped(subflow, Direction::C2s);
            self.settle_unmapped(subflow, Direction::S2c);
        }
        if let Some(detail) = &mut self.detail {
            detail.drain(Some(sink));
        }
        let handovers = self.find_handovers(&subflows);
        for (subflow, counters) in subflows.iter().zip(counters) {
            sink.row(AnyRow::Subflow(Box::new(self.subflow_row(subflow, &subflows, counters))));
        }
        let row = self.connection_row(&subflows, counters, handovers, end);
        for announcement in self.announcements {
            sink.row(AnyRow::Announcement(announcement));
        }
        for reinjection in self.reinjections {
            sink.row(AnyRow::Reinjection(reinjection));
        }
        // Handovers and fallbacks that only the end shows go where they belong.
        self.events.sort_by_key(|event| event.time);
        for event in self.events {
            sink.row(AnyRow::Event(event));
        }
        sink.row(AnyRow::Connection(Box::new(row)));
    }

    /// Events and announcements that were too many to keep.
    pub(crate) fn lost_events(&self) -> u64 {
        self.events_lost
    }

    fn connection_row(
        &self,
        subflows: &[Subflow],
        counters: &[Counters],
        handovers: u32,
        end: Ending,
    ) -> ConnectionRow {
        let duration = (self.last - self.start) as f64 / 1e9;
        let sum = |half: fn(&Half) -> u64, direction: Direction| {
            subflows.iter().map(|subflow| half(&subflow.halves[direction.index()])).sum::<u64>()
        };
        let (c2s, s2c) = (Direction::C2s, Direction::S2c);
        let rate = |blocks: u64| (blocks > 0 && duration > 0.0).then(|| (blocks - 1) as f64 / duration);
        let start = self.handshake_start(subflows);
        let joined = |subflow: &Subflow| {
            !matches!(
                subflow.state(),
                State::Refused | State::Reset | State::SynLost | State::Stripped | State::Midstream
            )
        };
        let second = subflows
            .iter()
            .skip(1)
            .filter(|subflow| joined(subflow))
            .filter_map(|subflow| Some(subflow.start - start?));
        let announced: BTreeSet<_> =
            self.announcements.iter().filter(|row| !row.echo).map(|row| (row.addr, row.port)).collect();
        ConnectionRow {
            connection_id: self.id,
            version: self.version.map(|version| version as u8),
            client_addr: self.client.0,
            client_port: self.client.1,
            server_addr: self.server.0,
            server_port: self.server.1,
            client_key: self.keys[0].map(|key| Hex64(key.0)),
            server_key: self.keys[1].map(|key| Hex64(key.0)),
            client_token: self.tokens[0].map(Hex32),
            server_token: self.tokens[1].map(Hex32),
            client_idsn: self.idsn[0].map(Hex64),
            server_idsn: self.idsn[1].map(Hex64),
            client_first_dsn: self.base[0].map(|base| Hex64(base.dsn)),
            server_first_dsn: self.base[1].map(|base| Hex64(base.dsn)),
            start: Time(self.start),
            duration,
            subflows_attempted: subflows.len() as u32,
            subflows_established: subflows.iter().filter(|subflow| subflow.established()).count() as u32,
            packets: counters.iter().flat_map(|counters| counters.packets).sum(),
            wire_bytes: counters.iter().flat_map(|counters| counters.bytes).sum(),
            bytes_c2s: self.data[0].unique,
            bytes_s2c: self.data[1].unique,
            fast_open_bytes: sum(|half| half.syn_bytes, c2s) + sum(|half| half.syn_bytes, s2c),
            reinjected_bytes_c2s: self.reinjected[0],
            reinjected_bytes_s2c: self.reinjected[1],
            meta_retransmitted_bytes_c2s: self.meta_repeated[0],
            meta_retransmitted_bytes_s2c: self.meta_repeated[1],
            retransmitted_bytes_c2s: sum(|half| half.repeated, c2s),
            retransmitted_bytes_s2c: sum(|half| half.repeated, s2c),
            out_of_order_bytes_c2s: self.data[0].out_of_order,
            out_of_order_bytes_s2c: self.data[1].out_of_order,
            blocks_c2s: self.blocks[0],
            blocks_s2c: self.blocks[1],
            switching_rate_c2s: rate(self.blocks[0]),
            switching_rate_s2c: rate(self.blocks[1]),
            rtt_spread: rtt_spread(subflows),
            second_subflow_delay: second.filter(|&delay| delay > 0).min().map(|delay| delay as f64 / 1e9),
            data_rtt_mean_c2s: self.data[0].rtt.mean(),
            data_rtt_mean_s2c: self.data[1].rtt.mean(),
            handovers,
            fallback: self.fallback,
            checksum: self.checksum.filter(|_| self.capable[1] || self.capable[2]),
            addresses_announced: announced.len() as u32,
            close: self.close(subflows, end),
            complete: self.capable[0]
                && subflows.first().is_some_and(|initial| initial.synack_time.is_some()),
        }
    }

    /// When the initial subflow began, if that was seen.
    fn handshake_start(&self, subflows: &[Subflow]) -> Option<i64> {
        subflows
            .first()
            .filter(|initial| initial.phase.is_some() && !initial.join)
            .map(|initial| initial.start)
    }

    fn close(&self, subflows: &[Subflow], end: Ending) -> Close {
        let reset = subflows.iter().any(|subflow| subflow.reset.is_some_and(|reset| !reset.in_handshake))
            || subflows.first().is_some_and(|initial| initial.reset.is_some());
        let all_closed = !subflows.is_empty() && subflows.iter().all(|subflow| subflow.closed());
        let fins = self.data_fin.iter().flatten().count();
        if self.fastclose {
            Close::FastClose
        } else if fins == 2 && self.fallback == Fallback::None {
            Close::DataFin
        } else if reset && all_closed {
            Close::Reset
        } else if fins == 1 && (all_closed || end != Ending::Capture) && self.fallback == Fallback::None {
            Close::DataFin
        } else if subflows.iter().any(|subflow| subflow.closed()) && all_closed {
            Close::Fin
        } else if end == Ending::Idle {
            Close::Timeout
        } else {
            Close::Open
        }
    }

    fn subflow_row(&self, subflow: &Subflow, subflows: &[Subflow], counters: &Counters) -> SubflowRow {
        let [c2s, s2c] = &subflow.halves;
        let start = self.handshake_start(subflows).filter(|_| subflow.id != 0 && subflow.phase.is_some());
        SubflowRow {
            connection_id: self.id,
            subflow_id: u32::from(subflow.id),
            opener: match subflow.opener {
                Direction::C2s => Opener::Client,
                Direction::S2c => Opener::Server,
            },
            src_addr: subflow.src.0,
            src_port: subflow.src.1,
            dst_addr: subflow.dst.0,
            dst_port: subflow.dst.1,
            family: if subflow.src.0.is_ipv6() { Family::Ipv6 } else { Family::Ipv4 },
            start: Time(subflow.start),
            duration: (subflow.last - subflow.start) as f64 / 1e9,
            join_delay: start.map(|start| (subflow.start - start) as f64 / 1e9),
            state: subflow.state(),
            backup: subflow.backup,
            backup_at_end: self.is_backup(subflow),
            address_id: subflow.address_id,
            hmac_ok: subflow.hmac_ok,
            packets_c2s: counters.packets[0],
            packets_s2c: counters.packets[1],
            bytes_c2s: c2s.bytes,
            bytes_s2c: s2c.bytes,
            mapped_bytes_c2s: c2s.mapped,
            mapped_bytes_s2c: s2c.mapped,
            unique_bytes_c2s: c2s.unique,
            unique_bytes_s2c: s2c.unique,
            retransmitted_bytes_c2s: c2s.repeated,
            retransmitted_bytes_s2c: s2c.repeated,
            retransmitted_packets_c2s: c2s.repeated_packets,
            retransmitted_packets_s2c: s2c.repeated_packets,
            reinjected_bytes_c2s: c2s.reinjected,
            reinjected_bytes_s2c: s2c.reinjected,
            rtt_min_c2s: c2s.karn.stats.min(),
            rtt_mean_c2s: c2s.karn.stats.mean(),
            rtt_max_c2s: c2s.karn.stats.max(),
            rtt_dev_c2s: c2s.karn.stats.deviation(),
            rtt_samples_c2s: c2s.karn.stats.count(),
            rtt_min_s2c: s2c.karn.stats.min(),
            rtt_mean_s2c: s2c.karn.stats.mean(),
            rtt_max_s2c: s2c.karn.stats.max(),
            rtt_dev_s2c: s2c.karn.stats.deviation(),
            rtt_samples_s2c: s2c.karn.stats.count(),
            rtt_timestamp_c2s: c2s.stamps.stats.mean(),
            rtt_timestamp_s2c: s2c.stamps.stats.mean(),
            rtt_handshake: subflow.handshake_rtt.map(|rtt| rtt as f64 / 1e9),
            ttl: subflow.ttl,
            reset_reason: subflow.reset.map(|reset| reset.reason.unwrap_or("rst")),
            unused: self.unused(subflow, subflows),
        }
    }
}

/// Highest minus lowest mean RTT over subflows with enough samples, in the direction with more samples.
fn rtt_spread(subflows: &[Subflow]) -> Option<f64> {
    let samples = |index: usize| subflows.iter().map(|s| s.halves[index].karn.stats.count()).sum::<u64>();
    let index = usize::from(samples(1) > samples(0));
    let means: Vec<f64> = subflows
        .iter()
        .map(|subflow| subflow.halves[index].karn.stats)
        .filter(|stats| stats.count() >= FEWEST_SAMPLES)
        .filter_map(|stats| stats.mean())
        .collect();
    let highest = means.iter().copied().reduce(f64::max)?;
    let lowest = means.iter().copied().reduce(f64::min)?;
    (means.len() >= 2).then_some(highest - lowest)
}
