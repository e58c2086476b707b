//! The other end of a check: `serve-check`. Listens with Multipath TCP and tells each client what it saw of its packets.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use subflow_netio::mptcp::{Protocol, is_missing, listen, mptcp_info, ready, saved_syn};

use super::Error;
use super::counters::{Counters, growth};
use super::http::Request;
use super::report::Report;
use super::seen::Seen;
use super::settings::DEFAULT_PORTS;
use super::talk::PATH;
use super::watch::{LATENCY, Watch};
use crate::Stop;
use crate::rows::Sight;

/// Connections that are served at a time; further ones are closed.
const MOST_CONNECTIONS: usize = 64;
/// Requests of one connection.
const MOST_REQUESTS: u32 = 16;
/// Longest body of a request.
const MOST_BODY: u64 = 1 << 20;
/// Longest life of a connection.
const LIFE: Duration = Duration::from_secs(60);
/// How long bytes are waited for.
const SILENCE: Duration = Duration::from_secs(10);
/// How often the server looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes that follow a report: more than one segment.
const FILLING: usize = 6000;

/// Where to listen, and with what.
#[derive(Clone, Debug)]
pub struct ServeSettings {
    /// Addresses; empty for all.
    pub addrs: Vec<IpAddr>,
    /// Ports.
    pub ports: Vec<u16>,
    /// Whether to watch packets where this process may.
    pub packets: bool,
    /// Whether to listen with Multipath TCP where the system has it.
    pub mptcp: bool,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self { addrs: Vec::new(), ports: DEFAULT_PORTS.to_vec(), packets: true, mptcp: true }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    watch: Option<Watch>,
    without_packets: Option<subflow_netio::Error>,
    mptcp: bool,
    /// SYNs with the option that the system had counted when the latest connection was accepted.
    counted: Mutex<Option<u64>>,
}

/// What is told while a server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Whom.
    pub peer: SocketAddr,
    /// At which port.
    pub port: u16,
    /// Whether the connection was one of Multipath TCP when it was accepted.
    pub mptcp: bool,
    /// Reports that were sent; 0 when it asked for something else.
    pub reports: u32,
}

impl Server {
    /// Listens. A system without Multipath TCP listens with plain TCP ([`is_mptcp`](Self::is_mptcp) says so).
    pub fn open(settings: &ServeSettings) -> Result<Self, Error> {
        if settings.ports.is_empty() {
            return Err(Error::NoPorts);
        }
        let watch = if settings.packets { Watch::open(&settings.ports).map(Some) } else { Ok(None) };
        let (watch, without_packets) = match watch {
            Ok(watch) => (watch, None),
            Err(error) => (None, Some(error)),
        };
        let mut mptcp = settings.mptcp;
        let mut listeners = Vec::new();
        for &port in &settings.ports {
            if settings.addrs.is_empty() {
                let both = open_at(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port), &mut mptcp);
                // A system without IPv6.
                let found = match both {
                    Err(Error::Listen { source, .. }) if source.kind() != io::ErrorKind::AddrInUse => {
                        open_at(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port), &mut mptcp)
                    }
                    other => other,
                };
                listeners.push(found?);
            }
            for &addr in &settings.addrs {
                listeners.push(open_at(SocketAddr::new(addr, port), &mut mptcp)?);
            }
        }
        let counted = Mutex::new(Counters::read().syn_received);
        Ok(Self { listeners, watch, without_packets, mptcp, counted })
    }

    /// Whether it listens with Multipath TCP.
    pub fn is_mptcp(&self) -> bool {
        self.mptcp
    }

    /// From where it knows packets.
    pub fn sight(&self) -> Sight {
        match (&self.watch, self.mptcp) {
            (Some(_), _) => Sight::Packets,
            (None, false) => Sight::SavedSyn,
            (None, true) => Sight::System,
        }
    }

    /// Why it does not see packets, when it was to.
    pub fn without_packets(&self) -> Option<&subflow_netio::Error> {
        self.without_packets.as_ref()
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Serves until it is asked to stop; `tell` is told of every connection when it has ended.
    pub fn run(&self, stop: &Stop, tell: impl Fn(Served) + Sync) {
        let active = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            while stop.times() == 0 {
                for at in ready(&self.listeners, LOOK) {
                    let Some(Ok((stream, _))) = self.listeners.get(at).map(TcpListener::accept) else {
                        continue;
                    };
                    if active.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                        active.fetch_sub(1, Ordering::Relaxed);
                        continue;
                    }
                    let counted_syn = self.count();
                    let (active, tell) = (&active, &tell);
                    scope.spawn(move || {
                        if let Some(served) = self.serve(&stream, counted_syn, stop) {
                            tell(served);
                        }
                        active.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            }
        });
    }

    /// Whether the system has counted a SYN with the option since the connection before.
    fn count(&self) -> Option<bool> {
        let now = Counters::read().syn_received;
        let mut before = self.counted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let grown = growth(*before, now).map(|by| by > 0);
        *before = now;
        grown.filter(|_| self.mptcp)
    }

    fn serve(&self, stream: &TcpStream, counted_syn: Option<bool>, stop: &Stop) -> Option<Served> {
        let ends = |addr: SocketAddr| SocketAddr::new(addr.ip().to_canonical(), addr.port());
        let peer = ends(stream.peer_addr().ok()?);
        let local = ends(stream.local_addr().ok()?);
        let kept = saved_syn(stream).and_then(|bytes| Seen::read(&bytes));
        let client = Client { stream, peer, local, counted_syn, syn: kept };
        let mptcp = mptcp_info(stream).is_some_and(|info| !info.fallback);
        let reports = self.talk(&client, stop);
        Some(Served { peer, port: local.port(), mptcp, reports })
    }

    /// Answers requests until there are no more; returns how many reports it has sent.
    fn talk(&self, client: &Client<'_>, stop: &Stop) -> u32 {
        let end = Instant::now() + LIFE;
        let mut reports = 0;
        for _ in 0..MOST_REQUESTS {
            let Ok(Some((path, length))) = request(client.stream, end, stop) else { break };
            let Some(nonce) = nonce(&path) else {
                let _ = refuse(client.stream);
                break;
            };
            if skip(client.stream, length, end, stop).is_err()
                || self.answer(client, nonce, reports > 0).is_err()
            {
                break;
            }
            reports += 1;
        }
        reports
    }

    /// Sends a report; with `again`, when data has left before.
    fn answer(&self, client: &Client<'_>, nonce: u64, again: bool) -> io::Result<()> {
        let flow = self.watch.as_ref().and_then(|watch| {
            watch.flow(client.peer, client.local, LATENCY, |flow| {
                flow.syn_ack.is_some() && flow.data.is_some() && (!again || flow.data_back.is_some())
            })
        });
        let info = mptcp_info(client.stream).filter(|info| !info.fallback);
        let sight = match (&flow, &client.syn) {
            (Some(_), _) => Sight::Packets,
            (None, Some(_)) => Sight::SavedSyn,
            (None, None) => Sight::System,
        };
        let (syn, syn_ack, data, data_back) = match flow {
            Some(flow) => (Some(flow.syn), flow.syn_ack, flow.data, flow.data_back),
            None => (client.syn.clone(), None, None, None),
        };
        let report = Report {
            nonce,
            listens_mptcp: self.mptcp,
            sight,
            peer: client.peer,
            local: client.local,
            mptcp: info.is_some(),
            subflows: info.map(|info| info.subflows.unwrap_or(info.extra_subflows.saturating_add(1))),
            receive_next: info.map(|info| info.receive_next),
            counted_syn: client.counted_syn,
            syn,
            syn_ack,
            data,
            data_back,
        };
        let mut body = report.to_string();
        body.extend(std::iter::repeat_n('.', FILLING));
        let head = format!(
            "HTTP/1.1 200 OK\r\nServer: subflow\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = client.stream;
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())
    }
}

/// One connection.
struct Client<'a> {
    stream: &'a TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
    counted_syn: Option<bool>,
    /// Its SYN, when the system has kept it.
    syn: Option<Seen>,
}

/// Listens with Multipath TCP, or with plain TCP where there is none; from then on all do.
fn open_at(at: SocketAddr, mptcp: &mut bool) -> Result<TcpListener, Error> {
    let failed = |source| Error::Listen { at, source };
    // A connection that is gone before it is accepted must not make the others wait.
    let open = |protocol, save_syn| {
        let listener = listen(protocol, at, save_syn)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    if *mptcp {
        match open(Protocol::Mptcp, false) {
            Err(error) if is_missing(&error) => *mptcp = false,
            other => return other.map_err(failed),
        }
    }
    open(Protocol::Tcp, true).map_err(failed)
}

/// Reads bytes before an end, looking now and then whether to stop. Nothing read means that the client has ended.
fn read(mut stream: &TcpStream, buffer: &mut [u8], end: Instant, stop: &Stop) -> io::Result<usize> {
    let end = end.min(Instant::now() + SILENCE);
    stream.set_read_timeout(Some(LOOK))?;
    stream.set_write_timeout(Some(SILENCE))?;
    loop {
        match stream.read(buffer) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if stop.times() > 0 || Instant::now() >= end {
                    return Err(error);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The first line of the next request and the bytes of its body that are still to come; `None` when there is none.
fn request(stream: &TcpStream, end: Instant, stop: &Stop) -> io::Result<Option<(String, u64)>> {
    let (mut request, mut buffer) = (Request::default(), [0; 4 << 10]);
    loop {
        let len = read(stream, &mut buffer, end, stop)?;
        if len == 0 {
            return Ok(None);
        }
        match request.feed(buffer.get(..len).unwrap_or_default()) {
            Ok(Some((head, length))) => return Ok(Some((head.first, length))),
            Ok(None) => {}
            Err(_) => {
                refuse(stream)?;
                return Ok(None);
            }
        }
    }
}

fn skip(stream: &TcpStream, mut length: u64, end: Instant, stop: &Stop) -> io::Result<()> {
    if length > MOST_BODY {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut buffer = [0; 4 << 10];
    while length > 0 {
        let room = usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
        match read(stream, buffer.get_mut(..room).unwrap_or_default(), end, stop)? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            len => length -= len as u64,
        }
    }
    Ok(())
}

/// The number that a request names, when it is one for a report.
fn nonce(first_line: &str) -> Option<u64> {
    let mut words = first_line.split(' ');
    let method = words.next()?;
    let (path, query) = words.next()?.split_once('?')?;
    let known = matches!(method, "GET" | "POST") && path == PATH;
    let value = query.split('&').find_map(|part| part.strip_prefix("nonce="))?;
    if known { u64::from_str_radix(value, 16).ok() } else { None }
}

fn refuse(mut stream: &TcpStream) -> io::Result<()> {
    let body = "This is subflow serve-check. Ask it with: subflow check\n";
    write!(
        stream,
        "HTTP/1.1 404 Not Found\r\nServer: subflow\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_for_a_report_have_a_number() {
        assert_eq!(nonce("POST /subflow-check/1?nonce=00ff HTTP/1.1"), Some(255));
        assert_eq!(nonce("GET /subflow-check/1?a=b&nonce=1 HTTP/1.1"), Some(1));
        for other in [
            "",
            "GET / HTTP/1.1",
            "GET /subflow-check/1 HTTP/1.1",
            "GET /subflow-check/2?nonce=1 HTTP/1.1",
            "PUT /subflow-check/1?nonce=1 HTTP/1.1",
            "GET /subflow-check/1?nonce=xyz HTTP/1.1",
            "GET",
        ] {
            assert_eq!(nonce(other), None, "{other}");
        }
    }
}
