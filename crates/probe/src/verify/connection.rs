//! One connection to a server, from SYN to the end: handshake, first data, second subflow, the rest of the request, the answer. It is
//! a machine without socket and clock; it notes what came and leaves it to others what that means.

use std::net::SocketAddr;

use subflow_wire::checksum::dss_checksum;
use subflow_wire::keys::{Version, join_hmac, leftmost64};
use subflow_wire::mptcp::{Capable, Dsn, Dss, FastClose, Join, Mapping, Mptcp};
use subflow_wire::tcp::Tcp;
use subflow_wire::{IpPacket, Key};

use super::flow::{Arrival, Flow, State};
use super::handshake::{judge_join, judge_syn_ack};
use super::request::Parts;
use super::seen::Seen;
use super::settings::Timing;
use super::space::{Mappings, Space, keep};
use crate::answers::OptionBytes;
use crate::network::{Nanos, Out};
use crate::rows::{AnswerStep, DataStep, JoinStep, SynStep};

/// A server that sends more than this is cut off.
const MOST_RECEIVED: u64 = 256 << 10;
/// How often our DATA_FIN is sent.
const FINS: u32 = 3;
/// DATA_ACKs that miss the right one by less are wrong counts; others belong to other keys.
const NEAR: u64 = 4096;
/// Announced addresses that are noted and returned.
const MOST_ANNOUNCED: usize = 16;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The SYN is on its way.
    Opening,
    /// The first part of the request is.
    Asking,
    /// The second subflow is being opened.
    Joining,
    /// The rest of the request is on its way, or the answer to it.
    Finishing,
    /// Both sides end.
    Closing,
    /// It has ended.
    Over,
}

/// What is particular to one connection.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// `None` for plain TCP.
    pub(super) version: Option<Version>,
    pub(super) key: Key,
    /// Our random number for the second subflow.
    pub(super) nonce: u32,
    /// Initial sequence numbers of both subflows.
    pub(super) iss: [u32; 2],
    /// Added to the clock in timestamps.
    pub(super) clock: u32,
    /// Our ends of both subflows.
    pub(super) local: [SocketAddr; 2],
    pub(super) remote: SocketAddr,
    /// Number of the first subflow's packets; the second has the next one.
    pub(super) id: u32,
    /// Whether we ask for DSS checksums.
    pub(super) checksum: bool,
    pub(super) request: Parts,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) identity: Identity,
    timing: Timing,
    idsn: u64,
    first: Flow,
    second: Option<Flow>,
    mappings: [Mappings; 2],
    stage: Stage,
    /// When this stage ends at the latest.
    until: Nanos,
    pub(super) began: Nanos,
    pub(super) ended: Nanos,
    asked: Nanos,
    /// Data-level bytes sent, and of these acknowledged.
    pub(super) sent: u64,
    acked: u64,
    checksum: bool,
    /// No option is sent any more.
    plain: bool,
    /// The second subflow carries the rest of the request.
    on_second: bool,
    pub(super) space: Option<Space>,
    /// Options of ours that nobody else has reason to send.
    own: Vec<OptionBytes>,
    fins: u32,
    fin_due: Option<Nanos>,
    fin_acked: bool,
    pub(super) seen: Seen,
}

fn bytes_of(option: &Mptcp<'_>) -> OptionBytes {
    let mut bytes = [0; 40];
    let len = option.emit(&mut bytes).unwrap_or(0);
    OptionBytes::new(bytes.get(..len).unwrap_or(&[]))
}

impl Connection {
    pub(super) fn new(identity: Identity, timing: Timing) -> Self {
        let ends = (identity.local[0], identity.remote);
        let first = Flow::new(identity.id, ends, identity.iss[0], identity.clock, timing.rto, timing.retries);
        Self {
            idsn: identity.version.map_or(0, |version| identity.key.idsn(version)),
            timing,
            first,
            second: None,
            mappings: [Mappings::default(), Mappings::default()],
            stage: Stage::Opening,
            until: 0,
            began: 0,
            ended: 0,
            asked: 0,
            sent: 0,
            acked: 0,
            checksum: identity.checksum,
            plain: identity.version.is_none(),
            on_second: false,
            space: None,
            own: Vec::new(),
            fins: 0,
            fin_due: None,
            fin_acked: false,
            seen: Seen::default(),
            identity,
        }
    }

    /// Sends the SYN.
    pub(super) fn begin(&mut self, now: Nanos, out: &mut Out) {
        (self.began, self.ended) = (now, now);
        self.until = Nanos::MAX;
        let option = self.identity.version.map_or(OptionBytes::new(&[]), |version| {
            let sender_key = (version == Version::V0).then_some(self.identity.key);
            bytes_of(&Mptcp::Capable(self.capable(version, sender_key, None)))
        });
        self.first.open(now, option, out);
    }

    fn capable(&self, version: Version, sender_key: Option<Key>, receiver_key: Option<Key>) -> Capable {
        let checksum = if self.checksum { Capable::CHECKSUM_REQUIRED } else { 0 };
        let flags = Capable::HMAC | checksum;
        Capable { version: version.into(), flags, sender_key, receiver_key, data_len: None, checksum: None }
    }

    /// Counts of both subflows: sent, sent again, received.
    pub(super) fn counts(&self) -> [u32; 3] {
        [Some(&self.first), self.second.as_ref()].into_iter().flatten().fold([0; 3], |sum, flow| {
            let counts = flow.counts;
            [sum[0] + counts.sent, sum[1] + counts.again, sum[2] + counts.received]
        })
    }

    /// Round-trip times of both handshakes.
    pub(super) fn rtt(&self) -> [Option<Nanos>; 2] {
        [self.first.rtt, self.second.as_ref().and_then(|flow| flow.rtt)]
    }

    /// The DATA_ACK for everything in the first part of the request.
    pub(super) fn data_ack_expected(&self) -> u64 {
        self.number(self.identity.request.first().len() as u64)
    }

    /// Whether a second subflow was tried.
    pub(super) fn has_joined(&self) -> bool {
        self.second.is_some()
    }

    pub(super) fn checksum(&self) -> bool {
        self.checksum
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// When it wants to be woken.
    pub(super) fn due(&self) -> Option<Nanos> {
        if self.is_over() {
            return None;
        }
        let second = self.second.as_ref().and_then(Flow::due);
        let until = (self.until != Nanos::MAX).then_some(self.until);
        [self.first.due(), second, until, self.fin_due].into_iter().flatten().min()
    }

    /// A packet of one of the subflows has left.
    pub(super) fn left(&mut self, second: bool, at: Nanos) {
        if second {
            if let Some(flow) = &mut self.second {
                flow.left(at);
            }
        } else {
            self.first.left(at);
        }
    }

    /// The data sequence number behind so many bytes of ours.
    fn number(&self, bytes: u64) -> u64 {
        self.idsn.wrapping_add(1).wrapping_add(bytes)
    }

    /// A number as this version writes it: version 0 in its usual short form.
    fn dsn(&self, number: u64) -> Dsn {
        match self.identity.version {
            Some(Version::V0) => Dsn::Short(number as u32),
            _ => Dsn::Long(number),
        }
    }

    /// The option of an acknowledgement.
    fn signal(&self) -> OptionBytes {
        match &self.space {
            Some(space) if !self.plain => {
                let data_ack = Some(self.dsn(space.next()));
                bytes_of(&Mptcp::Dss(Dss { data_ack, mapping: None, data_fin: false, reserved: 0 }))
            }
            _ => OptionBytes::new(&[]),
        }
    }

    /// The option beside data from `offset` on.
    fn mapped(&mut self, offset: u64, relative: u32, payload: &[u8], data_fin: bool) -> OptionBytes {
        let Some(space) = self.space.as_ref().filter(|_| !self.plain) else { return OptionBytes::new(&[]) };
        let dsn = self.number(offset);
        let len = payload.len() as u16 + u16::from(data_fin);
        let checksum = self.checksum.then(|| dss_checksum(dsn, relative, len, payload));
        let mapping = Mapping { dsn: self.dsn(dsn), subflow_seq: relative, len, checksum };
        let data_ack = Some(self.dsn(space.next()));
        let option = bytes_of(&Mptcp::Dss(Dss { data_ack, mapping: Some(mapping), data_fin, reserved: 0 }));
        self.own.push(option);
        option
    }

    /// Takes a segment in that came to one of its ports.
    pub(super) fn packet(&mut self, now: Nanos, ip: &IpPacket<'_>, tcp: &Tcp<'_>, second: bool, out: &mut Out) {
        if self.is_over() {
            return;
        }
        let flow = if second { self.second.as_mut() } else { Some(&mut self.first) };
        let Some(flow) = flow else { return };
        let arrival = flow.receive(now, tcp);
        if arrival != Arrival::Nothing {
            self.seen.ttl.get_or_insert(ip.hop_limit);
        }
        match arrival {
            Arrival::Nothing | Arrival::OpenedAgain => {}
            Arrival::Opened if second => self.joined(now, tcp, out),
            Arrival::Opened => self.opened(now, tcp, out),
            Arrival::Reset => self.was_reset(tcp, second),
            Arrival::Segment { relative, payload, fin, to_acknowledge } => {
                self.signals(now, tcp, second, out);
                self.payload(relative, payload, second);
                if second && matches!(self.seen.join, Some(JoinStep::Unconfirmed)) {
                    self.seen.join = Some(JoinStep::Confirmed);
                }
                self.seen.their_fin |= fin;
                self.advance(now, out);
                if to_acknowledge && !self.is_over() {
                    let option = self.signal();
                    if let Some(flow) = self.flow(second) {
                        flow.acknowledge(now, &option, out);
                    }
                }
                return;
            }
        }
        self.advance(now, out);
    }

    fn flow(&mut self, second: bool) -> Option<&mut Flow> {
        let flow = if second { self.second.as_mut() } else { Some(&mut self.first) };
        flow.filter(|flow| flow.state == State::Open)
    }

    /// The SYN/ACK of the first subflow has come.
    fn opened(&mut self, now: Nanos, tcp: &Tcp<'_>, out: &mut Out) {
        self.seen.syn_ack(tcp);
        let Some(version) = self.identity.version else {
            self.seen.syn = SynStep::NoOption;
            return self.ask(now, out);
        };
        let (step, capable) = judge_syn_ack(version, self.identity.key, tcp);
        self.seen.syn = step;
        self.seen.flags = capable.map(|capable| capable.flags);
        self.seen.server_key = capable.and_then(|capable| capable.sender_key);
        match (step, self.seen.server_key) {
            (SynStep::Capable, Some(key)) => {
                self.checksum |= capable.is_some_and(|capable| capable.checksum_required());
                self.space = Some(Space::new(key.idsn(version)));
                self.ask(now, out);
            }
            (SynStep::NoOption | SynStep::Padded, _) => {
                self.plain = true;
                self.ask(now, out);
            }
            _ => self.abort(now, out),
        }
    }

    /// Sends the first part of the request.
    fn ask(&mut self, now: Nanos, out: &mut Out) {
        (self.stage, self.asked, self.until) = (Stage::Asking, now, now + self.timing.patience);
        let payload = self.identity.request.first().to_vec();
        let keys = self.seen.server_key.filter(|_| !self.plain);
        let option = match (self.identity.version, keys) {
            (Some(Version::V1), Some(server_key)) => {
                let checksum = self.checksum.then(|| {
                    dss_checksum(self.number(0), 1, payload.len() as u16, &payload)
                });
                let capable = self.capable(Version::V1, Some(self.identity.key), Some(server_key));
                let capable = Capable { data_len: Some(payload.len() as u16), checksum, ..capable };
                let option = bytes_of(&Mptcp::Capable(capable));
                self.own.push(option);
                option
            }
            (Some(Version::V0), Some(server_key)) => {
                let capable = self.capable(Version::V0, Some(self.identity.key), Some(server_key));
                let option = bytes_of(&Mptcp::Capable(capable));
                self.own.push(option);
                self.first.third_ack(now, option, out);
                self.mapped(0, 1, &payload, false)
            }
            _ => OptionBytes::new(&[]),
        };
        self.first.data(now, &payload, option, out);
        self.sent = payload.len() as u64;
    }

    /// Reads the options of a segment of an open subflow.
    fn signals(&mut self, now: Nanos, tcp: &Tcp<'_>, second: bool, out: &mut Out) {
        if self.identity.version.is_none() {
            return;
        }
        for option in tcp.options().mptcp() {
            let bytes = bytes_of(&option);
            if self.own.contains(&bytes) {
                self.seen.mirrored = true;
                continue;
            }
            match option {
                Mptcp::Dss(dss) => {
                    self.seen.signals = true;
                    if let Some(ack) = dss.data_ack {
                        self.data_ack(now, ack);
                    }
                    if let Some(space) = &mut self.space {
                        space.signal(&mut self.mappings[usize::from(second)], &dss);
                    }
                }
                Mptcp::Fail(_) => self.seen.fail = true,
                Mptcp::AddAddr(announced) if !announced.echo => {
                    self.seen.signals = true;
                    if self.seen.announce(&announced, self.identity.key) <= MOST_ANNOUNCED && !self.plain {
                        if announced.version == 1 {
                            let echo = subflow_wire::mptcp::AddAddr { echo: true, hmac: None, ..announced };
                            let echo = bytes_of(&Mptcp::AddAddr(echo));
                            if let Some(flow) = self.flow(second) {
                                flow.acknowledge(now, &echo, out);
                            }
                        }
                    }
                }
                Mptcp::Unknown { .. } | Mptcp::Malformed { .. } => {}
                _ => self.seen.signals = true,
            }
        }
    }

    fn data_ack(&mut self, now: Nanos, ack: Dsn) {
        let expected = self.data_ack_expected();
        let number = ack.widen(expected);
        let bytes = number.wrapping_sub(self.number(0));
        let end = self.sent + u64::from(self.fins > 0);
        if bytes > end {
            let off = number.wrapping_sub(self.number(end)).min(self.number(0).wrapping_sub(number));
            let step = if off < NEAR { DataStep::BadAck } else { DataStep::OtherKey };
            if self.seen.wrong_ack.is_none() {
                self.seen.wrong_ack = Some(step);
                self.seen.data_ack = Some(number);
            }
            return;
        }
        if self.seen.wrong_ack.is_none() && self.acked < self.identity.request.first().len() as u64 {
            self.seen.data_ack = Some(number);
        }
        self.fin_acked |= self.fins > 0 && bytes == end;
        self.acked = self.acked.max(bytes.min(self.sent));
        if self.has_first_acked() && self.seen.data_rtt.is_none() {
            self.seen.data_rtt = Some(now - self.asked);
        }
    }

    fn has_first_acked(&self) -> bool {
        self.acked >= self.identity.request.first().len() as u64
    }

    fn payload(&mut self, relative: u32, payload: &[u8], second: bool) {
        if payload.is_empty() {
            return;
        }
        match &mut self.space {
            Some(space) => {
                let mappings = &mut self.mappings[usize::from(second)];
                if space.payload(mappings, relative, payload) {
                    return;
                }
                self.seen.unmapped = true;
            }
            None => {}
        }
        self.seen.received += payload.len() as u64;
        keep(&mut self.seen.head, payload);
    }

    /// All payload that came.
    pub(super) fn received(&self) -> u64 {
        self.seen.received + self.space.as_ref().map_or(0, |space| space.received)
    }

    fn was_reset(&mut self, tcp: &Tcp<'_>, second: bool) {
        let reason = tcp.options().mptcp().find_map(|option| match option {
            Mptcp::TcpRst(reset) => Some(reset.reason),
            _ => None,
        });
        self.seen.reset_reason[usize::from(second)] = reason;
        if second {
            self.seen.join = match self.seen.join {
                None => Some(JoinStep::Reset),
                Some(JoinStep::Unconfirmed) => Some(JoinStep::Dropped),
                other => other,
            };
        } else if self.stage == Stage::Opening {
            self.seen.syn = SynStep::Reset;
        } else {
            self.seen.was_reset = true;
        }
    }

    /// An ICMP error quotes a packet of one of the subflows.
    pub(super) fn icmp(&mut self, now: Nanos, second: bool, error: (u8, u8, std::net::IpAddr), out: &mut Out) {
        // Only a SYN is given up for it, as hosts do (RFC 5461); and that when it has been repeated in vain.
        let opening = if second {
            self.second.as_ref().is_some_and(|flow| flow.state == State::Opening)
        } else {
            self.stage == Stage::Opening
        };
        if opening && !self.is_over() {
            self.seen.icmp.get_or_insert(error);
            self.seen.icmp_on[usize::from(second)] = true;
        }
        self.advance(now, out);
    }

    /// The time has come that it asked for.
    pub(super) fn timer(&mut self, now: Nanos, out: &mut Out) {
        if self.is_over() {
            return;
        }
        self.first.timer(now, out);
        if let Some(second) = &mut self.second {
            second.timer(now, out);
        }
        if self.fin_due.is_some_and(|due| due <= now) {
            self.data_fin(now, out);
        }
        self.advance(now, out);
    }

    /// Goes on as far as what came allows.
    fn advance(&mut self, now: Nanos, out: &mut Out) {
        if self.is_over() {
            return;
        }
        self.ended = now;
        if self.seen.mirrored || self.received() > MOST_RECEIVED {
            return self.abort(now, out);
        }
        if self.first.state != State::Open && self.stage != Stage::Opening {
            return self.abort(now, out);
        }
        let is_late = now >= self.until;
        match self.stage {
            Stage::Opening => {
                if matches!(self.first.state, State::Reset | State::GaveUp) {
                    if self.first.state == State::GaveUp && self.seen.icmp_on[0] {
                        self.seen.syn = SynStep::Icmp;
                    }
                    self.stage = Stage::Over;
                }
            }
            Stage::Asking => self.asking(now, is_late, out),
            Stage::Joining => self.joining(now, is_late, out),
            Stage::Finishing => self.finishing(now, is_late, out),
            Stage::Closing => self.closing(now, is_late, out),
            Stage::Over => {}
        }
    }

    fn asking(&mut self, now: Nanos, is_late: bool, out: &mut Out) {
        let acknowledged = self.first.is_all_acknowledged();
        if acknowledged && !self.seen.acknowledged {
            self.seen.acknowledged = true;
            self.seen.ack_rtt = Some(now - self.asked);
            if !self.plain {
                // The signal may come in a packet of its own.
                self.until = self.until.min(now + self.timing.grace);
            }
        }
        let given_up = self.seen.fail || self.space.as_ref().is_some_and(|space| space.infinite);
        if self.plain && acknowledged || given_up && acknowledged {
            self.plain = true;
            self.finish(now, false, out);
        } else if !self.plain && (self.has_first_acked() || self.seen.wrong_ack.is_some()) {
            self.join(now, out);
        } else if is_late && acknowledged {
            self.plain |= !self.seen.signals;
            self.finish(now, false, out);
        } else if is_late {
            self.abort(now, out);
        }
    }

    /// Opens the second subflow.
    fn join(&mut self, now: Nanos, out: &mut Out) {
        let (Some(version), Some(server_key)) = (self.identity.version, self.seen.server_key) else { return };
        if self.seen.flags.is_some_and(|flags| flags & Capable::DENY_JOIN != 0) && version == Version::V1 {
            self.seen.join = Some(JoinStep::Forbidden);
            return self.finish(now, false, out);
        }
        (self.stage, self.until) = (Stage::Joining, now + self.timing.patience);
        let ends = (self.identity.local[1], self.identity.remote);
        let Identity { id, iss, clock, nonce, .. } = self.identity;
        let mut flow = Flow::new(id + 1, ends, iss[1], clock, self.timing.rto, self.timing.retries);
        let token = server_key.token(version);
        let option = Join::Syn { backup: false, address_id: 0, token, nonce, reserved: 0 };
        flow.open(now, bytes_of(&Mptcp::Join(option)), out);
        self.second = Some(flow);
    }

    /// The SYN/ACK of the second subflow has come.
    fn joined(&mut self, now: Nanos, tcp: &Tcp<'_>, out: &mut Out) {
        let (Some(version), Some(server_key)) = (self.identity.version, self.seen.server_key) else { return };
        let Identity { key, nonce, .. } = self.identity;
        let (step, answer) = judge_join(version, key, server_key, nonce, tcp);
        self.seen.join = Some(step);
        if let Some(answer) = answer {
            self.seen.hmac_seen = Some(answer.hmac);
            self.seen.hmac_expected =
                Some(leftmost64(&join_hmac(version, server_key, key, answer.nonce, nonce)));
        }
        let Some(flow) = self.flow(true) else { return };
        match (step, answer) {
            (JoinStep::Unconfirmed, Some(answer)) => {
                let hmac = join_hmac(version, key, server_key, nonce, answer.nonce);
                flow.third_ack(now, bytes_of(&Mptcp::Join(Join::Ack { hmac, reserved: 0 })), out);
            }
            _ => flow.reset(now, &OptionBytes::new(&[]), out),
        }
    }

    fn joining(&mut self, now: Nanos, is_late: bool, out: &mut Out) {
        let Some(second) = &mut self.second else { return };
        let state = second.state;
        if state == State::Open && !is_late {
            if self.seen.join == Some(JoinStep::Confirmed) {
                self.finish(now, true, out);
            }
            return;
        }
        if state == State::Opening && !is_late {
            return;
        }
        if matches!(state, State::GaveUp | State::Opening) && self.seen.join.is_none() {
            self.seen.join = Some(if self.seen.icmp_on[1] { JoinStep::Icmp } else { JoinStep::Silent });
        }
        second.end();
        self.finish(now, false, out);
    }

    /// Sends the rest of the request on one of the subflows.
    fn finish(&mut self, now: Nanos, second: bool, out: &mut Out) {
        let whole = (self.identity.request.first().len() + self.identity.request.rest().len()) as u64;
        (self.stage, self.on_second) = (Stage::Finishing, second);
        self.until = now + self.timing.patience;
        let payload = self.identity.request.rest().to_vec();
        let offset = whole - payload.len() as u64;
        let Some(relative) = self.flow(second).map(|flow| flow.next_relative()) else { return };
        let option = self.mapped(offset, relative, &payload, false);
        if let Some(flow) = self.flow(second) {
            flow.data(now, &payload, option, out);
        }
        self.sent = whole;
        if second {
            // On a subflow that carries nothing, nothing will be lost for long.
            self.until = now + self.timing.grace;
        }
    }

    fn finishing(&mut self, now: Nanos, is_late: bool, out: &mut Out) {
        let all_acked = self.acked >= self.sent;
        if self.on_second {
            let dead = self.flow(true).is_none();
            if all_acked {
                self.seen.join = Some(JoinStep::Carried);
                (self.on_second, self.until) = (false, now + self.timing.patience);
            } else if dead || is_late {
                // The same data once more, where data is known to arrive.
                return self.finish(now, false, out);
            } else {
                return;
            }
        }
        if let Some(space) = &self.space
            && !self.plain
            && (self.seen.fail || space.infinite)
        {
            self.plain = true;
        }
        let answered = match &self.space {
            Some(space) if !self.plain => {
                let judged = !matches!(space.step, AnswerStep::Nothing | AnswerStep::Later);
                self.seen.unmapped || judged && all_acked && (!space.head.is_empty() || space.is_ended())
            }
            _ => !self.seen.head.is_empty() || self.first.their_fin,
        };
        if answered || is_late || self.seen.their_fin && self.first.their_fin {
            self.close(now, out);
        }
    }

    /// Begins to end it.
    fn close(&mut self, now: Nanos, out: &mut Out) {
        (self.stage, self.until) = (Stage::Closing, now + self.timing.linger);
        if self.plain || self.space.is_none() {
            let option = OptionBytes::new(&[]);
            self.first.fin(now, option, out);
        } else {
            self.data_fin(now, out);
        }
        self.closing(now, false, out);
    }

    fn data_fin(&mut self, now: Nanos, out: &mut Out) {
        if self.fins >= FINS || self.fin_acked {
            self.fin_due = None;
            return;
        }
        self.fins += 1;
        let option = self.mapped(self.sent, 0, &[], true);
        if let Some(flow) = self.flow(false) {
            flow.acknowledge(now, &option, out);
        }
        self.fin_due = Some(now + self.timing.grace.min(2 * self.first.rtt.unwrap_or(0) + 200_000_000));
    }

    fn closing(&mut self, now: Nanos, is_late: bool, out: &mut Out) {
        if self.fin_acked || self.plain {
            self.fin_due = None;
            let option = self.signal();
            self.first.fin(now, option, out);
            if let Some(second) = &mut self.second {
                second.fin(now, option, out);
            }
        }
        let closed = self.first.is_closed() && self.second.as_ref().is_none_or(Flow::is_closed);
        if closed || is_late {
            self.abort(now, out);
        }
    }

    /// Ends it at once; what is still open is reset.
    pub(super) fn abort(&mut self, now: Nanos, out: &mut Out) {
        self.ended = now;
        self.stage = Stage::Over;
        self.fin_due = None;
        let fast = match (self.seen.server_key, self.plain) {
            (Some(key), false) if self.acked > 0 => {
                bytes_of(&Mptcp::FastClose(FastClose { key, reserved: 0 }))
            }
            _ => OptionBytes::new(&[]),
        };
        for (flow, option) in [(Some(&mut self.first), fast), (self.second.as_mut(), OptionBytes::new(&[]))] {
            if let Some(flow) = flow {
                if flow.is_closed() { flow.end() } else { flow.reset(now, &option, out) }
            }
        }
    }

    /// What came of our first data.
    pub(super) fn data_step(&self) -> Option<DataStep> {
        let infinite = self.space.as_ref().is_some_and(|space| space.infinite);
        if self.asked == 0 {
            return None;
        }
        Some(if self.seen.mirrored {
            DataStep::Mirrored
        } else if let Some(wrong) = self.seen.wrong_ack {
            wrong
        } else if self.seen.fail {
            DataStep::Fail
        } else if infinite {
            DataStep::Infinite
        } else if self.has_first_acked() && self.space.is_some() {
            DataStep::Acknowledged
        } else if self.seen.signals {
            DataStep::Unacknowledged
        } else if self.seen.acknowledged {
            DataStep::NoSignal
        } else if self.seen.was_reset {
            DataStep::Reset
        } else {
            DataStep::Silent
        })
    }

    /// What came of the server's own data.
    pub(super) fn answer_step(&self) -> Option<AnswerStep> {
        if !self.seen.acknowledged && !self.has_first_acked() {
            return None;
        }
        Some(match &self.space {
            Some(space) if space.step != AnswerStep::Nothing => space.step,
            _ if self.seen.head.is_empty() => AnswerStep::Nothing,
            _ => AnswerStep::Unmapped,
        })
    }
}
