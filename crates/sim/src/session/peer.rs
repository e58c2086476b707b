//! One end of a connection.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use subflow_wire::Key;
use subflow_wire::keys::Version;
use subflow_wire::tcp::Flags;

use super::settings::{Action, PathManager, Settings};
use super::subflow::{Phase, Subflow};
use crate::congestion::Congestion;
use crate::header::{Header, OptionBytes, Payload};
use crate::mptcp::{DataReceiver, DataSender};
use crate::observe::{Close, End, Fact, Fallback, Handshake};
use crate::random::{Purpose, Random};
use crate::time::{Duration, Time};
use crate::transport::TimerDid;
use crate::world::Outcome;

/// How long an end that has closed answers what still comes.
const LINGER: Duration = Duration::from_secs(10);

/// A subflow that the end wants to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join {
    /// Its own address.
    pub local: IpAddr,
    /// The other end.
    pub remote: SocketAddr,
}

/// An address that this end has announced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced {
    pub(super) id: u8,
    pub(super) addr: IpAddr,
    pub(super) again_at: Time,
    pub(super) tries: u8,
}

/// One end of one connection.
#[derive(Debug)]
pub struct Peer {
    pub(super) connection: u32,
    pub(super) end: End,
    pub(super) settings: Settings,
    /// Addresses of this end; their places are their ids.
    pub(super) locals: Vec<IpAddr>,
    pub(super) random: Random,
    pub(super) key: Key,
    pub(super) remote_key: Option<Key>,
    pub(super) version: Version,
    pub(super) checksum: bool,
    /// Multipath TCP is in use: not plain, not fallen back.
    pub(super) multipath: bool,
    /// The other end has shown that it uses Multipath TCP, too.
    pub(super) confirmed: bool,
    pub(super) fallback: Option<Fallback>,
    /// The next data segment carries the infinite mapping.
    pub(super) infinite: bool,
    /// Data sequence number of offset 0 of what this end sends, and of what it receives.
    pub(super) first: u64,
    pub(super) remote_first: Option<u64>,
    pub(super) subflows: Vec<Subflow>,
    pub(super) congestion: Congestion,
    pub(super) data: DataSender,
    pub(super) received: DataReceiver,
    pub(super) bytes: u64,
    /// The subflow that carried the last new chunk.
    pub(super) last: u16,
    pub(super) remotes: Vec<(u8, IpAddr)>,
    pub(super) managed: bool,
    pub(super) announced: Vec<Announced>,
    /// Number of the DATA_FIN that was sent, and when it goes again.
    pub(super) data_fin: Option<u64>,
    pub(super) data_fin_at: Time,
    /// Number of the other end's DATA_FIN.
    pub(super) remote_fin: Option<u64>,
    pub(super) remote_done: bool,
    pub(super) closed: Option<(Time, Close)>,
    pub(super) actions: VecDeque<(Time, Action)>,
    pub(super) identification: u16,
    pub(super) out: Vec<(u32, Header)>,
    pub(super) facts: Vec<Fact>,
    pub(super) joins: Vec<Join>,
}

impl Peer {
    /// An end with nothing said yet.
    pub fn new(
        connection: u32,
        end: End,
        settings: &Settings,
        locals: Vec<IpAddr>,
        bytes: u64,
        seed: u64,
    ) -> Self {
        let mut random =
            Random::indexed(seed, Purpose::Keys, u64::from(connection) << 1 | end.index() as u64);
        let key = Key(random.next_u64());
        let version = settings.version.unwrap_or(Version::V1);
        let transport = &settings.transport;
        let mss = u32::from(transport.mss);
        let mut data = DataSender::new(transport.receive_window);
        data.write(bytes);
        Self {
            connection,
            end,
            settings: settings.clone(),
            locals,
            identification: random.next_u32() as u16,
            random,
            key,
            remote_key: None,
            version,
            checksum: settings.checksum,
            multipath: false,
            confirmed: false,
            fallback: None,
            infinite: false,
            first: key.idsn(version).wrapping_add(1),
            remote_first: None,
            subflows: Vec::new(),
            congestion: Congestion::new(transport.algorithm, mss, transport.initial_window),
            data,
            received: DataReceiver::new(mss),
            bytes,
            last: 0,
            remotes: Vec::new(),
            managed: false,
            announced: Vec::new(),
            data_fin: None,
            data_fin_at: Time::MAX,
            remote_fin: None,
            remote_done: false,
            closed: None,
            actions: VecDeque::new(),
            out: Vec::new(),
            facts: Vec::new(),
            joins: Vec::new(),
        }
    }

    /// Something to do at a time; times must not go back.
    pub fn plan(&mut self, at: Time, action: Action) {
        self.actions.push_back((at, action));
    }

    /// Segments to be sent, with the numbers of their subflows.
    pub fn take_segments(&mut self) -> Vec<(u32, Header)> {
        std::mem::take(&mut self.out)
    }

    /// What the end has learnt or decided.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }

    /// Subflows that it wants: whoever drives it calls [`Peer::open`] for those that have a route.
    pub fn take_joins(&mut self) -> Vec<Join> {
        std::mem::take(&mut self.joins)
    }

    /// Bytes of the other end that came in order.
    pub fn delivered(&self) -> u64 {
        self.received.nxt() - u64::from(self.remote_done && self.remote_fin.is_some())
    }

    /// What its senders counted.
    pub(super) fn sent_so_far(&self) -> Outcome {
        let mut outcome = Outcome { reinjected_bytes: self.data.reinjected_bytes, ..Outcome::default() };
        for subflow in &self.subflows {
            let counts = &subflow.sender.counts;
            outcome.segments += counts.segments;
            outcome.retransmits += counts.retransmits;
            outcome.timeouts += u64::from(counts.timeouts);
            outcome.recoveries += u64::from(counts.recoveries);
        }
        outcome.subflows = self.subflows.len() as u32;
        outcome
    }

    /// What its receivers counted of the other end's data.
    pub(super) fn received_so_far(&self, outcome: &mut Outcome) {
        outcome.delivered = self.delivered();
        outcome.most_held = self.received.most_held;
        for subflow in &self.subflows {
            outcome.duplicates += subflow.receiver.counts.duplicates;
            outcome.out_of_order += subflow.receiver.counts.out_of_order;
            outcome.marked += subflow.receiver.counts.marked;
        }
    }

    /// How the connection ended for this end.
    pub fn close(&self) -> Option<Close> {
        self.closed.map(|closed| closed.1)
    }

    /// Where it fell back to plain TCP.
    pub fn fallback(&self) -> Option<Fallback> {
        self.fallback
    }

    /// When [`Peer::timer`] is to be called; [`Time::MAX`] for never.
    pub fn deadline(&self) -> Time {
        let subflows = self.subflows.iter().filter(|subflow| subflow.phase != Phase::Dead);
        let subflows = subflows.map(|it| it.again_at.min(it.sender.deadline()).min(it.receiver.deadline()));
        let announced = self.announced.iter().map(|announced| announced.again_at);
        let action = self.actions.front().map(|action| action.0);
        subflows.chain(announced).chain(action).min().unwrap_or(Time::MAX).min(self.data_fin_at)
    }

    /// A deadline has come.
    pub fn timer(&mut self, now: Time) {
        while let Some(&(_, action)) = self.actions.front().filter(|action| action.0 <= now) {
            self.actions.pop_front();
            self.act(now, action);
        }
        if self.closed.is_some_and(|(since, _)| now - since > LINGER) {
            self.give_up();
            return;
        }
        for i in 0..self.subflows.len() {
            if self.subflows[i].again_at <= now {
                self.repeat_handshake(now, i);
            }
            self.sender_timer(now, i);
            let it = &self.subflows[i];
            if it.phase != Phase::Dead && it.receiver.is_due(now) {
                self.ack(now, i);
            }
        }
        self.repeat_control(now);
        self.pump(now);
    }

    fn sender_timer(&mut self, now: Time, i: usize) {
        let it = &mut self.subflows[i];
        if it.phase == Phase::Dead || it.sender.deadline() > now {
            return;
        }
        let flight = it.sender.in_flight();
        match it.sender.on_timer(now, &self.settings.transport.sender) {
            TimerDid::Expired => {
                self.facts.push(Fact::TimedOut { subflow: it.id });
                self.congestion.on_timeout(i, now, flight);
                self.hand_over(i);
            }
            TimerDid::Entered => self.congestion.on_loss(i, now, flight),
            TimerDid::Looked | TimerDid::Nothing => {}
        }
    }

    /// The connection is over: nothing is repeated any more.
    fn give_up(&mut self) {
        for subflow in &mut self.subflows {
            subflow.phase = Phase::Dead;
        }
        self.data_fin_at = Time::MAX;
        self.announced.clear();
        self.actions.clear();
    }

    /// What the end tells of a handshake.
    pub(super) fn tell(&mut self, i: usize, state: Handshake) {
        let it = &self.subflows[i];
        if !it.foreign {
            self.facts.push(Fact::Handshake { subflow: it.id, state });
        }
    }

    /// The connection goes on as plain TCP.
    pub(super) fn fall_back(&mut self, i: usize, kind: Fallback) {
        if self.fallback.is_none() {
            self.fallback = Some(kind);
            self.facts.push(Fact::Fallback { subflow: self.subflows[i].id, kind });
        }
        self.multipath = false;
        self.announced.clear();
        self.joins.clear();
        for join in self.subflows.iter_mut().skip(1).filter(|it| it.phase == Phase::SynSent) {
            join.again_at = Time::MAX;
        }
    }

    /// A segment of a subflow: next number, cumulative ACK, timestamps, no payload.
    pub(super) fn segment(&mut self, now: Time, i: usize, flags: Flags) -> Header {
        let it = &self.subflows[i];
        let seq = it.local_isn.wrapping_add(1).wrapping_add(it.sender.nxt() as u32);
        let ack = it.remote_isn.wrapping_add(1).wrapping_add(it.receiver.nxt() as u32);
        let scale = it.scales.map_or(0, |scales| scales.0);
        let window = (self.settings.transport.receive_window >> scale).min(u64::from(u16::MAX)) as u16;
        let mut header = Header::new(it.local, it.remote, seq, ack, flags, window);
        let stamps = it.timestamps.then_some((self.clock(now), it.recent));
        if flags.rst() {
            header.window = 0;
        } else {
            header.options = OptionBytes::segment(stamps);
        }
        self.dress(&mut header);
        header
    }

    /// What every segment of this end has.
    pub(super) fn dress(&mut self, header: &mut Header) {
        header.identification = self.identification;
        self.identification = self.identification.wrapping_add(1);
        let dsn = self.first.wrapping_add(self.data.nxt());
        let stream = Payload::stream(self.connection, self.end == End::Server);
        header.payload = Payload { stream, dsn, ..Payload::default() };
    }

    /// The clock of timestamps: milliseconds from a number of its own.
    pub(super) fn clock(&self, now: Time) -> u32 {
        ((now.0 / 1_000_000_000) as u32).wrapping_add((self.key.0 >> 40) as u32)
    }

    pub(super) fn send(&mut self, i: usize, header: Header) {
        self.out.push((self.subflows[i].id, header));
    }

    /// What the path manager wants, once the first subflow is confirmed.
    pub(super) fn manage_paths(&mut self, now: Time) {
        if std::mem::replace(&mut self.managed, true) || !self.multipath {
            return;
        }
        let (local, remote) = (self.subflows[0].local, self.subflows[0].remote);
        if self.end == End::Server {
            if self.settings.announce {
                let others: Vec<_> = self.locals.iter().copied().enumerate().skip(1).collect();
                for (id, addr) in others {
                    self.announce(now, id as u8, addr);
                }
            }
            return;
        }
        match self.settings.path_manager {
            PathManager::None => {}
            PathManager::FullMesh => self.mesh(remote),
            PathManager::Ndiffports(count) => {
                let join = Join { local: local.ip(), remote };
                self.joins.extend(std::iter::repeat_n(join, usize::from(count).saturating_sub(1)));
            }
        }
    }

    /// Every local address to this one.
    pub(super) fn mesh(&mut self, remote: SocketAddr) {
        for &local in &self.locals {
            let known = self.subflows.iter().any(|it| it.local.ip() == local && it.remote == remote);
            let join = Join { local, remote };
            if !known && local.is_ipv4() == remote.is_ipv4() && !self.joins.contains(&join) {
                self.joins.push(join);
            }
        }
    }
}
