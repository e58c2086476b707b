//! What was seen of connections: of each the packets that tell what a path does to options.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use super::seen::Seen;

/// Connections that are remembered at a time; the oldest is forgotten first.
pub const MOST_FLOWS: usize = 4096;

/// What was seen of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The first SYN.
    pub first_syn: Seen,
    /// The last SYN before anything came back: a system leaves the option out when it has waited long enough.
    pub syn: Seen,
    /// The first SYN/ACK.
    pub syn_ack: Option<Seen>,
    /// The client's first packet with data.
    pub data: Option<Seen>,
    /// The server's first packet with data.
    pub data_back: Option<Seen>,
    /// The server's first reset.
    pub reset: Option<Seen>,
}

/// Ends of a connection, the client's first.
type Ends = (SocketAddr, SocketAddr);

/// What was seen of the latest connections.
#[derive(Debug, Default)]
pub struct Flows {
    flows: HashMap<Ends, Flow>,
    /// In the order of their first SYN.
    order: VecDeque<Ends>,
}

impl Flows {
    /// Takes an IP packet into account.
    pub fn packet(&mut self, packet: &[u8]) {
        if let Some(seen) = Seen::read(packet) {
            self.seen(seen);
        }
    }

    /// Takes a packet into account.
    pub fn seen(&mut self, seen: Seen) {
        let flags = seen.flags;
        if flags.syn() && !flags.ack() {
            return self.opened(seen);
        }
        if let Some(flow) = self.flows.get_mut(&(seen.src, seen.dst)) {
            if seen.data_len > 0 {
                flow.data.get_or_insert(seen);
            }
        } else if let Some(flow) = self.flows.get_mut(&(seen.dst, seen.src)) {
            if flags.syn() {
                flow.syn_ack.get_or_insert(seen);
            } else if flags.rst() {
                flow.reset.get_or_insert(seen);
            } else if seen.data_len > 0 {
                flow.data_back.get_or_insert(seen);
            }
        }
    }

    fn opened(&mut self, seen: Seen) {
        let ends = (seen.src, seen.dst);
        match self.flows.get_mut(&ends) {
            // The same once more, or the second sight of it.
            Some(flow) if flow.syn.seq == seen.seq => {
                if flow.syn_ack.is_none() {
                    flow.syn = seen;
                }
            }
            Some(flow) => *flow = Flow::new(seen),
            None => {
                if self.order.len() >= MOST_FLOWS
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.flows.remove(&oldest);
                }
                self.order.push_back(ends);
                self.flows.insert(ends, Flow::new(seen));
            }
        }
    }

    /// What was seen of a connection.
    pub fn get(&self, client: SocketAddr, server: SocketAddr) -> Option<&Flow> {
        self.flows.get(&(client, server))
    }
}

impl Flow {
    /// A flow of which the SYN was seen.
    pub fn new(syn: Seen) -> Self {
        Self { first_syn: syn.clone(), syn, syn_ack: None, data: None, data_back: None, reset: None }
    }
}

#[cfg(test)]
mod tests {
    use subflow_wire::tcp::Flags;

    use super::*;
    use crate::check::seen::tests::{SYN_OPTIONS, packet};

    const CLIENT: &str = "10.0.0.1:4000";
    const SERVER: &str = "10.0.0.2:80";

    #[test]
    fn the_packets_that_count_are_kept() {
        let mut flows = Flows::default();
        let both = Flags::SYN | Flags::ACK;
        let psh = Flags::PSH | Flags::ACK;
        flows.packet(&packet(SERVER, CLIENT, both, 9, &[], b""));
        assert!(flows.get(CLIENT.parse().unwrap(), SERVER.parse().unwrap()).is_none());
        flows.packet(&packet(CLIENT, SERVER, Flags::SYN, 7, &SYN_OPTIONS, b""));
        flows.packet(&packet(CLIENT, SERVER, Flags::SYN, 7, &SYN_OPTIONS[..20], b""));
        flows.packet(&packet(SERVER, CLIENT, both, 9, &SYN_OPTIONS[..4], b""));
        flows.packet(&packet(SERVER, CLIENT, both, 9, &[], b""));
        flows.packet(&packet(CLIENT, SERVER, Flags::SYN, 7, &[], b""));
        flows.packet(&packet(CLIENT, SERVER, Flags::ACK, 8, &[], b""));
        for data in ["one", "second"] {
            flows.packet(&packet(CLIENT, SERVER, psh, 8, &[], data.as_bytes()));
            flows.packet(&packet(SERVER, CLIENT, psh, 10, &[], data.as_bytes()));
        }
        flows.packet(&packet(SERVER, CLIENT, Flags::RST, 10, &[], b""));
        let flow = flows.get(CLIENT.parse().unwrap(), SERVER.parse().unwrap()).unwrap();
        assert!(flow.first_syn.has_mptcp() && !flow.syn.has_mptcp());
        assert_eq!(flow.syn.options.len(), 20);
        assert_eq!(flow.syn_ack.as_ref().unwrap().mss(), Some(1460));
        assert_eq!(flow.data.as_ref().unwrap().data_len, 3);
        assert_eq!(flow.data_back.as_ref().unwrap().data_len, 3);
        assert!(flow.reset.is_some());
        // Another connection of the same ends begins anew.
        flows.packet(&packet(CLIENT, SERVER, Flags::SYN, 8, &[], b""));
        let flow = flows.get(CLIENT.parse().unwrap(), SERVER.parse().unwrap()).unwrap();
        assert!(flow.syn_ack.is_none() && !flow.first_syn.has_mptcp());
    }

    #[test]
    fn memory_is_bounded() {
        let mut flows = Flows::default();
        let client = |n: usize| format!("10.1.{}.{}:4000", n >> 8, n & 255);
        for n in 0..=MOST_FLOWS {
            flows.packet(&packet(&client(n), SERVER, Flags::SYN, 7, &[], b""));
        }
        assert_eq!((flows.flows.len(), flows.order.len()), (MOST_FLOWS, MOST_FLOWS));
        let server = SERVER.parse().unwrap();
        assert!(flows.get(client(0).parse().unwrap(), server).is_none());
        assert!(flows.get(client(1).parse().unwrap(), server).is_some());
    }
}
