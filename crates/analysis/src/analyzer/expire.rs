//! Ends of flows and connections: silence, closes that have lingered, the end of the capture.

use super::{Analyzer, Role};
use crate::{
    connection::{Connection, Counters, Ending},
    issues::Oddity,
    rows::{Direction, Sink},
};

impl<S: Sink> Analyzer<S> {
    /// Why a connection has ended by now, if it has.
    pub(super) fn over(&self, connection: &Connection, now: i64) -> Option<Ending> {
        let silent = now - connection.last;
        let patience = if connection.answered() {
            self.options.idle_timeout_ns
        } else {
            self.options.handshake_timeout_ns
        };
        if connection.closed() && silent > self.options.linger_ns {
            Some(Ending::Closed)
        } else if silent > patience {
            Some(Ending::Idle)
        } else {
            None
        }
    }

    /// Whether a connection has ended before this moment; ends it if so.
    pub(super) fn connection_over(&mut self, number: u32, now: i64) -> bool {
        let Some(connection) = self.connections.get(number) else { return true };
        let Some(end) = self.over(connection, now) else { return false };
        self.end_connection(number, end);
        true
    }

    /// Whether a flow has ended before this moment; ends it if so.
    pub(super) fn expire(&mut self, number: u32, now: i64) -> bool {
        let Some(flow) = self.flows.get(number) else { return true };
        match flow.role {
            Role::Plain | Role::Copy => {
                let silent = now - flow.last;
                let patience = if flow.answered() {
                    self.options.idle_timeout_ns
                } else {
                    self.options.handshake_timeout_ns
                };
                let over = silent > patience || flow.closed() && silent > self.options.linger_ns;
                if over {
                    self.end_plain(number);
                }
                over
            }
            Role::Subflow { connection, .. } => self.connection_over(connection, now),
        }
    }

    /// Ends all that has ended by now. Called once in a while: results do not depend on when.
    pub(super) fn sweep(&mut self, now: i64) {
        for number in self.connections.numbers() {
            self.connection_over(number, now);
        }
        for number in self.flows.numbers() {
            if self.flows.get(number).is_some_and(|flow| !matches!(flow.role, Role::Subflow { .. })) {
                self.expire(number, now);
            }
        }
    }

    /// Ends the connections that have closed and lingered. Their rows are the same whenever that is done.
    pub(super) fn end_closed(&mut self, now: i64) {
        for number in self.connections.numbers() {
            let Some(connection) = self.connections.get(number) else { continue };
            if self.over(connection, now) == Some(Ending::Closed) {
                self.end_connection(number, Ending::Closed);
            }
        }
    }

    /// Ends a plain flow: its packets join the traffic table.
    pub(super) fn end_plain(&mut self, number: u32) {
        let Some(flow) = self.flows.remove(number) else { return };
        self.index.remove(&flow.key, number);
        let filter = &self.options.filter;
        if matches!(flow.role, Role::Copy) {
            self.nat_copies += flow.counters.packets.iter().sum::<u64>();
        } else if filter.takes_plain() && filter.takes_flow(flow.key.end(0), flow.key.end(1)) {
            let (packets, bytes) = (flow.counters.packets.iter().sum(), flow.counters.bytes.iter().sum());
            self.traffic.add(flow.key.is_v6(), false, Some(flow.service_port()), packets, bytes);
        }
    }

    /// Ends a connection: its rows are written, its subflows forgotten.
    fn end_connection(&mut self, number: u32, end: Ending) {
        let Some(connection) = self.connections.remove(number) else { return };
        for token in connection.tokens.into_iter().flatten() {
            if self.tokens.get(&token).is_some_and(|entry| entry.0 == number) {
                self.tokens.remove(&token);
            }
        }
        let filter = &self.options.filter;
        let mut kept = false;
        let mut flows = Vec::with_capacity(connection.flows.len());
        for &number in &connection.flows {
            if let Some(flow) = self.flows.remove(number) {
                self.index.remove(&flow.key, number);
                kept |= filter.takes_flow(flow.key.end(0), flow.key.end(1));
                flows.push(flow);
            }
        }
        if connection.copy {
            self.nat_copies += flows.iter().flat_map(|flow| flow.counters.packets).sum::<u64>();
            return;
        }
        self.events_lost += connection.lost_events();
        if !kept || !filter.takes_connection(connection.id) {
            return;
        }
        let mut subflows = Vec::with_capacity(flows.len());
        let mut counters = Vec::with_capacity(flows.len());
        for flow in flows {
            let port = flow.service_port();
            let (packets, bytes) = (flow.counters.packets, flow.counters.bytes);
            self.traffic.add(flow.key.is_v6(), true, Some(port), packets.iter().sum(), bytes.iter().sum());
            let Role::Subflow { low, subflow, .. } = flow.role else { continue };
            for end in [subflow.src, subflow.dst] {
                let host = self.hosts.host(end.0, subflow.start, subflow.last);
                host.packets += packets.iter().sum::<u64>();
                host.bytes += bytes.iter().sum::<u64>();
                host.joins += u64::from(subflow.id != 0);
                host.connections_as_client += u64::from(subflow.id == 0 && end == connection.client);
                host.connections_as_server += u64::from(subflow.id == 0 && end == connection.server);
            }
            counters.push(match low {
                Direction::C2s => flow.counters,
                Direction::S2c => Counters { packets: [packets[1], packets[0]], bytes: [bytes[1], bytes[0]] },
            });
            subflows.push(*subflow);
        }
        connection.finish(subflows, &counters, end, &mut self.sink);
    }

    /// Ends everything and hands the sink back: all rows have been written to it.
    pub fn finish(mut self) -> S {
        while let Some(first) = self.reassembly.give_up(i64::MAX, true) {
            self.reassembled(&first);
        }
        for number in self.connections.numbers() {
            self.end_connection(number, Ending::Capture);
        }
        for number in self.flows.numbers() {
            self.end_plain(number);
        }
        self.issues.count_all(Oddity::NatCopy, self.nat_copies);
        self.issues.count_all(Oddity::Fragments, self.reassembly.incomplete);
        self.issues.count_all(Oddity::TooManyEvents, self.events_lost);
        self.traffic.finish(&mut self.sink);
        self.hosts.finish(&mut self.sink);
        self.issues.finish(&mut self.sink);
        self.sink
    }
}
