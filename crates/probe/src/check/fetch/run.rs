//! The downloads themselves.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use subflow_netio::mptcp::{Dial, Protocol, is_missing, mptcp_info, tcp_info};
use subflow_rows::Time;

use super::summary::Summary;
use super::tls::{Stream, Tls, Trust};
use super::url::Url;
use crate::Stop;
use crate::check::Error;
use crate::check::compare::handshake_passage;
use crate::check::counters::{Counters, growth};
use crate::check::flows::Flow;
use crate::check::http::Answer;
use crate::check::report::hex;
use crate::check::talk::said;
use crate::check::watch::{LATENCY, Watch};
use crate::rows::{Fetch, FetchOutcome, Negotiated, Passage};

/// Redirects that are followed.
const MOST_REDIRECTS: usize = 5;
/// Bytes read at a time.
const CHUNK: usize = 64 << 10;

/// What is to be downloaded, and how often.
#[derive(Clone, Debug)]
pub struct Settings {
    /// From where.
    pub url: Url,
    /// Pairs of downloads.
    pub pairs: u32,
    /// Local address; `None` leaves it to the kernel.
    pub from: Option<IpAddr>,
    /// `Some(true)` for IPv6 alone, `Some(false)` for IPv4.
    pub v6: Option<bool>,
    /// How long a connection is waited for. Longer than three seconds, so that a connection that only works without the option is one: what
    /// that costs is what is measured.
    pub connect_timeout: Duration,
    /// How long a whole download may take.
    pub timeout: Duration,
    /// Bytes of the body after which a download is left.
    pub max_bytes: u64,
    /// How long to rest between two downloads.
    pub pause: Duration,
    /// Whom to believe in TLS.
    pub trust: Trust,
    /// Whether packets are to be watched, where this process may.
    pub packets: bool,
}

impl Settings {
    /// With everything else as it usually is.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            pairs: 10,
            from: None,
            v6: None,
            connect_timeout: Duration::from_secs(15),
            timeout: Duration::from_secs(60),
            max_bytes: 100 << 20,
            pause: Duration::from_millis(100),
            trust: Trust::System,
            packets: true,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let sensible = self.pairs > 0 && self.max_bytes > 0;
        if !sensible || self.connect_timeout.is_zero() || self.timeout.is_zero() {
            return Err(Error::Setting { what: "number of downloads, bytes and timeouts must be above 0" });
        }
        Ok(())
    }
}

/// What a comparison found.
#[derive(Debug)]
pub struct Outcome {
    /// One row per download.
    pub fetches: Vec<Fetch>,
    /// The answers that led elsewhere, in their order: where from, the status, and where to.
    pub redirects: Vec<(Url, u16, Url)>,
    /// What was downloaded in the end.
    pub url: Url,
    /// From which address.
    pub server: SocketAddr,
    /// What the rows say together.
    pub summary: Summary,
    /// Why packets were not watched, though they were to be.
    pub without_packets: Option<subflow_netio::Error>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

/// Downloads over TCP and over Multipath TCP in alternation; `each` is told of a row as soon as it is there. Redirects are followed once,
/// before the measurement, by plain TCP; that download is no row.
///
/// # Errors
/// Settings that make no sense, a name without an address, certificates that cannot be read. What goes wrong in a download is in its row.
pub fn run(settings: &Settings, stop: &Stop, mut each: impl FnMut(&Fetch)) -> Result<Outcome, Error> {
    settings.check()?;
    let (url, server, redirects) = arrive(settings)?;
    let watch = if settings.packets { Watch::open(&[url.port]).map(Some) } else { Ok(None) };
    let (watch, without_packets) = match watch {
        Ok(watch) => (watch, None),
        Err(error) => (None, Some(error)),
    };
    let tls = if url.tls { Some(Tls::new(&settings.trust)?) } else { None };
    let download = Download { settings, url: &url, server, tls: tls.as_ref(), watch: watch.as_ref() };
    let mut fetches = Vec::new();
    let mut stopped = false;
    'pairs: for pair in 0..settings.pairs {
        // Every second time Multipath TCP comes first, so that neither finds caches warmer than the other does.
        let begin = pair % 2 == 1;
        for (mptcp, first) in [(begin, true), (!begin, false)] {
            if stop.times() > 0 {
                stopped = true;
                break 'pairs;
            }
            if !fetches.is_empty() {
                std::thread::sleep(settings.pause);
            }
            let row = download.row(pair, mptcp, first);
            each(&row);
            fetches.push(row);
        }
    }
    let summary = Summary::of(&fetches);
    Ok(Outcome { fetches, redirects, url, server, summary, without_packets, stopped })
}

/// An answer that leads elsewhere: where from, the status, and where to.
type Redirect = (Url, u16, Url);

/// Follows redirects to what is to be downloaded.
fn arrive(settings: &Settings) -> Result<(Url, SocketAddr, Vec<Redirect>), Error> {
    let mut url = settings.url.clone();
    let mut redirects: Vec<Redirect> = Vec::new();
    loop {
        let server = resolve(&url, settings)?;
        if redirects.len() >= MOST_REDIRECTS {
            return Ok((url, server, redirects));
        }
        let tls = if url.tls { Some(Tls::new(&settings.trust)?) } else { None };
        let download = Download { settings, url: &url, server, tls: tls.as_ref(), watch: None };
        let Some((status, to)) = download.redirect() else { return Ok((url, server, redirects)) };
        let to = url.redirected(&to)?;
        redirects.push((std::mem::replace(&mut url, to.clone()), status, to));
    }
}

/// The address that all downloads use.
fn resolve(url: &Url, settings: &Settings) -> Result<SocketAddr, Error> {
    let missing = |source| Error::NoAddress { host: url.host.clone(), source };
    let mut found =
        (url.host.as_str(), url.port).to_socket_addrs().map_err(|source| missing(Some(source)))?;
    let family = settings.from.map(|addr| addr.is_ipv6()).or(settings.v6);
    found.find(|addr| family.is_none_or(|v6| addr.is_ipv6() == v6)).ok_or_else(|| missing(None))
}

/// What is the same in all downloads of a run.
#[derive(Clone, Copy)]
struct Download<'a> {
    settings: &'a Settings,
    url: &'a Url,
    server: SocketAddr,
    tls: Option<&'a Tls>,
    watch: Option<&'a Watch>,
}

/// Why a download did not come to its end.
type Failure = (FetchOutcome, Option<String>);

/// A read that may not last beyond an end.
struct Clock {
    begin: Instant,
    end: Instant,
}

impl Clock {
    fn seconds(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    /// Sets the timeouts of a socket to what is left.
    fn limit(&self, stream: &std::net::TcpStream) -> io::Result<()> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        stream.set_read_timeout(Some(left))?;
        stream.set_write_timeout(Some(left))
    }
}

fn waited(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

impl Download<'_> {
    fn row(&self, pair: u32, mptcp: bool, first: bool) -> Fetch {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut row = Fetch {
            time: Time(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)),
            url: self.url.to_string(),
            server_addr: self.server.ip(),
            port: self.server.port(),
            local_addr: None,
            pair,
            first,
            mptcp,
            outcome: FetchOutcome::Complete,
            status: None,
            connect: None,
            tls: None,
            first_byte: None,
            complete: None,
            bytes: 0,
            throughput: None,
            negotiated: None,
            subflows: None,
            mptcp_received: None,
            retransmits: None,
            rtt: None,
            syn_ack: None,
            syn_ack_options: None,
            error: None,
        };
        let mut local = None;
        let mut answer = Answer::new(0);
        if let Err((outcome, error)) = self.make(&mut row, &mut local, &mut answer) {
            (row.outcome, row.error) = (outcome, error);
        }
        self.packets(&mut row, local);
        row
    }

    /// Where an answer leads, when it leads elsewhere; only its head is read.
    fn redirect(&self) -> Option<(u16, String)> {
        let mut answer = Answer::new(0);
        let clock = self.clock();
        let stream = self.dial(false).ok()?.connect(self.server, self.settings.connect_timeout).ok()?;
        let mut stream = self.secure(stream, &clock).ok()?;
        self.ask(&mut stream, &clock).ok()?;
        let mut buffer = [0; 4 << 10];
        while answer.status().is_none() {
            clock.limit(stream.socket()).ok()?;
            let len = stream.read(&mut buffer).ok().filter(|&len| len > 0)?;
            answer.feed(buffer.get(..len)?).ok()?;
        }
        let status = answer.status().filter(|status| matches!(status, 301 | 302 | 303 | 307 | 308))?;
        Some((status, answer.head().get("location")?.to_owned()))
    }

    fn clock(&self) -> Clock {
        let begin = Instant::now();
        Clock { begin, end: begin + self.settings.timeout }
    }

    fn dial(&self, mptcp: bool) -> io::Result<Dial> {
        let protocol = if mptcp { Protocol::Mptcp } else { Protocol::Tcp };
        Dial::open(protocol, self.server.is_ipv6(), self.settings.from, None)
    }

    fn secure(&self, stream: std::net::TcpStream, clock: &Clock) -> io::Result<Stream> {
        clock.limit(&stream)?;
        // A request must not wait for more to send.
        stream.set_nodelay(true)?;
        match self.tls {
            Some(tls) => Ok(Stream::Tls(Box::new(tls.connect(&self.url.host, stream)?))),
            None => Ok(Stream::Plain(stream)),
        }
    }

    fn ask(&self, stream: &mut Stream, clock: &Clock) -> io::Result<()> {
        clock.limit(stream.socket())?;
        write!(
            Buffered(stream),
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: subflow\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n",
            self.url.path,
            self.url.authority(),
        )
    }

    /// One download; what is known of it is in the row, however it ends.
    fn make(
        &self,
        row: &mut Fetch,
        local: &mut Option<SocketAddr>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let unconnected = |error: io::Error| (FetchOutcome::NoConnection, Some(said(&error)));
        let dial = self.dial(row.mptcp).map_err(|error| {
            row.negotiated = (row.mptcp && is_missing(&error)).then_some(Negotiated::NotSent);
            unconnected(error)
        })?;
        let before = Counters::read();
        let clock = self.clock();
        let stream = dial.connect(self.server, self.settings.connect_timeout).map_err(unconnected)?;
        let connected = clock.seconds();
        let after = Counters::read();
        row.connect = Some(connected);
        *local = stream.local_addr().ok();
        row.local_addr = local.map(|local| local.ip().to_canonical());
        let agreed = row.mptcp.then(|| mptcp_info(&stream).is_some_and(|info| !info.fallback));
        let grew = |before, after| growth(before, after).is_some_and(|by| by > 0);
        row.negotiated = agreed.map(|agreed| match agreed {
            true => Negotiated::Kept,
            false if grew(before.dropped, after.dropped) => Negotiated::Dropped,
            false if grew(before.disabled, after.disabled) => Negotiated::NotSent,
            false => Negotiated::Refused,
        });
        let mut stream = self.secure(stream, &clock).map_err(|error| {
            let outcome = if waited(&error) { FetchOutcome::TimedOut } else { FetchOutcome::NoTls };
            (outcome, Some(said(&error)))
        })?;
        row.tls = self.tls.map(|_| clock.seconds() - connected);
        let result = self.read(&mut stream, &clock, row, answer);
        (row.status, row.bytes) = (answer.status(), answer.body_bytes());
        ending(row, &stream);
        result
    }

    fn read(
        &self,
        stream: &mut Stream,
        clock: &Clock,
        row: &mut Fetch,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            let outcome = if waited(&error) { FetchOutcome::TimedOut } else { FetchOutcome::Broken };
            (outcome, Some(said(&error)))
        };
        self.ask(stream, clock).map_err(failed)?;
        let mut buffer = vec![0; CHUNK];
        // When the first bytes had been read, and how many of the body they were.
        let mut begun: Option<(f64, u64)> = None;
        let enough = loop {
            clock.limit(stream.socket()).map_err(failed)?;
            let len = match stream.read(&mut buffer) {
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // A server that ends TLS without saying so has ended the connection all the same.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                Err(error) => return Err(failed(error)),
            };
            let now = clock.seconds();
            if len == 0 {
                answer.ended().map_err(|error| (FetchOutcome::Broken, Some(error.to_string())))?;
                break false;
            }
            row.first_byte.get_or_insert(now);
            let bytes = buffer.get(..len).unwrap_or_default();
            answer.feed(bytes).map_err(|error| (FetchOutcome::NoHttp, Some(error.to_string())))?;
            begun.get_or_insert((now, answer.body_bytes()));
            if answer.is_over() {
                break false;
            }
            if answer.body_bytes() >= self.settings.max_bytes {
                break true;
            }
        };
        let now = clock.seconds();
        if enough {
            row.outcome = FetchOutcome::Enough;
        } else {
            row.complete = Some(now);
        }
        row.throughput = begun.and_then(|(since, before)| {
            let (bits, time) = ((answer.body_bytes() - before) as f64 * 8.0, now - since);
            (bits > 0.0 && time > 0.0).then(|| bits / time)
        });
        Ok(())
    }

    /// What the packets of a connection show.
    fn packets(&self, row: &mut Fetch, local: Option<SocketAddr>) {
        let Some((watch, local)) = self.watch.zip(local) else { return };
        let local = SocketAddr::new(local.ip().to_canonical(), local.port());
        let Some(flow) = watch.flow(local, self.server, LATENCY, |flow| flow.syn_ack.is_some()) else {
            return;
        };
        row.syn_ack_options = flow.syn_ack.as_ref().map(|seen| hex(&seen.options));
        if row.mptcp {
            row.syn_ack = syn_ack(&flow, row.negotiated);
            if !flow.syn.has_mptcp() {
                let asked = flow.first_syn.has_mptcp();
                row.negotiated = Some(if asked { Negotiated::Dropped } else { Negotiated::NotSent });
            }
        }
    }
}

/// What a SYN/ACK shows of the option, without the word of the server.
fn syn_ack(flow: &Flow, negotiated: Option<Negotiated>) -> Option<Passage> {
    if !flow.syn.has_mptcp() {
        return None;
    }
    let known = matches!(negotiated, Some(Negotiated::Kept | Negotiated::FellBack));
    handshake_passage(None, flow.syn_ack.as_ref(), Some(&flow.syn)).or(known.then_some(Passage::Kept))
}

/// What the kernel says of the connection at its end.
fn ending(row: &mut Fetch, stream: &Stream) {
    let socket = stream.socket();
    if let Some(info) = tcp_info(socket) {
        row.retransmits = info.retransmits;
        row.rtt = (info.rtt_micros > 0).then(|| f64::from(info.rtt_micros) / 1e6);
    }
    if row.negotiated != Some(Negotiated::Kept) {
        return;
    }
    match mptcp_info(socket).filter(|info| !info.fallback) {
        Some(info) => {
            let subflows = info.subflows.filter(|&count| count > 0);
            row.subflows = Some(subflows.unwrap_or(info.extra_subflows.saturating_add(1)).into());
            row.mptcp_received = info.received;
        }
        None => row.negotiated = Some(Negotiated::FellBack),
    }
}

/// Gathers what a formatter writes in pieces, and sends it at once.
struct Buffered<'a>(&'a mut Stream);

impl Buffered<'_> {
    fn write_fmt(&mut self, arguments: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.0.write_all(arguments.to_string().as_bytes())?;
        self.0.flush()
    }
}
