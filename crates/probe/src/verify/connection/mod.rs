//! One connection to a server, from SYN to the end: handshake, first data, second subflow, the rest of the request, the answer. It is
//! a machine without socket and clock; it notes what came and leaves it to others what that means.

mod signals;
mod steps;

use std::net::SocketAddr;

use subflow_wire::checksum::dss_checksum;
use subflow_wire::keys::Version;
use subflow_wire::mptcp::{Capable, Dsn, Dss, Mapping, Mptcp};
use subflow_wire::tcp::Tcp;
use subflow_wire::{IpPacket, Key};

use super::flow::{Arrival, Flow, State};
use super::request::Parts;
use super::seen::Seen;
use super::settings::Timing;
use super::space::{Mappings, Space};
use crate::answers::OptionBytes;
use crate::network::{Nanos, Out};
use crate::rows::{AnswerStep, DataStep, JoinStep, SynStep};

/// A server that sends more than this is cut off.
const MOST_RECEIVED: u64 = 256 << 10;
/// And one that sends more packets, whatever is in them: each may make us answer, and it answer us.
const MOST_PACKETS: u32 = 500;

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
    /// Whether the second subflow is opened before any data is sent.
    pub(super) join_first: bool,
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
    /// The option beside our first data, and whether that was sent again because nothing but TCP had acknowledged it.
    first_option: OptionBytes,
    insisted: bool,
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
            first_option: OptionBytes::new(&[]),
            insisted: false,
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

    /// How long a signal may take behind what it belongs to.
    fn grace(&self) -> Nanos {
        self.timing.grace.saturating_add(self.first.rtt.unwrap_or(0))
    }

    /// A packet of one of the subflows has left.
    pub(super) fn left(&mut self, second: bool, at: Nanos) {
        if second {
            if let Some(flow) = &mut self.second {
                flow.left(at);
            }
        } else {
            if self.stage == Stage::Asking && self.first.counts.again == 0 {
                self.asked = at;
            }
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

    /// The DATA_ACK that goes with what we send. It waits for the server's first mapping: before that there is nothing to acknowledge, and
    /// who does not hold the server's key could copy its number from us.
    fn data_ack_now(&self) -> Option<Dsn> {
        let space = self.space.as_ref()?;
        let is_due = space.seen.is_some() || self.identity.join_first || self.stage == Stage::Closing;
        is_due.then(|| self.dsn(space.next()))
    }

    /// The option of an acknowledgement.
    fn signal(&self) -> OptionBytes {
        match self.data_ack_now() {
            Some(data_ack) if !self.plain => {
                let data_ack = Some(data_ack);
                bytes_of(&Mptcp::Dss(Dss { data_ack, mapping: None, data_fin: false, reserved: 0 }))
            }
            _ => OptionBytes::new(&[]),
        }
    }

    /// The option beside data from `offset` on.
    fn mapped(&mut self, offset: u64, relative: u32, payload: &[u8], data_fin: bool) -> OptionBytes {
        if self.plain || self.space.is_none() {
            return OptionBytes::new(&[]);
        }
        let dsn = self.number(offset);
        let len = payload.len() as u16 + u16::from(data_fin);
        let checksum = self.checksum.then(|| dss_checksum(dsn, relative, len, payload));
        let mapping = Some(Mapping { dsn: self.dsn(dsn), subflow_seq: relative, len, checksum });
        let data_ack = self.data_ack_now();
        let option = bytes_of(&Mptcp::Dss(Dss { data_ack, mapping, data_fin, reserved: 0 }));
        self.own.push(option);
        option
    }

    /// Takes a segment in that came to one of its ports.
    pub(super) fn packet(
        &mut self,
        now: Nanos,
        ip: &IpPacket<'_>,
        tcp: &Tcp<'_>,
        second: bool,
        out: &mut Out,
    ) {
        let is_over = self.is_over();
        let flow = if second { self.second.as_mut() } else { Some(&mut self.first) };
        let Some(flow) = flow else { return };
        let arrival = flow.receive(now, tcp, out);
        if is_over {
            return;
        }
        if arrival != Arrival::Nothing {
            self.seen.ttl.get_or_insert(ip.hop_limit);
        }
        match arrival {
            Arrival::OpenedAgain if !second && self.stage == Stage::Joining && self.asked == 0 => {
                self.establish(now, out);
            }
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

    /// All payload that came.
    pub(super) fn received(&self) -> u64 {
        self.seen.received + self.space.as_ref().map_or(0, |space| space.received)
    }

    /// An ICMP error quotes a packet of one of the subflows.
    pub(super) fn icmp(
        &mut self,
        now: Nanos,
        second: bool,
        error: (u8, u8, std::net::IpAddr),
        out: &mut Out,
    ) {
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
        let is_too_much = self.received() > MOST_RECEIVED || self.counts()[2] > MOST_PACKETS;
        if self.seen.mirrored || is_too_much {
            return self.abort(now, out);
        }
        if self.first.state != State::Open && self.stage != Stage::Opening {
            self.seen.early |= self.stage == Stage::Joining && self.seen.join.is_none();
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
