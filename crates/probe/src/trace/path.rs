//! The conversation with one target: walks that ask all that is asked, a second round that confirms, distances, and data.
//!
//! The second round asks everything again with fresh numbers, and each kind of probe from the port that another had before: what goes
//! with the port (a branch of the path) does not come back, what goes with the option does.

use std::net::IpAddr;
use std::sync::Arc;

use super::flow::{Flow, Id, What};
use super::record::{Run, Trace};
use super::session::{Session, reset};
use super::settings::Settings;
use super::tables::{Concluded, conclude};
use super::walk::{Known, Took, Walk};
use crate::Error;
use crate::distance::{Measure, Settings as MeasureSettings};
use crate::network::{Local, Nanos, Out, Received, Talk, What as Carried};
use crate::rows::{Asks, Behaviour, Category, Finding, HopAnswer, Traced};
use crate::targets::{Target, mix};

/// Ports of ours; the measurement of distances has those behind.
pub(super) const PORTS: u16 = 32;
/// The number of packets that are no probes.
const NO_PROBE: u32 = 0xffff;
/// Before anything has answered.
const FIRST_WAIT: Nanos = 1_000_000_000;
/// However near: routers take their time to answer.
const LEAST_WAIT: Nanos = 200_000_000;
const EXTRA_WAIT: Nanos = 50_000_000;
/// Round trips that an answer may take.
const ROUND_TRIPS: Nanos = 3;
/// Where a whole connection is meant, no hop limit is.
const FAR: u8 = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Survey,
    Confirm,
    Connect,
    Data,
    Over,
}

/// Probes one target; a [`Talk`].
#[derive(Clone, Debug)]
pub struct Path {
    target: Target,
    settings: Arc<Settings>,
    stage: Stage,
    /// All walks, those that are over included.
    walks: Vec<Walk>,
    /// The first of those that are on.
    from: usize,
    measure: Option<Measure>,
    session: Option<Session>,
    local: Option<Local>,
    data_acked: Option<bool>,
    rtt: Option<Nanos>,
    began: Nanos,
    ended: Nanos,
    probes: u32,
    answers: u32,
    rejected: u32,
    no_way: Option<String>,
    packet: Vec<u8>,
}

impl Path {
    /// One that has not begun.
    pub fn new(target: Target, settings: Arc<Settings>) -> Self {
        Self {
            target,
            settings,
            stage: Stage::Survey,
            walks: Vec::new(),
            from: 0,
            measure: None,
            session: None,
            local: None,
            data_acked: None,
            rtt: None,
            began: 0,
            ended: 0,
            probes: 0,
            answers: 0,
            rejected: 0,
            no_way: None,
            packet: Vec::new(),
        }
    }

    /// Who is asked.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Why nothing could be sent.
    pub fn no_way(&self) -> Option<&str> {
        self.no_way.as_deref()
    }

    /// All that was seen so far.
    pub fn trace(&self) -> Trace {
        let mut trace = Trace::new(self.target, self.began);
        trace.ended_ns = self.ended;
        // The handshake of the connection for data is no walk.
        trace.runs =
            self.walks.iter().filter(|walk| walk.run.round > 0).map(|walk| walk.run.clone()).collect();
        if let Some(measure) = &self.measure {
            let distances = measure.distances();
            (trace.reset, trace.echo) = (distances.reset, distances.echo);
        }
        trace.data_acked = self.data_acked;
        (trace.probes, trace.answers, trace.rejected) = (self.probes, self.answers, self.rejected);
        trace
    }

    /// What follows from what was seen so far.
    pub fn conclude(&self) -> Concluded {
        conclude(&self.trace())
    }

    /// How long an answer may take by now.
    fn wait(&self) -> Nanos {
        let most = self.settings.wait.as_nanos() as Nanos;
        let wait = self.rtt.map_or(FIRST_WAIT, |rtt| (ROUND_TRIPS * rtt + EXTRA_WAIT).max(LEAST_WAIT));
        wait.min(most)
    }

    /// What all walks together know.
    fn known(&self) -> Known {
        let open =
            |walk: &&Walk| walk.run.asks == Asks::Plain && walk.run.nearest(HopAnswer::SynAck).is_some();
        let hint = self.walks.iter().filter(open).filter_map(Walk::end).min();
        let mut known = Known { wait: self.wait(), hint, heard: [false; 256] };
        for (hop, seen) in self.walks.iter().flat_map(|walk| walk.run.seen()) {
            if let Some(heard) = known.heard.get_mut(usize::from(hop)) {
                *heard |= matches!(seen.answer, HopAnswer::TimeExceeded | HopAnswer::SynAck);
            }
        }
        known
    }

    /// Begins a walk.
    fn walk(&mut self, id: Id, port: u16, range: (u8, u8), what: What) {
        let Some(local) = self.local else { return };
        let src_port = local.port(port);
        let mptcp = match &what {
            What::Syn(spec) => spec.has_mptcp(),
            What::Data { .. } => true,
        };
        let flow = Flow::new(self.settings.seed, self.target, (local.addr, src_port), id, what);
        let run = Run {
            asks: id.asks,
            mptcp,
            flow: id.flow,
            round: id.round,
            src_addr: local.addr,
            src_port,
            steps: Vec::new(),
        };
        let tries = self.settings.retries.saturating_add(1);
        let mut walk = Walk::new(self.walks.len() as u32, flow, run, range, tries);
        let silent = |hop: &u8| {
            let steps = self.walks.iter().filter_map(|walk| walk.run.steps.get(usize::from(*hop)));
            let mut probed = steps.filter(|step| step.probes > 0).peekable();
            probed.peek().is_some() && probed.all(|step| step.seen.is_empty())
        };
        if id.round != 1 || id.asks == Asks::Data {
            walk.spare((range.0..range.1).filter(silent));
        }
        self.walks.push(walk);
    }

    /// Begins the walks of a round; `range` says over which hop limits a kind walks, if at all.
    fn round(&mut self, round: u32, range: impl Fn(&Self, Asks, u32) -> Option<(u8, u8)>) {
        let kinds = self.settings.kinds();
        let count = kinds.len() as u16;
        self.from = self.walks.len();
        for flow in 0..u32::from(self.settings.flows) {
            for (at, &asks) in (0_u16..).zip(&kinds) {
                let Some(range) = range(self, asks, flow) else { continue };
                let turn = (at + (round - 1) as u16) % count;
                let spec = self.settings.options(asks, self.target.addr.is_ipv6());
                self.walk(Id { asks, flow, round }, flow as u16 * count + turn, range, What::Syn(spec));
            }
        }
        self.take_turns();
    }

    fn take_turns(&mut self) {
        let turns = self.walks.len().saturating_sub(self.from) as u8;
        for (turn, walk) in (0..turns).zip(self.walks.iter_mut().skip(self.from)) {
            walk.take_turn(turn, turns);
        }
    }

    /// Sends what is due, and goes on to the next stage when one is over.
    fn advance(&mut self, now: Nanos, out: &mut Out) {
        self.ended = self.ended.max(now);
        loop {
            let known = self.known();
            for walk in self.walks.iter_mut().skip(self.from) {
                walk.go_on(now, &known, out);
            }
            if let Some(measure) = &mut self.measure {
                measure.timer(now, out);
            }
            let over = self.walks.iter().skip(self.from).all(|walk| walk.is_over(&known))
                && self.measure.as_ref().is_none_or(Measure::is_over);
            if !over || self.stage == Stage::Over {
                break;
            }
            self.next_stage(out);
        }
        let (wait, from) = (self.wait(), self.from);
        let walks = self.walks.iter().skip(from).filter_map(|walk| walk.due(wait));
        let due = walks.chain(self.measure.as_ref().and_then(Measure::wake_at)).min();
        match due {
            Some(at) => out.wake(at),
            None => out.sleep(),
        }
    }

    fn next_stage(&mut self, out: &mut Out) {
        self.from = self.walks.len();
        self.stage = match self.stage {
            Stage::Survey => self.begin_confirming(out),
            Stage::Confirm => self.begin_connecting(),
            Stage::Connect => self.begin_data(),
            Stage::Data | Stage::Over => Stage::Over,
        };
        if self.stage == Stage::Over
            && let Some(session) = &mut self.session
        {
            session.close(NO_PROBE, &mut self.packet, out);
        }
    }

    fn begin_confirming(&mut self, out: &mut Out) -> Stage {
        let found = self.conclude();
        if found.target.category == Category::Unresponsive {
            return Stage::Over;
        }
        let suspect = found.target.category == Category::MiddleboxAffected
            || !found.modifications.is_empty()
            || found.target.behaviour != Some(Behaviour::PassThrough);
        let whole = (self.settings.min_hop, self.settings.max_hop);
        self.round(2, |path, asks, flow| {
            if suspect {
                return Some(whole);
            }
            // Nothing was found: only that the target answers is asked again.
            let first = path.walks.iter().find(|walk| (walk.run.asks, walk.run.flow) == (asks, flow))?;
            first.end().map(|end| (end, end))
        });
        self.ask_join(&found.target);
        if self.settings.distances {
            let secret = mix(self.settings.seed ^ 0x6469_7374);
            // The distance of the SYN/ACK is known from the walks.
            let settings = MeasureSettings {
                kinds: [false, true, true],
                secret,
                first_port: PORTS,
                ..MeasureSettings::default()
            };
            let mut measure = Measure::new(self.target, settings);
            measure.begin(out);
            self.measure = Some(measure);
        }
        Stage::Confirm
    }

    /// Where a SYN/ACK has no option, a reset with MP_TCPRST may tell that the server would have sent one (RFC 8684, section 3.6).
    fn ask_join(&mut self, found: &Traced) {
        let open = found.v1.or(found.both) == Some(Finding::NoOption);
        let Some(end) = found.syn_ack_hops.filter(|_| open && !self.settings.kinds().contains(&Asks::Join))
        else {
            return;
        };
        let spec = self.settings.options(Asks::Join, self.target.addr.is_ipv6());
        self.walk(
            Id { asks: Asks::Join, flow: 0, round: 2 },
            self.free_port() + 1,
            (end, end),
            What::Syn(spec),
        );
        self.take_turns();
    }

    /// The first port that no walk of the rounds has.
    fn free_port(&self) -> u16 {
        self.settings.kinds().len() as u16 * u16::from(self.settings.flows)
    }

    fn begin_connecting(&mut self) -> Stage {
        let trace = self.trace();
        let proper = |asks| trace.finding(asks) == Some(Finding::V1);
        if !self.settings.data || !(proper(Asks::V1) || proper(Asks::Both)) {
            return Stage::Over;
        }
        let spec = self.settings.options(Asks::V1, self.target.addr.is_ipv6());
        let port = self.free_port();
        self.walk(Id { asks: Asks::V1, flow: 0, round: 0 }, port, (FAR, FAR), What::Syn(spec));
        Stage::Connect
    }

    fn begin_data(&mut self) -> Stage {
        let Some(session) = &self.session else { return Stage::Over };
        let (what, seq) = (session.data(), session.data_seq());
        let port = self.free_port();
        let end = self.walks.iter().filter(|walk| walk.run.round > 0).filter_map(Walk::end).min();
        let range = (self.settings.min_hop, end.unwrap_or(self.settings.max_hop));
        self.walk(Id { asks: Asks::Data, flow: 0, round: 1 }, port, range, what);
        // It goes on where the SYN ended, in number and time.
        if let Some(walk) = self.walks.last_mut() {
            walk.flow.continue_at(seq);
        }
        Stage::Data
    }

    /// A segment of the target that a walk took: what it opened is closed, unless data is to be sent on it.
    fn opened(&mut self, place: usize, packet: &Received<'_>, out: &mut Out) {
        let Carried::Tcp(tcp) = &packet.what else { return };
        let Some(walk) = self.walks.get(place) else { return };
        if tcp.flags().syn() && tcp.flags().ack() {
            if walk.run.round == 0 {
                if self.session.is_none() {
                    self.session = Session::open(&walk.flow, tcp);
                }
                if let Some(session) = &self.session {
                    session.confirm(NO_PROBE, &mut self.packet, out);
                    return;
                }
            }
            reset(&walk.flow, tcp.ack(), NO_PROBE, &mut self.packet, out);
        } else if walk.run.asks == Asks::Data
            && let Some(acked) = self.session.as_ref().and_then(|session| session.acknowledged(tcp))
        {
            self.data_acked = Some(acked || self.data_acked == Some(true));
        }
    }
}

impl Talk for Path {
    fn remote(&self) -> IpAddr {
        self.target.addr
    }

    fn begin(&mut self, now: Nanos, out: &mut Out) {
        (self.began, self.ended) = (now, now);
        self.local = Some(out.local());
        let whole = (self.settings.min_hop, self.settings.max_hop);
        self.round(1, |_, _, _| Some(whole));
        self.advance(now, out);
    }

    fn packet(&mut self, now: Nanos, packet: &Received<'_>, out: &mut Out) {
        if self.measure.as_mut().is_some_and(|measure| measure.packet(packet, out)) {
            self.answers += 1;
            self.advance(now, out);
            return;
        }
        let mut taken = None;
        for (place, walk) in self.walks.iter_mut().enumerate().rev() {
            match walk.take(packet) {
                Took::NotMine => continue,
                took => {
                    taken = Some((place, took));
                    break;
                }
            }
        }
        match taken {
            Some((place, took)) => {
                if let Took::Answer { rtt } = took {
                    self.answers += 1;
                    self.rtt = self.rtt.max(rtt);
                }
                self.opened(place, packet, out);
            }
            // A conversation that was opened says more than answers; anything else is stale or forged.
            None => self.rejected += u32::from(self.session.is_none() || packet.icmp().is_some()),
        }
        self.advance(now, out);
    }

    fn timer(&mut self, now: Nanos, out: &mut Out) {
        self.advance(now, out);
    }

    fn sent(&mut self, id: u32, at: Nanos, out: &mut Out) {
        let measured = self.measure.as_mut().is_some_and(|measure| measure.sent(id, at));
        if id != NO_PROBE && id != u32::MAX {
            self.probes += 1;
        }
        if !measured && id != NO_PROBE {
            for walk in &mut self.walks {
                walk.sent(id, at);
            }
        }
        self.advance(at, out);
    }

    fn no_way(&mut self, now: Nanos, why: &Error) {
        (self.began, self.ended, self.stage) = (now, now, Stage::Over);
        self.no_way = Some(why.to_string());
    }

    fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }
}
