//! One walk along a path: the probes of one flow with growing hop limits, several on their way at a time.
//!
//! Hop limits are probed in order, as many at once as may be silent without holding up the rest, until the target answers. Who is
//! silent is asked again. Where answers do not tell which probe they answer, the walk goes on with one probe at a time: at all hops
//! when the quotes of routers do not, only to find out how far the target is when its own answers do not.

use super::compare::{Quote, compare, mpls_labels};
use super::flow::{Flow, MOST, timestamps};
use super::pin::Pin;
use super::record::{Quoted, Run, Seen, judge_answer};
use crate::answers::OptionBytes;
use crate::distance::back;
use crate::network::{Nanos, Out, Received, What as Carried};
use crate::rows::{Finding, HopAnswer};
use subflow_wire::icmp::Message;
use subflow_wire::ip::protocol;
use subflow_wire::tcp::Tcp;

/// Hop limits whose first probes are on their way at a time.
const AT_ONCE: usize = 4;
/// Hops that may be silent behind the last that answered before the rest is given up, if the target does not answer either.
const GAP: u8 = 6;
/// Further attempts at a hop that answered another walk.
const INSIST: u8 = 2;

/// A probe that was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    hop: u8,
    /// Which attempt at this hop.
    attempt: u8,
    /// When it left; `None` while it waits for its turn.
    at: Option<Nanos>,
    open: bool,
}

impl Sent {
    /// Until when it is waited for: longer when its hop was asked before, for some routers answer only now and then. Walks that are
    /// on together do not ask again together, or it is always the same that is answered.
    fn until(&self, wait: Nanos, (turn, turns): (u8, u8)) -> Option<Nanos> {
        let times = Nanos::from(self.attempt.min(1)) + 1;
        Some(self.at?.saturating_add(wait * times + wait * Nanos::from(turn) / Nanos::from(turns.max(1))))
    }
}

/// What is known of the path by all walks together.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// How long an answer may take.
    pub(super) wait: Nanos,
    /// Where plain TCP found the target.
    pub(super) hint: Option<u8>,
    /// Hops that answer.
    pub(super) heard: [bool; 256],
}

/// What is known of a hop limit.
#[derive(Clone, Copy, Debug, Default)]
struct Hop {
    tries: u8,
    /// Attempts that it is spared, for it was silent before.
    spared: u8,
    answered: bool,
}

/// How a walk goes on.
#[derive(Clone, Debug)]
enum Mode {
    /// Several probes at a time.
    Several,
    /// One at a time, to find out how far the target is.
    Pin(Pin),
    /// One at a time, all hops.
    Singly,
}

/// One walk.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// Its number among those of the target.
    number: u32,
    pub(super) flow: Flow,
    pub(super) run: Run,
    sent: Vec<Sent>,
    hops: Vec<Hop>,
    next: u8,
    min: u8,
    max: u8,
    tries: u8,
    /// Smallest hop limit that the target, or who forbids the way to it, answered.
    end: Option<u8>,
    /// Hops away from us from where something was heard.
    heard: u8,
    /// Whether the largest hop limit was tried after a gap.
    far: bool,
    mode: Mode,
    /// Whether the target's answers do not tell what they answer, and its distance was found out all the same: further ones say nothing.
    pinned: bool,
    /// Which of the walks that are on together, and how many they are.
    turn: (u8, u8),
    packet: Vec<u8>,
}

/// What a packet was to a walk.
pub(super) enum Took {
    /// An answer.
    Answer {
        /// From probe to answer, when known.
        rtt: Option<Nanos>,
    },
    /// One that had come before, or tells nothing.
    Nothing,
    /// None of its own.
    NotMine,
}

impl Walk {
    /// A walk over hop limits from `min` to `max`; each is tried so often.
    pub(super) fn new(number: u32, flow: Flow, run: Run, (min, max): (u8, u8), tries: u8) -> Self {
        Self {
            number,
            flow,
            run,
            sent: Vec::new(),
            hops: vec![Hop::default(); usize::from(max) + 1],
            next: min,
            min,
            max,
            tries,
            end: None,
            heard: min.saturating_sub(1),
            far: false,
            mode: Mode::Several,
            pinned: false,
            turn: (0, 1),
            packet: Vec::new(),
        }
    }

    /// Says which of the walks that are on together this is.
    pub(super) fn take_turn(&mut self, turn: u8, turns: u8) {
        self.turn = (turn, turns);
    }

    /// Whether a hop limit needs no further probe.
    fn is_settled(&self, hop: u8, known: &Known) -> bool {
        let state = self.hops.get(usize::from(hop)).copied().unwrap_or_default();
        let heard = known.heard.get(usize::from(hop)).copied().unwrap_or_default();
        let tries = self.tries.saturating_add(if heard { INSIST } else { 0 });
        state.answered || state.tries.saturating_add(state.spared) >= tries
    }

    /// Asks these hops but once: they were silent all the time.
    pub(super) fn spare(&mut self, silent: impl Iterator<Item = u8>) {
        for hop in silent {
            if let Some(state) = self.hops.get_mut(usize::from(hop)) {
                state.spared = self.tries.saturating_sub(1);
            }
        }
    }

    /// Smallest hop limit that was answered by the target.
    pub(super) fn end(&self) -> Option<u8> {
        self.end
    }

    /// The largest hop limit that is worth a probe. `hint` is where plain TCP found the target.
    fn limit(&self, hint: Option<u8>) -> u8 {
        match (self.end, hint) {
            (Some(end), _) => end,
            (None, Some(hint)) => hint.max(self.heard).saturating_add(1).clamp(self.min, self.max),
            (None, None) => self.heard.saturating_add(GAP).min(self.max),
        }
    }

    /// Whether nothing more is to be sent or waited for.
    pub(super) fn is_over(&self, known: &Known) -> bool {
        let (hint, limit) = (known.hint, self.limit(known.hint));
        let settled = |hop: u8| hop > limit || self.is_settled(hop, known);
        if matches!(self.mode, Mode::Pin(_)) {
            return false;
        }
        let waiting = self.sent.iter().any(|sent| sent.open && (sent.hop <= limit || self.end.is_none()));
        let tried = self.far || self.end.is_some() || hint.is_some() || limit == self.max;
        !waiting && self.next > limit && tried && (self.min..=limit).all(settled)
    }

    /// Sends what is due.
    pub(super) fn go_on(&mut self, now: Nanos, known: &Known, out: &mut Out) {
        let (hint, turn) = (known.hint, self.turn);
        for sent in &mut self.sent {
            sent.open &= sent.until(known.wait, turn).is_none_or(|until| until > now);
        }
        if let Mode::Pin(pin) = &mut self.mode {
            if self.sent.iter().any(|sent| sent.open) {
                return;
            }
            if let Some(hop) = pin.next(self.tries) {
                self.send(hop, now, out);
                return;
            }
            if pin.has_found() {
                (self.mode, self.pinned) = (Mode::Several, true);
            } else {
                self.go_singly();
            }
        }
        if matches!(self.mode, Mode::Singly) {
            self.go_on_singly(now, known, out);
            return;
        }
        // Who was silent is asked again.
        let limit = self.limit(hint);
        for hop in self.min..self.next.min(limit.saturating_add(1)) {
            let tries = self.hops.get(usize::from(hop)).map_or(0, |state| state.tries);
            if tries > 0 && !self.is_open(hop) && !self.is_settled(hop, known) {
                self.send(hop, now, out);
            }
        }
        let first = |sent: &&Sent| sent.open && sent.attempt == 0;
        let mut under_way = self.sent.iter().filter(first).count();
        while self.next <= limit && under_way < AT_ONCE {
            self.send(self.next, now, out);
            self.next += 1;
            under_way += 1;
        }
        self.try_far(now, hint, out);
    }

    fn go_on_singly(&mut self, now: Nanos, known: &Known, out: &mut Out) {
        if self.sent.iter().any(|sent| sent.open) {
            return;
        }
        let limit = self.limit(known.hint);
        let next = (self.min..=limit).find(|&hop| !self.is_settled(hop, known));
        match next {
            Some(hop) => self.send(hop, now, out),
            None => {
                self.next = self.next.max(limit.saturating_add(1));
                self.try_far(now, known.hint, out);
            }
        }
    }

    /// Nobody has answered for a while: whether the target answers at all.
    fn try_far(&mut self, now: Nanos, hint: Option<u8>, out: &mut Out) {
        let limit = self.limit(hint);
        let given_up = self.end.is_none() && hint.is_none() && self.next > limit && limit < self.max;
        if given_up && !self.far && !self.sent.iter().any(|sent| sent.open) {
            self.far = true;
            self.send(self.max, now, out);
        }
    }

    fn is_open(&self, hop: u8) -> bool {
        self.sent.iter().any(|sent| sent.open && sent.hop == hop)
    }

    fn send(&mut self, hop: u8, now: Nanos, out: &mut Out) {
        let number = self.sent.len() as u16;
        let Some(state) = self.hops.get_mut(usize::from(hop)) else { return };
        state.tries += 1;
        if number >= MOST {
            return;
        }
        let attempt = state.tries - 1;
        self.sent.push(Sent { hop, attempt, at: None, open: true });
        self.flow.write(number, hop, &mut self.packet);
        let step = self.run.step(hop);
        step.probes += 1;
        step.last_ns = now;
        out.send(self.number << 10 | u32::from(number), &self.packet);
    }

    /// A packet has left.
    pub(super) fn sent(&mut self, id: u32, at: Nanos) {
        if id >> 10 != self.number {
            return;
        }
        if let Some(sent) = self.sent.get_mut((id & 0x3ff) as usize) {
            sent.at = Some(at);
            self.run.step(sent.hop).last_ns = at;
        }
    }

    /// When something is due.
    pub(super) fn due(&self, wait: Nanos) -> Option<Nanos> {
        self.sent.iter().filter(|sent| sent.open).filter_map(|sent| sent.until(wait, self.turn)).min()
    }

    /// Takes a packet.
    pub(super) fn take(&mut self, packet: &Received<'_>) -> Took {
        match &packet.what {
            Carried::Tcp(tcp) => self.take_tcp(packet, tcp),
            Carried::Icmp(message) => self.take_icmp(packet, message),
        }
    }

    /// The only probe that is waited for, when there is but one.
    fn only(&self) -> Option<u16> {
        let mut open = (0_u16..).zip(&self.sent).filter(|(_, sent)| sent.open && sent.at.is_some());
        let first = open.next().map(|(number, _)| number);
        if open.next().is_some() { None } else { first }
    }

    /// The same for an answer of the target, which must not be to another probe that was given up.
    fn only_asked(&self) -> Option<u16> {
        let number = self.only().filter(|_| !self.pinned)?;
        let hop = self.sent.get(usize::from(number))?.hop;
        match &self.mode {
            Mode::Pin(pin) => pin.asks(hop).then_some(number),
            Mode::Several | Mode::Singly => Some(number),
        }
    }

    fn take_tcp(&mut self, packet: &Received<'_>, tcp: &Tcp<'_>) -> Took {
        let target = self.flow.target;
        if (packet.ip.src, tcp.src_port(), tcp.dst_port()) != (target.addr, target.port, self.flow.src_port) {
            return Took::NotMine;
        }
        let flags = tcp.flags();
        let (syn, len, acked) = match &self.flow.what {
            super::flow::What::Syn(_) => (true, 1, 0),
            super::flow::What::Data { ack, payload, .. } => (false, payload.len() as u32, *ack),
        };
        let acknowledges = flags.ack() && tcp.ack() == self.flow.seq.wrapping_add(len);
        let answer = match (flags.syn(), flags.rst(), syn) {
            (true, false, true) if acknowledges => HopAnswer::SynAck,
            (false, true, _) if acknowledges || (!syn && tcp.seq() == acked) => HopAnswer::Reset,
            (false, false, false) if acknowledges => HopAnswer::Ack,
            _ => return Took::NotMine,
        };
        let echoed = timestamps(tcp).and_then(|(_, echo)| self.flow.by_clock(echo));
        let number =
            echoed.filter(|&number| usize::from(number) < self.sent.len()).or_else(|| self.only_asked());
        let Some(number) = number else {
            // One of several: which cannot be told.
            let rtt = self.likely(packet.ip.hop_limit).map(|at| packet.time - at);
            if matches!(self.mode, Mode::Several) && !self.pinned {
                self.pin_down(packet.ip.hop_limit);
                return Took::Answer { rtt: rtt.filter(|&rtt| rtt >= 0) };
            }
            return Took::Answer { rtt: None };
        };
        self.take_answer(packet, tcp, answer, number)
    }

    fn take_answer(&mut self, packet: &Received<'_>, tcp: &Tcp<'_>, answer: HopAnswer, number: u16) -> Took {
        let Some(sent) = self.sent.get(usize::from(number)).copied() else { return Took::Nothing };
        let Some(at) = sent.at.filter(|&at| at <= packet.time) else { return Took::Nothing };
        self.flow.write(number, sent.hop, &mut self.packet);
        let head = if self.flow.src.is_ipv4() { 20 } else { 40 };
        let syn = self.packet.get(head..).and_then(|bytes| Tcp::parse(bytes).ok());
        let finding = syn.and_then(|syn| judge_answer(&syn, answer, tcp));
        // A server repeats its answer: only the first tells the time.
        let known =
            self.run.step(sent.hop).seen.iter().any(|seen| (seen.answer, seen.sent_ns) == (answer, at));
        self.end = Some(self.end.map_or(sent.hop, |end| end.min(sent.hop)));
        if let Mode::Pin(pin) = &mut self.mode {
            pin.answered(sent.hop);
        }
        self.settle(number);
        if known {
            return Took::Nothing;
        }
        self.record(number, packet, answer, None, finding, Some(OptionBytes::new(tcp.option_bytes())));
        Took::Answer { rtt: Some(packet.time - at) }
    }

    fn take_icmp(&mut self, packet: &Received<'_>, message: &Message<'_>) -> Took {
        if message.mtu().is_some() {
            return Took::NotMine;
        }
        let Some(quoted) = message.quote().filter(|quoted| quoted.protocol == protocol::TCP) else {
            return Took::NotMine;
        };
        let Some(number) = self.flow.quoted(&quoted, self.sent.len() as u16) else { return Took::NotMine };
        let Some(number) = number.or_else(|| self.only()) else {
            self.go_singly();
            return Took::Nothing;
        };
        let Some(sent) = self.sent.get(usize::from(number)).copied() else { return Took::Nothing };
        let Some(at) = sent.at.filter(|&at| at <= packet.time) else { return Took::Nothing };
        self.flow.write(number, sent.hop, &mut self.packet);
        let quote = Quote::of(message);
        let Some(comparison) = compare(&self.packet, quote) else { return Took::Nothing };
        let exceeded = message.is_time_exceeded();
        let answer = if exceeded { HopAnswer::TimeExceeded } else { HopAnswer::Unreachable };
        self.settle(number);
        if self.run.step(sent.hop).seen.iter().any(|seen| (seen.answer, seen.sent_ns) == (answer, at)) {
            return Took::Nothing;
        }
        if let (true, Mode::Pin(pin)) = (exceeded, &mut self.mode) {
            pin.too_small(sent.hop);
        }
        if exceeded {
            self.heard = self.heard.max(sent.hop);
        } else {
            self.end = Some(self.end.map_or(sent.hop, |end| end.min(sent.hop)));
        }
        let finding = (!exceeded).then_some(Finding::Icmp);
        let quoted = Quoted { comparison, extended: quote.extended, mpls: mpls_labels(message) };
        self.record(number, packet, answer, Some((quoted, message)), finding, None);
        Took::Answer { rtt: Some(packet.time - at) }
    }

    /// A probe has been answered.
    fn settle(&mut self, number: u16) {
        let Some(sent) = self.sent.get_mut(usize::from(number)) else { return };
        sent.open = false;
        let hop = sent.hop;
        for other in self.sent.iter_mut().filter(|other| other.hop == hop) {
            other.open = false;
        }
        if let Some(state) = self.hops.get_mut(usize::from(hop)) {
            state.answered = true;
        }
    }

    /// When the probe was sent that an answer is to, most likely, that came with so much left of its hop limit: the one that went as far.
    fn likely(&self, left: u8) -> Option<Nanos> {
        let open = self.sent.iter().filter(|sent| sent.open && sent.hop >= back(left));
        open.min_by_key(|sent| sent.hop).and_then(|sent| sent.at)
    }

    /// Begins to find out how far the target is, whose answer came with so much left of its hop limit.
    fn pin_down(&mut self, left: u8) {
        let sent = self.sent.iter().filter(|sent| sent.at.is_some()).map(|sent| sent.hop);
        let high = self.end.or(sent.max()).unwrap_or(self.max);
        self.mode = Mode::Pin(Pin::new(self.heard.min(high.saturating_sub(1)), high, back(left)));
    }

    /// Begins anew with the hops that have not answered, one probe at a time.
    fn go_singly(&mut self) {
        if matches!(self.mode, Mode::Singly) {
            return;
        }
        self.mode = Mode::Singly;
        for state in self.hops.iter_mut().filter(|state| !state.answered) {
            state.tries = 0;
        }
    }

    fn record(
        &mut self,
        number: u16,
        packet: &Received<'_>,
        answer: HopAnswer,
        quote: Option<(Quoted, &Message<'_>)>,
        finding: Option<Finding>,
        options: Option<OptionBytes>,
    ) {
        let Some(sent) = self.sent.get(usize::from(number)).copied() else { return };
        let icmp = quote.as_ref().map(|(_, message)| (message.ty, message.code));
        let seen = Seen {
            sent_ns: sent.at.unwrap_or(packet.time),
            time_ns: Some(packet.time),
            from: packet.ip.src,
            answer,
            ttl: packet.ip.hop_limit,
            icmp,
            quote: quote.map(|(quoted, _)| quoted),
            finding,
            options,
            sent: self.packet.clone(),
        };
        self.run.step(sent.hop).seen.push(seen);
    }
}
