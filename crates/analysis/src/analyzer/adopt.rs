//! From flows to connections: whose subflow is this?

use super::{Analyzer, Flow, Role};
use crate::{
    connection::{Connection, Measuring},
    flow::End,
    issues::Oddity,
    rows::{Direction, Sink},
    segment::Segment,
    sight::Sight,
};
use subflow_wire::mptcp::{Join, Mptcp};

/// Subflows of a connection; a flood of joins by one token has no end.
const MOST_SUBFLOWS: usize = u16::MAX as usize;
/// Joins of a connection that may still be seen a second time.
const MOST_NONCES: usize = 64;
/// Connections that a flow without a handshake is compared with, the youngest first.
const MOST_COMPARED: usize = 1024;

impl<S: Sink> Analyzer<S> {
    /// A flow shows its first MPTCP option: makes it a subflow, if the option tells of which connection.
    pub(super) fn adopt(&mut self, number: u32, side: usize, segment: &Segment<'_>) {
        let Some(flow) = self.flows.get(number) else { return };
        let (src, dst) = (flow.key.end(side), flow.key.end(1 - side));
        let syn = segment.flags.syn();
        match segment.handshake() {
            Some(Mptcp::Capable(option)) => {
                // A SYN/ACK comes from the server; so does nothing else with MP_CAPABLE.
                let from_client = !(syn && segment.flags.ack());
                if !syn && option.receiver_key.is_none() {
                    return;
                }
                let (client, server) = if from_client { (src, dst) } else { (dst, src) };
                let connection = self.begin(client, server, segment);
                self.attach(
                    number,
                    connection,
                    if from_client { side } else { 1 - side },
                    Direction::C2s,
                    segment,
                );
            }
            Some(Mptcp::Join(Join::Syn { token, nonce, address_id, .. })) if syn => {
                let (connection, owner) = self.by_token(token, segment.time).unwrap_or_else(|| {
                    let connection = self.begin(src, dst, segment);
                    self.tokens.insert(token, (connection, Direction::S2c));
                    (connection, Direction::S2c)
                });
                let Some(found) = self.connections.get_mut(connection) else { return };
                let sight = Sight::of((src, dst), segment);
                let twin = |&(other, id, before): &(u32, u8, Sight)| {
                    other == nonce && id == address_id && sight.is_beyond_nat(&before)
                };
                if found.join_nonces.iter().any(twin) {
                    if let Some(flow) = self.flows.get_mut(number) {
                        flow.role = Role::Copy;
                    }
                    return;
                }
                if found.join_nonces.len() == MOST_NONCES {
                    found.join_nonces.remove(0);
                }
                found.join_nonces.push((nonce, address_id, sight));
                self.attach(number, connection, side, owner.reverse(), segment);
            }
            _ => self.adopt_by_numbers(number, side, src, dst, segment),
        }
    }

    /// A connection has learned a token. If a connection with this very key began just before, this is its copy from
    /// the other side of a NAT.
    pub(super) fn learn_token(&mut self, number: u32, owner: Direction, token: u32) {
        let Some(this) = self.connections.get(number).filter(|this| !this.copy) else { return };
        let other = self.tokens.get(&token).map(|entry| entry.0).filter(|&other| other != number);
        if let Some(other_number) = other
            && let Some(other) = self.connections.get(other_number)
            && this.sight.is_beyond_nat(&other.sight)
            && this.keys[owner.index()].is_some()
            && this.keys[owner.index()] == other.keys[owner.index()]
        {
            // The one that began first is kept; the tokens stand for it.
            let (kept, copy) =
                if this.start < other.start { (number, other_number) } else { (other_number, number) };
            if let Some(copy) = self.connections.get_mut(copy) {
                copy.copy = true;
            }
            self.tokens.insert(token, (kept, owner));
            return;
        }
        self.tokens.insert(token, (number, owner));
    }

    /// The connection that a token belongs to, and the side that owns it.
    fn by_token(&mut self, token: u32, time: i64) -> Option<(u32, Direction)> {
        let &(connection, owner) = self.tokens.get(&token)?;
        if self.connection_over(connection, time) {
            return None;
        }
        Some((connection, owner))
    }

    /// No handshake was seen: data sequence numbers near those of a known connection tell whose subflow this is, and
    /// which way it goes; else it is the first sight of a connection.
    fn adopt_by_numbers(&mut self, number: u32, side: usize, src: End, dst: End, segment: &Segment<'_>) {
        let Some(dss) = &segment.dss else {
            // Half a handshake tells nothing; the data that follow it do. Nor does a reset after a SYN without the option: MP_TCPRST
            // is also how a join is given up whose option was gone when it came here.
            let bare = self.flows.get(number).is_some_and(|flow| flow.opener.is_some() && flow.looks > 0);
            if segment.handshake().is_none() && !(bare && segment.flags.rst()) {
                self.begin_midstream(number, side, src, dst, segment);
            }
            return;
        };
        let mut nearest: Option<(u64, u32, Direction)> = None;
        for candidate in self.connections.numbers().rev().take(MOST_COMPARED) {
            let Some(connection) = self.connections.get(candidate) else { continue };
            let ends = [connection.client.0, connection.server.0];
            let related = ends.contains(&src.0) || ends.contains(&dst.0);
            for direction in [Direction::C2s, Direction::S2c] {
                let Some(kin) = connection.kinship(direction, dss) else { continue };
                let nearer = nearest.is_none_or(|(before, ..)| kin.distance < before);
                if nearer && (kin.certain || related) && self.over(connection, segment.time).is_none() {
                    nearest = Some((kin.distance, candidate, direction));
                }
            }
        }
        if let Some((_, connection, direction)) = nearest {
            let opener = if direction == Direction::C2s { side } else { 1 - side };
            self.attach(number, connection, opener, Direction::C2s, segment);
            return;
        }
        self.begin_midstream(number, side, src, dst, segment);
    }

    /// The first sight of a connection is none of its handshake.
    fn begin_midstream(&mut self, number: u32, side: usize, src: End, dst: End, segment: &Segment<'_>) {
        // The side with the higher port is the likelier client.
        let client_side = if src.1 >= dst.1 { side } else { 1 - side };
        let (client, server) = if client_side == side { (src, dst) } else { (dst, src) };
        let connection = self.begin(client, server, segment);
        self.attach(number, connection, client_side, Direction::C2s, segment);
    }

    /// Begins a connection.
    fn begin(&mut self, client: End, server: End, segment: &Segment<'_>) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        let sight = Sight::of((client, server), segment);
        let measuring = Measuring { series: self.options.series_ns, stall: self.options.stall_ns };
        let mut connection = Box::new(Connection::new(id, client, server, sight, measuring));
        let filter = &self.options.filter;
        if self.options.detail && filter.takes_connection(id) && filter.takes_flow(client, server) {
            connection.tell_all();
        }
        self.connections.insert(connection)
    }

    /// Makes a flow a subflow: `opener` is the side that sent (or would have sent) the SYN, in direction `direction`.
    fn attach(
        &mut self,
        number: u32,
        connection: u32,
        opener: usize,
        direction: Direction,
        segment: &Segment<'_>,
    ) {
        let Some(owner) = self.connections.get_mut(connection) else { return };
        if owner.flows.len() >= MOST_SUBFLOWS {
            self.issues.count(Oddity::TooManySubflows);
            return;
        }
        let Some(flow) = self.flows.get_mut(number) else { return };
        let (src, dst) = (flow.key.end(opener), flow.key.end(1 - opener));
        let initial = matches!(segment.handshake(), Some(Mptcp::Capable(_)));
        let mut subflow = Box::new(owner.add_subflow(number, direction, src, dst, segment.time));
        subflow.join = !initial;
        subflow.address_id = initial.then_some(0);
        let low = if opener == 0 { direction } else { direction.reverse() };
        flow.role = Role::Subflow { connection, low, subflow };
        flow.opener = flow.opener.or_else(|| segment.flags.syn().then_some((opener, segment.seq)));
    }

    /// Another connection begins on the 4-tuple of this flow.
    pub(super) fn displace(&mut self, number: u32, time: i64) {
        if let Some(Flow { role: Role::Subflow { connection, subflow, .. }, .. }) = self.flows.get_mut(number)
        {
            if let Some(connection) = self.connections.get_mut(*connection) {
                connection.displaced(subflow, time);
            }
        } else {
            self.end_plain(number);
        }
    }
}
