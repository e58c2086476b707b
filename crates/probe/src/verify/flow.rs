//! One TCP connection as its client sees it (RFC 9293): sequence numbers, timestamps, repeating what is lost. It knows no option of
//! Multipath TCP: whoever sends says what stands beside the timestamp.
//!
//! It takes data in order only; what comes ahead of its time is acknowledged as missing and comes again.

use std::net::{IpAddr, SocketAddr};

use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::tcp::{self, Flags, Header, Tcp, TcpOption};

use crate::answers::OptionBytes;
use crate::network::{Nanos, Out};

/// Window of our SYN in bytes, as a Linux client has it.
const SYN_WINDOW: u16 = 64_240;
/// Binary logarithm of the unit of later windows.
const WINDOW_SCALE: u8 = 7;
/// Later windows: 64 KiB in that unit, so that nobody sends us more than we look at.
const WINDOW: u16 = 512;
/// Maximum segment sizes: Ethernet without options.
const MSS: [u16; 2] = [1460, 1440];
/// Longest packet we send: headers, 40 bytes of options, and a request.
const LONGEST: usize = v6::HEADER_LEN + tcp::HEADER_LEN + tcp::MAX_OPTION_BYTES + super::request::MAX_LEN;
/// Shortest and longest time until something is sent again.
const RTO_LEAST: Nanos = 250_000_000;
const RTO_MOST: Nanos = 8_000_000_000;
/// Resets that a connection answers with after its end.
const MOST_REFUSED: u8 = 3;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The SYN is on its way.
    Opening,
    /// Both SYNs were acknowledged.
    Open,
    /// It was reset by the other side.
    Reset,
    /// What was sent stayed unanswered, however often it was sent.
    GaveUp,
    /// We have ended it.
    Over,
}

/// What a received segment was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival<'a> {
    /// None of this connection, or without effect.
    Nothing,
    /// The SYN/ACK.
    Opened,
    /// The SYN/ACK once more.
    OpenedAgain,
    /// A reset.
    Reset,
    /// A segment of the open connection.
    Segment {
        /// Sequence number of the first new byte, relative to the other side's initial one: the first byte of all has 1.
        relative: u32,
        /// New bytes in order.
        payload: &'a [u8],
        /// Whether the other side has ended its direction just now.
        fin: bool,
        /// Whether it wants an acknowledgement.
        to_acknowledge: bool,
    },
}

/// Something that is repeated until it is acknowledged.
#[derive(Clone, Debug)]
struct Pending {
    seq: u32,
    option: OptionBytes,
    payload: Vec<u8>,
    fin: bool,
}

impl Pending {
    fn end(&self) -> u32 {
        self.seq.wrapping_add(self.payload.len() as u32).wrapping_add(u32::from(self.fin))
    }
}

/// What a connection counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) sent: u32,
    pub(super) again: u32,
    pub(super) received: u32,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Number of its packets, by which the runner tells that they have left.
    id: u32,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) state: State,
    pub(super) counts: Counts,
    /// From SYN to SYN/ACK, unless the SYN was repeated.
    pub(super) rtt: Option<Nanos>,
    /// Our initial sequence number, the oldest unacknowledged and the next one.
    iss: u32,
    una: u32,
    nxt: u32,
    /// Their initial sequence number and the next one expected.
    irs: u32,
    rcv: u32,
    pub(super) their_fin: bool,
    our_fin: bool,
    /// Their last timestamp; `None` when they use none.
    clock: Option<u32>,
    /// Added to our timestamps.
    clock_offset: u32,
    /// The option of the SYN.
    syn_option: OptionBytes,
    syn_at: Nanos,
    /// The option of the third ACK, until something comes that shows that it has arrived.
    third: Option<OptionBytes>,
    pending: Vec<Pending>,
    rto: Nanos,
    due: Option<Nanos>,
    tries: u32,
    retries: u32,
    refused: u8,
}

impl Flow {
    /// A connection that is to be opened by [`open`](Self::open).
    pub(super) fn new(
        id: u32,
        (local, remote): (SocketAddr, SocketAddr),
        iss: u32,
        clock_offset: u32,
        rto: Nanos,
        retries: u32,
    ) -> Self {
        Self {
            id,
            local,
            remote,
            state: State::Opening,
            counts: Counts::default(),
            rtt: None,
            iss,
            una: iss,
            nxt: iss,
            irs: 0,
            rcv: 0,
            their_fin: false,
            our_fin: false,
            clock: None,
            clock_offset,
            syn_option: OptionBytes::new(&[]),
            syn_at: 0,
            third: None,
            pending: Vec::new(),
            rto,
            due: None,
            tries: 0,
            retries,
            refused: 0,
        }
    }

    /// Sends the SYN.
    pub(super) fn open(&mut self, now: Nanos, option: OptionBytes, out: &mut Out) {
        self.syn_option = option;
        self.nxt = self.iss.wrapping_add(1);
        self.syn_at = now;
        self.due = Some(now + self.rto);
        self.syn(now, out);
    }

    fn syn(&mut self, now: Nanos, out: &mut Out) {
        let mss = MSS[usize::from(self.remote.is_ipv6())];
        let value = self.our_clock(now);
        let options = [
            TcpOption::MaxSegmentSize(mss),
            TcpOption::SackPermitted,
            TcpOption::Timestamps { value, echo: 0 },
            TcpOption::Nop,
            TcpOption::WindowScale(WINDOW_SCALE),
        ];
        let option = self.syn_option;
        self.emit(Flags::SYN, (self.iss, 0), SYN_WINDOW, &options, &option, &[], out);
    }

    /// One of its packets has left, perhaps long after it was meant to: what waits for an answer waits from then on.
    pub(super) fn left(&mut self, at: Nanos) {
        if self.state == State::Opening && self.tries == 0 {
            self.syn_at = at;
        }
        self.due = self.due.map(|due| due.max(at + self.rto));
    }

    fn our_clock(&self, now: Nanos) -> u32 {
        ((now / 1_000_000) as u32).wrapping_add(self.clock_offset)
    }

    /// The sequence number of the next byte that we send, relative to our initial one.
    pub(super) fn next_relative(&self) -> u32 {
        self.nxt.wrapping_sub(self.iss)
    }

    /// Whether everything that was sent has been acknowledged.
    pub(super) fn is_all_acknowledged(&self) -> bool {
        self.una == self.nxt
    }

    /// Sends the third ACK with an option that the other side must get: it is repeated until something comes.
    pub(super) fn third_ack(&mut self, now: Nanos, option: OptionBytes, out: &mut Out) {
        self.third = Some(option);
        self.due = Some(now + self.rto);
        self.acknowledge(now, &option, out);
    }

    /// Sends data beside an option, and repeats it until it is acknowledged.
    pub(super) fn data(&mut self, now: Nanos, payload: &[u8], option: OptionBytes, out: &mut Out) {
        self.enqueue(now, Pending { seq: self.nxt, option, payload: payload.to_vec(), fin: false }, out);
    }

    /// Sends the first data of all once more, as one does of whom the acknowledgement was not enough.
    pub(super) fn repeat_first(&mut self, now: Nanos, payload: &[u8], option: OptionBytes, out: &mut Out) {
        let first = Pending { seq: self.iss.wrapping_add(1), option, payload: payload.to_vec(), fin: false };
        self.segment(now, &first, out);
        self.counts.again += 1;
    }

    /// Ends our direction.
    pub(super) fn fin(&mut self, now: Nanos, option: OptionBytes, out: &mut Out) {
        if self.state == State::Open && !self.our_fin {
            self.our_fin = true;
            self.enqueue(now, Pending { seq: self.nxt, option, payload: Vec::new(), fin: true }, out);
        }
    }

    /// Both directions have ended, and the other side knows it.
    pub(super) fn is_closed(&self) -> bool {
        self.state != State::Open || self.our_fin && self.their_fin && self.is_all_acknowledged()
    }

    fn enqueue(&mut self, now: Nanos, pending: Pending, out: &mut Out) {
        if self.state != State::Open {
            return;
        }
        self.nxt = pending.end();
        if self.due.is_none() {
            self.due = Some(now + self.rto);
        }
        self.segment(now, &pending, out);
        self.pending.push(pending);
    }

    fn segment(&mut self, now: Nanos, pending: &Pending, out: &mut Out) {
        let more = if pending.fin { Flags::FIN } else { Flags::PSH };
        let (at, clock) = ((pending.seq, self.rcv), self.clock_option(now));
        self.emit(Flags::ACK | more, at, WINDOW, clock.as_slice(), &pending.option, &pending.payload, out);
    }

    /// Sends an acknowledgement without data.
    pub(super) fn acknowledge(&mut self, now: Nanos, option: &OptionBytes, out: &mut Out) {
        let (at, clock) = ((self.nxt, self.rcv), self.clock_option(now));
        self.emit(Flags::ACK, at, WINDOW, clock.as_slice(), option, &[], out);
    }

    /// Resets it, from our side.
    pub(super) fn reset(&mut self, now: Nanos, option: &OptionBytes, out: &mut Out) {
        if self.state == State::Open {
            let (at, clock) = ((self.nxt, self.rcv), self.clock_option(now));
            self.emit(Flags::RST | Flags::ACK, at, 0, clock.as_slice(), option, &[], out);
        }
        self.end();
    }

    /// Forgets it without a packet.
    pub(super) fn end(&mut self) {
        if matches!(self.state, State::Opening | State::Open) {
            self.state = State::Over;
        }
        self.due = None;
        self.pending.clear();
    }

    fn clock_option(&self, now: Nanos) -> ClockOption {
        ClockOption(self.clock.map(|echo| {
            let value = self.our_clock(now);
            [TcpOption::Nop, TcpOption::Nop, TcpOption::Timestamps { value, echo }]
        }))
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one packet")]
    fn emit(
        &mut self,
        flags: Flags,
        (seq, ack): (u32, u32),
        window: u16,
        options: &[TcpOption<'static>],
        mptcp: &OptionBytes,
        payload: &[u8],
        out: &mut Out,
    ) {
        let (src, dst) = (self.local.ip(), self.remote.ip());
        let (src_port, dst_port) = (self.local.port(), self.remote.port());
        let header = Header { src_port, dst_port, seq, ack, flags, window, urgent: 0 };
        let mut list = [TcpOption::End; 8];
        let mut count = 0;
        for option in options.iter().copied().chain(tcp::Options::new(mptcp.as_slice())) {
            if let Some(place) = list.get_mut(count) {
                *place = option;
                count += 1;
            }
        }
        let mut bytes = [0; LONGEST];
        let list = list.get(..count).unwrap_or(&[]);
        let len = Header::segment_len(list, payload);
        let header_len = match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let identification = (self.iss >> 16) as u16 ^ self.counts.sent as u16 | 1;
                v4::Header { identification, ..v4::Header::new(src, dst, protocol::TCP) }
                    .emit(len, &mut bytes)
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                v6::Header::new(src, dst, protocol::TCP).emit(len, &mut bytes)
            }
            _ => return,
        };
        let Ok(header_len) = header_len else { return };
        let Some(place) = bytes.get_mut(header_len..) else { return };
        if header.emit(src, dst, list, payload, place).is_ok()
            && let Some(packet) = bytes.get(..header_len + len)
        {
            self.counts.sent += 1;
            out.send(self.id, packet);
        }
    }

    /// Takes a segment in.
    pub(super) fn receive<'a>(&mut self, now: Nanos, tcp: &Tcp<'a>, out: &mut Out) -> Arrival<'a> {
        if tcp.src_port() != self.remote.port() || tcp.dst_port() != self.local.port() {
            return Arrival::Nothing;
        }
        self.counts.received += 1;
        match self.state {
            State::Opening => self.receive_opening(now, tcp),
            State::Open => self.receive_open(now, tcp),
            _ => {
                self.refuse(tcp, out);
                Arrival::Nothing
            }
        }
    }

    /// Answers what comes to a connection that is no more, as a host does (RFC 9293, section 3.10.7.1), but not for ever: the kernel, which
    /// would do it, is kept from it.
    fn refuse(&mut self, tcp: &Tcp<'_>, out: &mut Out) {
        if tcp.flags().rst() || !tcp.flags().ack() || self.refused == MOST_REFUSED {
            return;
        }
        self.refused += 1;
        self.emit(Flags::RST, (tcp.ack(), 0), 0, &[], &OptionBytes::new(&[]), &[], out);
    }

    fn receive_opening<'a>(&mut self, now: Nanos, tcp: &Tcp<'a>) -> Arrival<'a> {
        let flags = tcp.flags();
        if !flags.ack() || tcp.ack() != self.nxt {
            return Arrival::Nothing;
        }
        if flags.rst() {
            self.state = State::Reset;
            self.due = None;
            return Arrival::Reset;
        }
        if !flags.syn() {
            return Arrival::Nothing;
        }
        self.state = State::Open;
        self.una = self.nxt;
        self.irs = tcp.seq();
        self.rcv = tcp.seq().wrapping_add(1);
        self.clock = clock(tcp);
        if self.tries == 0 {
            let rtt = (now - self.syn_at).max(0);
            self.rtt = Some(rtt);
            self.rto = (2 * rtt + RTO_LEAST).clamp(RTO_LEAST, RTO_MOST);
        }
        (self.due, self.tries) = (None, 0);
        Arrival::Opened
    }

    fn receive_open<'a>(&mut self, now: Nanos, tcp: &Tcp<'a>) -> Arrival<'a> {
        let (flags, seq) = (tcp.flags(), tcp.seq());
        if flags.rst() {
            // Within the window (RFC 9293, section 3.10.7.4), and not older than what has come.
            if seq.wrapping_sub(self.rcv) > u32::from(WINDOW) << WINDOW_SCALE {
                return Arrival::Nothing;
            }
            self.state = State::Reset;
            self.due = None;
            return Arrival::Reset;
        }
        if flags.syn() {
            return if flags.ack() && seq == self.irs { Arrival::OpenedAgain } else { Arrival::Nothing };
        }
        if !flags.ack() || tcp.ack().wrapping_sub(self.una) > self.nxt.wrapping_sub(self.una) {
            return Arrival::Nothing;
        }
        if let Some(value) = clock(tcp)
            && seq.wrapping_sub(self.rcv).cast_signed() <= 0
        {
            self.clock = self.clock.map(|_| value);
        }
        self.third = None;
        let progress = tcp.ack() != self.una;
        self.una = tcp.ack();
        let una = self.una;
        self.pending.retain(|pending| pending.end().wrapping_sub(una).cast_signed() > 0);
        if self.pending.is_empty() {
            (self.due, self.tries) = (None, 0);
        } else if progress {
            (self.due, self.tries) = (Some(now + self.rto), 0);
        }
        let payload = tcp.payload();
        // Bytes that came before; negative when bytes before these are missing.
        let known = self.rcv.wrapping_sub(seq).cast_signed();
        let fresh = usize::try_from(known).ok().and_then(|known| payload.get(known..)).unwrap_or(&[]);
        let relative = self.rcv.wrapping_sub(self.irs);
        self.rcv = self.rcv.wrapping_add(fresh.len() as u32);
        let fin_at = seq.wrapping_add(payload.len() as u32);
        let fin = flags.fin() && !self.their_fin && fin_at == self.rcv;
        if fin {
            self.their_fin = true;
            self.rcv = self.rcv.wrapping_add(1);
        }
        let to_acknowledge = !payload.is_empty() || flags.fin() || known > 0;
        Arrival::Segment { relative, payload: fresh, fin, to_acknowledge }
    }

    /// When something is to be sent again.
    pub(super) fn due(&self) -> Option<Nanos> {
        self.due
    }

    /// Sends again what is due, or gives up.
    pub(super) fn timer(&mut self, now: Nanos, out: &mut Out) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        if self.tries >= self.retries {
            self.state = State::GaveUp;
            self.due = None;
            return;
        }
        self.tries += 1;
        self.rto = (2 * self.rto).min(RTO_MOST);
        self.due = Some(now + self.rto);
        let before = self.counts.sent;
        match self.state {
            State::Opening => self.syn(now, out),
            State::Open => {
                if let Some(option) = self.third {
                    self.acknowledge(now, &option, out);
                }
                if let Some(first) = self.pending.first().cloned() {
                    self.segment(now, &first, out);
                }
            }
            _ => {}
        }
        self.counts.again += self.counts.sent - before;
    }
}

/// Options of a packet that may have a timestamp.
struct ClockOption(Option<[TcpOption<'static>; 3]>);

impl ClockOption {
    fn as_slice(&self) -> &[TcpOption<'static>] {
        self.0.as_ref().map_or(&[], |options| options)
    }
}

fn clock(tcp: &Tcp<'_>) -> Option<u32> {
    tcp.options().find_map(|option| match option {
        TcpOption::Timestamps { value, .. } => Some(value),
        _ => None,
    })
}
