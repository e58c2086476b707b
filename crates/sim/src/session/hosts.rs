//! Ends of connections bound to a network.

use std::net::{IpAddr, SocketAddr};

use super::peer::{Join, Peer};
use super::settings::{Settings, Spec};
use crate::balance::{Ecmp, FlowTuple};
use crate::header::{Header, Headers};
use crate::middlebox::{Action, Middleboxes};
use crate::net::{
    Endpoint, InterfaceId, LinkId, NONE, Network, Packet, PacketId, PathId, Verdict, Why, flags,
};
use crate::observe::{End, Observer, Sight};
use crate::time::Time;
use crate::world::Outcome;

/// The first port of further subflows.
const FIRST_PORT: u16 = 32_768;
/// Bytes around an IP packet on an Ethernet line: preamble, header, frame check sequence, gap.
const LINE_OVERHEAD: u32 = 38;

#[derive(Debug)]
struct Connection {
    spec: Spec,
    peers: [Peer; 2],
    timers: [Time; 2],
    next_port: u16,
    /// When the last byte of the direction from each end was there.
    completed: [Option<Time>; 2],
}

/// Where a subflow runs.
#[derive(Clone, Copy, Debug)]
struct Route {
    connection: u32,
    /// Client to server, and back.
    paths: [PathId; 2],
}

/// All connections with their ends, the boxes on their way and whoever watches.
#[derive(Debug)]
pub struct Hosts<O = ()> {
    classes: Vec<Settings>,
    connections: Vec<Connection>,
    routes: Vec<Route>,
    headers: Headers,
    boxes: Middleboxes,
    ecmp: Ecmp,
    seed: u64,
    observer: O,
}

impl<O: Observer> Hosts<O> {
    /// Hosts without connections. `classes` are the settings that connections name.
    pub fn new(
        net: &mut Network,
        classes: Vec<Settings>,
        boxes: Middleboxes,
        seed: u64,
        observer: O,
    ) -> Self {
        for link in boxes.links() {
            net.set_intercepted(link);
        }
        let ecmp = Ecmp::new(net, seed, true, false);
        Self {
            classes,
            connections: Vec::new(),
            routes: Vec::new(),
            headers: Headers::new(),
            boxes,
            ecmp,
            seed,
            observer,
        }
    }

    /// A connection more; its number. `None` when its class or its interfaces are not there.
    pub fn add(&mut self, net: &mut Network, spec: Spec) -> Option<u32> {
        let settings = self.classes.get(spec.class)?;
        let number = self.connections.len() as u32;
        let addresses = |interfaces: &[InterfaceId]| {
            let of = |&interface: &InterfaceId| address(net, interface, spec.v6);
            interfaces.iter().map(of).collect::<Option<Vec<_>>>()
        };
        let (client, server) = (addresses(&spec.client)?, addresses(&spec.server)?);
        let mut peers = [
            Peer::new(number, End::Client, settings, client, spec.bytes[0], self.seed),
            Peer::new(number, End::Server, settings, server, spec.bytes[1], self.seed),
        ];
        for &(after, end, action) in &spec.actions {
            peers[end.index()].plan(spec.start + after, action);
        }
        net.set_start(spec.start, number);
        self.connections.push(Connection {
            spec,
            peers,
            timers: [Time::MAX; 2],
            next_port: FIRST_PORT,
            completed: [None; 2],
        });
        Some(number)
    }

    /// One end of a connection.
    pub fn peer(&self, connection: u32, end: End) -> Option<&Peer> {
        self.connections.get(connection as usize).map(|it| &it.peers[end.index()])
    }

    /// What became of the data from one end of a connection so far.
    pub fn outcome(&self, connection: u32, from: End, now: Time) -> Option<Outcome> {
        let it = self.connections.get(connection as usize)?;
        let mut outcome = it.peers[from.index()].sent_so_far();
        it.peers[from.other().index()].received_so_far(&mut outcome);
        outcome.started = (it.spec.start <= now).then_some(it.spec.start);
        outcome.completed = it.completed[from.index()];
        Some(outcome)
    }

    /// Header records in use.
    pub fn headers(&self) -> usize {
        self.headers.live()
    }

    /// Whoever watched, when the run is over.
    pub fn into_observer(self) -> O {
        self.observer
    }

    /// Opens a subflow of a connection, if there is a way there and back.
    fn open(
        &mut self,
        net: &mut Network,
        number: u32,
        from: InterfaceId,
        to: InterfaceId,
        ports: (u16, u16),
    ) {
        let there = FlowTuple { from, to, from_port: ports.0, to_port: ports.1 };
        let paths = [there, there.reversed()].map(|tuple| self.ecmp.path(net, tuple, 0));
        let [Some(path), Some(back)] = paths else { return };
        let Some(it) = self.connections.get_mut(number as usize) else { return };
        let (Some(local), Some(remote)) = (address(net, from, it.spec.v6), address(net, to, it.spec.v6))
        else {
            return;
        };
        let id = self.routes.len() as u32;
        self.routes.push(Route { connection: number, paths: [path, back] });
        let (local, remote) = (SocketAddr::new(local, ports.0), SocketAddr::new(remote, ports.1));
        it.peers[0].open(net.now(), id, local, remote);
    }

    /// A join that a client wants.
    fn join(&mut self, net: &mut Network, number: u32, join: Join) {
        let Some(it) = self.connections.get_mut(number as usize) else { return };
        let find = |interfaces: &[InterfaceId], addr: IpAddr| {
            interfaces.iter().copied().find(|&id| address(net, id, addr.is_ipv6()) == Some(addr))
        };
        let from = find(&it.spec.client, join.local);
        let to = find(&it.spec.server, join.remote.ip());
        let (Some(from), Some(to)) = (from, to) else { return };
        // 64 connections' worth of ports apart, so that those of one host seldom meet.
        let port = it.next_port.wrapping_add((number as u16).wrapping_mul(64)) | FIRST_PORT;
        it.next_port += 1;
        self.open(net, number, from, to, (port, join.remote.port()));
    }

    /// What an end has done is brought about.
    fn flush(&mut self, net: &mut Network, number: u32, end: End) {
        let now = net.now();
        loop {
            let Some(it) = self.connections.get_mut(number as usize) else { return };
            let peer = &mut it.peers[end.index()];
            let (facts, segments, joins) = (peer.take_facts(), peer.take_segments(), peer.take_joins());
            if O::ACTIVE {
                for fact in facts {
                    self.observer.fact(now, number, end, fact);
                }
            }
            for (subflow, mut header) in segments {
                if O::ACTIVE {
                    self.observer.sent(Sight { now, connection: number, subflow, end }, &mut header);
                }
                let Some(path) = self.routes.get(subflow as usize).map(|route| route.paths[end.index()])
                else {
                    continue;
                };
                let id = self.packet(net, subflow, end, path, header);
                net.send(id);
            }
            if joins.is_empty() {
                break;
            }
            for join in joins {
                self.join(net, number, join);
            }
        }
        let Some(it) = self.connections.get_mut(number as usize) else { return };
        let deadline = it.peers[end.index()].deadline();
        if deadline < it.timers[end.index()] {
            it.timers[end.index()] = deadline;
            net.set_timer(deadline, number << 1 | end.index() as u32);
        }
    }

    fn packet(
        &mut self,
        net: &mut Network,
        subflow: u32,
        from: End,
        path: PathId,
        header: Header,
    ) -> PacketId {
        let ecn = if header.traffic_class & 3 == 2 { flags::ECT } else { 0 };
        let (dsn, len, wire_len) = (header.payload.dsn, header.payload.len, header.wire_len());
        let seq = u64::from(header.seq);
        let record = self.headers.insert(header);
        net.set_wire_length(record, wire_len + LINE_OVERHEAD);
        let subflow = subflow << 1 | from.index() as u32;
        net.alloc(Packet { subflow, path, seq, dsn, len, hop: 0, flags: ecn, header: record })
    }

    /// Takes the record of a packet, with what the network did to it.
    fn take_header(&mut self, net: &Network, packet: &Packet) -> Header {
        let mut header = *self.headers.get(packet.header);
        self.headers.remove(packet.header);
        show_way(net, packet, &mut header);
        header
    }

    fn sight(&self, now: Time, packet: &Packet) -> Sight {
        let end = if packet.subflow & 1 == 0 { End::Client } else { End::Server };
        let subflow = packet.subflow >> 1;
        let connection = self.routes.get(subflow as usize).map_or(0, |route| route.connection);
        Sight { now, connection, subflow, end }
    }
}

/// Marks and hops of a packet, in its header: the time to live falls at every router.
fn show_way(net: &Network, packet: &Packet, header: &mut Header) {
    let routers = packet.hop.saturating_sub(1);
    header.hop_limit = header.hop_limit.saturating_sub(routers);
    if packet.flags & flags::CE != 0 {
        header.traffic_class |= 3;
    }
    let _ = net;
}

fn address(net: &Network, interface: InterfaceId, v6: bool) -> Option<IpAddr> {
    let it = net.interface(interface)?;
    Some(if v6 { IpAddr::V6(it.v6) } else { IpAddr::V4(it.v4) })
}

impl<O: Observer> Endpoint for Hosts<O> {
    const OBSERVES: bool = O::ACTIVE;

    fn start(&mut self, net: &mut Network, flow: u32) {
        let Some(spec) = self.connections.get(flow as usize).map(|it| it.spec.clone()) else { return };
        let (Some(&from), Some(&to)) = (spec.client.first(), spec.server.first()) else { return };
        self.open(net, flow, from, to, (spec.client_port, spec.server_port));
        self.flush(net, flow, End::Client);
    }

    fn arrive(&mut self, net: &mut Network, id: PacketId) {
        let packet = *net.packet(id);
        net.free(id);
        if packet.header == NONE {
            return;
        }
        let header = self.take_header(net, &packet);
        let from = self.sight(net.now(), &packet);
        let at = Sight { end: from.end.other(), ..from };
        if O::ACTIVE {
            self.observer.arrived(at, &header);
        }
        let Some(it) = self.connections.get_mut(at.connection as usize) else { return };
        it.peers[at.end.index()].arrive(at.now, at.subflow, &header);
        let sender = from.end.index();
        let all = it.spec.bytes[sender];
        if it.completed[sender].is_none() && all > 0 && it.peers[at.end.index()].delivered() >= all {
            it.completed[sender] = Some(at.now);
        }
        self.flush(net, at.connection, at.end);
    }

    fn timer(&mut self, net: &mut Network, token: u32) {
        let (number, end) = (token >> 1, if token & 1 == 0 { End::Client } else { End::Server });
        let now = net.now();
        let Some(it) = self.connections.get_mut(number as usize) else { return };
        if it.timers[end.index()] != now {
            return;
        }
        it.timers[end.index()] = Time::MAX;
        if it.peers[end.index()].deadline() <= now {
            it.peers[end.index()].timer(now);
        }
        self.flush(net, number, end);
    }

    fn dropped(&mut self, net: &mut Network, link: LinkId, id: PacketId, why: Why) {
        let packet = *net.packet(id);
        if packet.header == NONE {
            return;
        }
        let header = self.take_header(net, &packet);
        net.packet_mut(id).header = NONE;
        if O::ACTIVE {
            self.observer.lost(self.sight(net.now(), &packet), link, &header, why);
        }
    }

    fn intercept(&mut self, net: &mut Network, link: LinkId, id: PacketId) -> Verdict {
        let packet = *net.packet(id);
        if packet.header == NONE {
            return Verdict::Forward;
        }
        let mut sent = Vec::new();
        let header = self.headers.get_mut(packet.header);
        let action = self.boxes.pass(link, header, &mut sent);
        net.set_wire_length(packet.header, header.wire_len() + LINE_OVERHEAD);
        let from = self.sight(net.now(), &packet);
        for (same_way, header) in sent {
            let (end, path, hop) = if same_way {
                (from.end, packet.path, packet.hop)
            } else {
                let Some(route) = self.routes.get(from.subflow as usize) else { continue };
                let back = route.paths[from.end.other().index()];
                // The link out of the same node, on the way back.
                let Some(hop) = hop_back(net, packet.path, packet.hop, back) else { continue };
                (from.end.other(), back, hop)
            };
            let own = self.packet(net, from.subflow, end, path, header);
            net.packet_mut(own).hop = hop;
            // Out of this box it does not pass it again.
            let next = net.path_links(path).nth(usize::from(hop));
            match next {
                Some(link) if self.boxes.stand_on(link) => net.send_past(own),
                _ => net.send(own),
            }
        }
        match action {
            Action::Forward => Verdict::Forward,
            Action::Drop => Verdict::Drop,
            Action::Consume => {
                self.headers.remove(packet.header);
                net.free(id);
                Verdict::Taken
            }
        }
    }

    fn entered(&mut self, net: &Network, link: LinkId, packet: &Packet, _departs: Time) {
        if packet.header != NONE {
            let mut header = *self.headers.get(packet.header);
            show_way(net, packet, &mut header);
            self.observer.entered(net.now(), link, &header);
        }
    }

    fn left(&mut self, net: &Network, link: LinkId, packet: &Packet) {
        if packet.header != NONE {
            let mut header = *self.headers.get(packet.header);
            show_way(net, packet, &mut header);
            self.observer.left(net.now(), link, &header);
        }
    }
}

/// The place on the path back of the link that leaves the node at which link number `hop` of `path` begins.
fn hop_back(net: &Network, path: PathId, hop: u8, back: PathId) -> Option<u8> {
    let at = net.path_links(path).nth(usize::from(hop))?;
    let node = net.graph().edges().get(at.0 as usize)?.from;
    let leaves =
        |link: LinkId| net.graph().edges().get(link.0 as usize).is_some_and(|edge| edge.from == node);
    let place = net.path_links(back).position(leaves)?;
    u8::try_from(place).ok()
}
