//! Everything that is said to one target: a connection for each version, one of plain TCP where that is needed to judge, and the
//! distance of who answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use siphasher::sip128::SipHasher13;
use subflow_rows::{Hex32, Hex64, Time};
use subflow_wire::Key;
use subflow_wire::keys::Version;

use super::connection::{Connection, Identity};
use super::judge::conclude;
use super::request::describe;
use super::settings::{Settings, Target, Timing};
use crate::Error;
use crate::distance::{self, Measure};
use crate::network::{Nanos, Out, Received, Talk, What};
use crate::rows::{Conclusion, DataStep, PlainStep, SynStep, Verification};
use crate::targets::{hex, mix};

/// The first of the ports and of the packet numbers by which hops are counted.
const HOPS_PORT: u16 = 32;
const HOPS_ID: u32 = 1 << 16;

/// What all talks of a run share.
#[derive(Debug)]
pub struct Shared {
    settings: Settings,
    timing: Timing,
    agent: String,
    hasher: SipHasher13,
}

impl Shared {
    /// Of a run with these settings; the seed makes what has to be hard to guess.
    pub fn new(settings: &Settings, seed: u64) -> Self {
        Self {
            timing: Timing::from(&settings.patience),
            agent: settings.agent(),
            hasher: SipHasher13::new_with_keys(mix(seed), mix(!seed)),
            settings: settings.clone(),
        }
    }

    /// Eight numbers that only we know, for the `n`-th connection to a target.
    fn numbers(&self, target: &Target, n: usize) -> [u64; 8] {
        let mut input = [0; 20];
        match target.addr {
            IpAddr::V4(addr) => input[..4].copy_from_slice(&addr.octets()),
            IpAddr::V6(addr) => input[..16].copy_from_slice(&addr.octets()),
        }
        input[16..18].copy_from_slice(&target.port.to_be_bytes());
        input[19] = n as u8;
        let mut numbers = [0; 8];
        for (k, pair) in numbers.chunks_exact_mut(2).enumerate() {
            input[18] = k as u8;
            let hash = self.hasher.hash(&input);
            pair.copy_from_slice(&[hash.h1, hash.h2]);
        }
        numbers
    }
}

/// The talk with one target.
#[derive(Debug)]
pub struct Verifier {
    target: Target,
    shared: Arc<Shared>,
    /// In order of trial: for each version one, or two where the first ended too early; then that of plain TCP.
    connections: Vec<Connection>,
    hops: Option<Measure>,
    source: Option<IpAddr>,
    began: Nanos,
    over: bool,
    no_way: bool,
}

impl Verifier {
    /// A talk with a target.
    pub fn new(target: Target, shared: Arc<Shared>) -> Self {
        Self {
            target,
            shared,
            connections: Vec::new(),
            hops: None,
            source: None,
            began: 0,
            over: false,
            no_way: false,
        }
    }

    /// What is verified.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The connection that a packet number or port number belongs to, and whether to its second subflow.
    fn connection(&mut self, number: usize) -> Option<(&mut Connection, bool)> {
        let connection = self.connections.get_mut(number / 2)?;
        Some((connection, number % 2 == 1))
    }

    fn plain(&self) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.identity.version.is_none())
    }

    fn identity(&self, version: Option<Version>, join_first: bool, out: &Out) -> Identity {
        let at = self.connections.len();
        let numbers = self.shared.numbers(&self.target, at);
        let local = out.local();
        let end = |n: usize| SocketAddr::new(local.addr, local.port((2 * at + n) as u16));
        let settings = &self.shared.settings;
        let seed = [numbers[4], numbers[5], numbers[6], numbers[7]];
        let request = settings.request_to(self.target.port);
        Identity {
            version,
            key: Key(numbers[0]),
            nonce: numbers[1] as u32,
            iss: [(numbers[1] >> 32) as u32, numbers[2] as u32],
            clock: (numbers[2] >> 32) as u32,
            local: [end(0), end(1)],
            remote: SocketAddr::new(self.target.addr, self.target.port),
            id: (2 * at) as u32,
            checksum: settings.checksum && version.is_some(),
            join_first,
            request: request.parts(self.target.addr, self.target.port, &self.shared.agent, seed),
        }
    }

    /// The next connection: its version, `None` for plain TCP, and whether it joins first; `None` when there were enough.
    fn next(&self) -> Option<(Option<Version>, bool)> {
        if let Some(last) = self.connections.last()
            && last.identity.version.is_some()
            && !last.identity.join_first
            && last.seen.early
        {
            return Some((last.identity.version, true));
        }
        let begun = |connection: &&Connection| {
            connection.identity.version.is_some() && !connection.identity.join_first
        };
        match self.target.versions.iter().nth(self.connections.iter().filter(begun).count()) {
            Some(version) => Some((Some(version), false)),
            None => (self.plain().is_none() && self.needs_plain()).then_some((None, false)),
        }
    }

    /// Begins the next connection where one has ended, until there is nothing left to do; then says when to be woken.
    fn advance(&mut self, now: Nanos, out: &mut Out) {
        while !self.over && self.connections.last().is_none_or(Connection::is_over) {
            if let Some(hops) = &self.hops {
                self.over = hops.is_over();
                break;
            }
            if let Some((version, join_first)) = self.next() {
                let identity = self.identity(version, join_first, out);
                let mut connection = Connection::new(identity, self.shared.timing);
                connection.begin(now, out);
                self.connections.push(connection);
            } else if self.shared.settings.hops && self.has_answered() {
                let mut hops = self.measure();
                hops.begin(out);
                self.hops = Some(hops);
            } else {
                self.over = true;
            }
        }
        let due = self.connections.last().and_then(Connection::due);
        let hops = self.hops.as_ref().and_then(Measure::wake_at);
        match [due, hops].into_iter().flatten().min() {
            Some(due) if !self.over => out.wake(due),
            _ => out.sleep(),
        }
    }

    /// Whether some SYN was answered in a way that a proxy's may be, so that it matters from how far.
    fn has_answered(&self) -> bool {
        self.connections.iter().any(|connection| {
            matches!(connection.seen.syn, SynStep::NoOption | SynStep::Padded | SynStep::Capable)
                && connection.seen.acknowledged
        })
    }

    fn measure(&self) -> Measure {
        let target = crate::targets::Target { addr: self.target.addr, port: self.target.port };
        let settings = distance::Settings {
            mptcp: self.target.versions.v1,
            first_port: HOPS_PORT,
            first_id: HOPS_ID,
            secret: self.shared.numbers(&self.target, usize::from(u8::MAX))[0],
            patience: self.shared.timing.rto,
            ..distance::Settings::default()
        };
        Measure::new(target, settings)
    }

    /// Whether a version came to nothing for a reason that plain TCP may share.
    fn needs_plain(&self) -> bool {
        self.shared.settings.always_plain
            || self.connections.iter().any(|connection| {
                let silent = matches!(connection.seen.syn, SynStep::Silent | SynStep::Icmp | SynStep::Reset);
                let lost = matches!(connection.data_step(), Some(DataStep::Silent | DataStep::Reset));
                silent || lost && connection.seen.syn == SynStep::Capable
            })
    }

    /// A row for each version.
    pub fn rows(&self) -> Vec<Verification> {
        self.target.versions.iter().enumerate().filter_map(|(at, version)| self.row_of(at, version)).collect()
    }

    /// The row of a version: that of the connection that proved most.
    fn row_of(&self, at: usize, version: Version) -> Option<Verification> {
        if self.no_way {
            return Some(self.row_of_nothing(at, version));
        }
        let mut rows = self
            .connections
            .iter()
            .filter(|connection| connection.identity.version == Some(version))
            .map(|connection| self.judged(connection));
        let first = rows.next()?;
        let Some(second) = rows.next() else { return Some(first) };
        let time = first.time;
        let counts = |row: &Verification| [row.packets_sent, row.packets_again, row.packets_received];
        let (a, b, duration) = (counts(&first), counts(&second), first.duration + second.duration);
        // A proof is worth more than its absence, and nothing is worth more than what speaks against it.
        let lacks = matches!(first.conclusion, Conclusion::RefusesJoins | Conclusion::Unproven);
        let best = if lacks && second.conclusion == Conclusion::TrueSupport { second } else { first };
        Some(Verification {
            time,
            packets_sent: a[0] + b[0],
            packets_again: a[1] + b[1],
            packets_received: a[2] + b[2],
            duration,
            ..best
        })
    }

    fn judged(&self, connection: &Connection) -> Verification {
        let mut row = self.row(connection);
        row.plain = self.plain().map(plain_step);
        if let Some(hops) = self.hops.as_ref().map(Measure::distances) {
            (row.synack_hops, row.reset_hops) = (hops.syn_ack.hops, hops.reset.hops);
            (row.echo_hops, row.proxied) = (hops.echo.hops, hops.proxy());
        }
        (row.conclusion, row.fallback) = conclude(&row);
        row
    }

    /// The row of a target that there is no way to.
    fn row_of_nothing(&self, at: usize, version: Version) -> Verification {
        let addr = self.target.addr;
        let empty = if addr.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0_u8; 16]) };
        let identity = Identity {
            version: Some(version),
            key: Key(self.shared.numbers(&self.target, at)[0]),
            nonce: 0,
            iss: [0; 2],
            clock: 0,
            local: [SocketAddr::new(empty, 0); 2],
            remote: SocketAddr::new(addr, self.target.port),
            id: 0,
            checksum: false,
            join_first: false,
            request: self.shared.settings.request_to(0).parts(addr, 0, "", [0; 4]),
        };
        let row = self.row(&Connection::new(identity, self.shared.timing));
        Verification { time: Time(self.began), conclusion: Conclusion::Unreachable, ..row }
    }

    fn row(&self, connection: &Connection) -> Verification {
        let identity = &connection.identity;
        let seen = &connection.seen;
        let version = identity.version.unwrap_or(Version::V1);
        let seconds = |nanos: Nanos| nanos as f64 / 1e9;
        let [packets_sent, packets_again, packets_received] = connection.counts();
        let [rtt, join_rtt] = connection.rtt();
        let is_capable = seen.syn == SynStep::Capable;
        let space = connection.space.as_ref();
        let head = match space {
            Some(space) if !space.head.is_empty() => &space.head,
            _ => &seen.head,
        };
        Verification {
            time: Time(connection.began),
            addr: self.target.addr,
            port: self.target.port,
            version: version.into(),
            conclusion: Conclusion::Filtered,
            fallback: None,
            syn: seen.syn,
            data: connection.data_step(),
            answer: connection.answer_step(),
            join: seen.join,
            plain: None,
            proxied: None,
            synack_hops: None,
            reset_hops: None,
            echo_hops: None,
            src_addr: identity.local[0].ip(),
            src_port: identity.local[0].port(),
            join_first: identity.join_first,
            join_src_port: connection.has_joined().then_some(identity.local[1].port()),
            flags: seen.flags,
            checksum: is_capable.then_some(connection.checksum()),
            client_key: Hex64(identity.key.0),
            server_key: seen.server_key.map(|key| Hex64(key.0)),
            client_token: Hex32(identity.key.token(version)),
            server_token: seen.server_key.map(|key| Hex32(key.token(version))),
            data_ack_expected: is_capable.then(|| Hex64(connection.data_ack_expected())),
            data_ack_seen: seen.data_ack.map(Hex64),
            dsn_expected: space.map(|space| Hex64(space.expected)),
            dsn_seen: space.and_then(|space| space.seen).map(Hex64),
            checksum_ok: space.and_then(|space| space.checksum_ok),
            hmac_expected: seen.hmac_expected.map(Hex64),
            hmac_seen: seen.hmac_seen.map(Hex64),
            hmac_ok: seen.hmac_seen.map(|hmac| seen.hmac_expected == Some(hmac)),
            reset_reason: seen.reset_reason[0],
            join_reset_reason: seen.reset_reason[1],
            announced: seen.announced_text(),
            announced_ok: seen.announced_ok,
            sent_bytes: connection.sent,
            received_bytes: connection.received(),
            response: describe(head),
            rtt: rtt.map(seconds),
            data_rtt: seen.data_rtt.or(seen.ack_rtt).map(seconds),
            join_rtt: join_rtt.map(seconds),
            ttl: seen.ttl,
            mss: seen.mss,
            window: seen.window,
            options: seen.options.map(|options| hex(options.as_slice())),
            icmp_type: seen.icmp.map(|icmp| icmp.0),
            icmp_code: seen.icmp.map(|icmp| icmp.1),
            icmp_from: seen.icmp.map(|icmp| icmp.2),
            packets_sent,
            packets_again,
            packets_received,
            duration: seconds(connection.ended - connection.began),
        }
    }

    fn segment(
        &mut self,
        now: Nanos,
        packet: &Received<'_>,
        tcp: &subflow_wire::tcp::Tcp<'_>,
        out: &mut Out,
    ) {
        if packet.ip.src != self.target.addr || Some(packet.ip.dst) != self.source {
            return;
        }
        let Some(number) = out.local().number(tcp.dst_port()) else { return };
        if let Some((connection, second)) = self.connection(number.into()) {
            connection.packet(now, &packet.ip, tcp, second, out);
        }
    }

    fn error(
        &mut self,
        now: Nanos,
        packet: &Received<'_>,
        message: &subflow_wire::icmp::Message<'_>,
        out: &mut Out,
    ) {
        if message.is_time_exceeded() || message.mtu().is_some() {
            return;
        }
        let Some(quoted) = message.quote() else { return };
        let Some(&[a, b, c, d, seq @ ..]) = quoted.payload.first_chunk::<8>() else { return };
        let (ours, theirs) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        if quoted.dst != self.target.addr || theirs != self.target.port {
            return;
        }
        let Some(number) = out.local().number(ours) else { return };
        let from = packet.ip.src;
        if let Some((connection, second)) = self.connection(number.into())
            && connection.identity.iss[usize::from(second)] == u32::from_be_bytes(seq)
        {
            connection.icmp(now, second, (message.ty, message.code, from), out);
        }
    }
}

/// What came of the request over plain TCP.
fn plain_step(connection: &Connection) -> PlainStep {
    match (connection.seen.syn, connection.data_step()) {
        (SynStep::Silent, _) => PlainStep::Silent,
        (SynStep::Icmp, _) => PlainStep::Icmp,
        (SynStep::Reset, _) => PlainStep::Reset,
        (_, Some(DataStep::NoSignal)) if connection.seen.head.is_empty() => PlainStep::Acknowledged,
        (_, Some(DataStep::NoSignal)) => PlainStep::Answered,
        (_, Some(DataStep::Reset)) => PlainStep::Dropped,
        _ => PlainStep::Mute,
    }
}

impl Talk for Verifier {
    fn remote(&self) -> IpAddr {
        self.target.addr
    }

    fn begin(&mut self, now: Nanos, out: &mut Out) {
        self.source = Some(out.local().addr);
        self.began = now;
        self.advance(now, out);
    }

    fn packet(&mut self, now: Nanos, packet: &Received<'_>, out: &mut Out) {
        let is_hops = self.hops.as_mut().is_some_and(|hops| hops.packet(packet, out));
        match &packet.what {
            _ if is_hops => {}
            What::Tcp(tcp) => self.segment(now, packet, tcp, out),
            What::Icmp(message) => self.error(now, packet, message, out),
        }
        self.advance(now, out);
    }

    fn timer(&mut self, now: Nanos, out: &mut Out) {
        if let Some(current) = self.connections.last_mut() {
            current.timer(now, out);
        }
        if let Some(hops) = &mut self.hops {
            hops.timer(now, out);
        }
        self.advance(now, out);
    }

    fn sent(&mut self, id: u32, at: Nanos, out: &mut Out) {
        if id >= HOPS_ID {
            if let Some(hops) = &mut self.hops {
                hops.sent(id, at);
            }
        } else if let Some((connection, second)) = self.connection(id as usize) {
            connection.left(second, at);
        }
        self.advance(at, out);
    }

    fn no_way(&mut self, now: Nanos, _why: &Error) {
        (self.began, self.no_way, self.over) = (now, true, true);
    }

    fn is_over(&self) -> bool {
        self.over
    }
}
