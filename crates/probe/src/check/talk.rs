//! One attempt of a check: connects, exchanges a little data with the server, and notes what the system says meanwhile.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use subflow_netio::mptcp::{Dial, Protocol, is_missing, is_reset, is_unreachable, mptcp_info};

use super::counters::{Counters, growth};
use super::flows::Flow;
use super::http::Answer;
use super::join;
use super::local::Local;
use super::report::{MOST_BYTES, Report};
use super::settings::Settings;
use super::watch::{LATENCY, Watch};
use crate::rows::{Attempt, JoinResult};

/// Where the server answers; the number is that of the report's version.
pub(super) const PATH: &str = "/subflow-check/1";
/// Bytes that are sent with the first request: more than one segment.
const FILLING: usize = 4000;

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tried {
    /// What came of it.
    pub(super) at: Attempt,
    /// Time to connect, in seconds.
    pub(super) connect: Option<f64>,
    /// Our end.
    pub(super) local: Option<SocketAddr>,
    /// Whether Multipath TCP was agreed upon, as the system says.
    pub(super) negotiated: Option<bool>,
    /// Whether it was still in use after data.
    pub(super) kept: Option<bool>,
    /// Subflows at the end.
    pub(super) subflows: Option<u8>,
    /// Whether the server expects the data sequence number that we send next.
    pub(super) same_numbers: Option<bool>,
    /// The server's last report.
    pub(super) report: Option<Report>,
    /// What was seen of the connection.
    pub(super) flow: Option<Flow>,
    /// What came of joining a subflow.
    pub(super) join: Option<JoinResult>,
    /// This system has no Multipath TCP.
    pub(super) missing: bool,
    /// It counted that it left the option out from the start.
    pub(super) disabled: bool,
    /// It counted that it left the option out after silence.
    pub(super) gave_up: bool,
    /// What the system said.
    pub(super) error: Option<String>,
}

impl Default for Tried {
    fn default() -> Self {
        Self {
            at: Attempt::Failed,
            connect: None,
            local: None,
            negotiated: None,
            kept: None,
            subflows: None,
            same_numbers: None,
            report: None,
            flow: None,
            join: None,
            missing: false,
            disabled: false,
            gave_up: false,
            error: None,
        }
    }
}

impl Tried {
    /// Whether there was a connection at all.
    pub(super) fn connected(&self) -> bool {
        matches!(self.at, Attempt::Complete | Attempt::Stalled | Attempt::Broken)
    }
}

/// What is done in every attempt of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    pub(super) settings: &'a Settings,
    pub(super) watch: Option<&'a Watch>,
    pub(super) local: &'a Local,
    pub(super) server: SocketAddr,
}

/// Makes one attempt.
pub(super) fn attempt(path: &Path<'_>, protocol: Protocol) -> Tried {
    let before = Counters::read();
    let mut tried = Tried::default();
    let stream = connect(path, protocol, &mut tried);
    let after = Counters::read();
    if protocol == Protocol::Mptcp {
        let grew = |before, after| growth(before, after).is_some_and(|by| by > 0);
        tried.disabled = grew(before.disabled, after.disabled);
        tried.gave_up = grew(before.dropped, after.dropped);
    }
    if let Some(mut stream) = stream {
        converse(path, protocol, &mut stream, &mut tried);
    }
    if let (Some(watch), Some(local)) = (path.watch, tried.local) {
        let data = tried.at == Attempt::Complete;
        let connected = tried.connected();
        tried.flow = watch.flow(local, path.server, LATENCY, |flow| {
            if connected {
                flow.syn_ack.is_some() && (!data || flow.data_back.is_some())
            } else {
                flow.reset.is_some()
            }
        });
    }
    tried
}

fn connect(path: &Path<'_>, protocol: Protocol, tried: &mut Tried) -> Option<TcpStream> {
    let Local { addr, interface } = path.local;
    let v6 = path.server.is_ipv6();
    let dial = match Dial::open(protocol, v6, Some(*addr), interface.as_deref()) {
        Ok(dial) => dial,
        Err(error) => {
            tried.missing = protocol == Protocol::Mptcp && is_missing(&error);
            tried.fail(&error);
            return None;
        }
    };
    tried.local = dial.local().ok();
    let begin = Instant::now();
    match dial.connect(path.server, path.settings.connect_timeout) {
        Ok(stream) => {
            tried.connect = Some(begin.elapsed().as_secs_f64());
            tried.at = Attempt::Stalled;
            tried.negotiated = (protocol == Protocol::Mptcp).then(|| is_multipath(&stream));
            Some(stream)
        }
        Err(error) => {
            tried.fail(&error);
            None
        }
    }
}

fn is_multipath(stream: &TcpStream) -> bool {
    mptcp_info(stream).is_some_and(|info| !info.fallback)
}

impl Tried {
    fn fail(&mut self, error: &io::Error) {
        self.at = match error.kind() {
            io::ErrorKind::TimedOut => Attempt::TimedOut,
            _ if is_reset(error) => Attempt::Reset,
            _ if is_unreachable(error) => Attempt::Unreachable,
            _ => Attempt::Failed,
        };
        self.error = Some(said(error));
    }
}

/// Asks for a report twice: the first request and its answer are some data each way, the second report tells what has become of the
/// connection by then.
fn converse(path: &Path<'_>, protocol: Protocol, stream: &mut TcpStream, tried: &mut Tried) {
    let nonce = random();
    let patience = path.settings.answer_timeout;
    let answer = exchange(stream, path.server, nonce, FILLING, patience, tried);
    let Some(answer) = answer else { return };
    tried.at = Attempt::Complete;
    tried.report = report(&answer, nonce);
    if tried.report.is_some() {
        if let (Some(true), true, Some(watch)) = (tried.negotiated, path.settings.join, path.watch)
            && is_multipath(stream)
            && let Some(local) = tried.local
        {
            tried.join = join::attempt(watch, path.local, local, path.server);
        }
        let nonce = random();
        if let Some(answer) = exchange(stream, path.server, nonce, 0, patience, tried)
            && let Some(last) = report(&answer, nonce)
        {
            tried.report = Some(last);
        }
    }
    if protocol == Protocol::Mptcp {
        let info = mptcp_info(stream).filter(|info| !info.fallback);
        tried.kept = Some(info.is_some());
        if let Some(info) = info {
            tried.subflows = info.subflows.or(Some(info.extra_subflows.saturating_add(1)));
            tried.same_numbers = tried
                .report
                .as_ref()
                .and_then(|report| report.receive_next)
                .map(|number| number == info.write_seq);
        }
    }
}

fn report(answer: &Answer, nonce: u64) -> Option<Report> {
    let report = Report::parse(answer.body()).ok()?;
    (answer.status() == Some(200) && report.nonce == nonce).then_some(report)
}

/// Sends a request and reads the answer. `None`, with the reason noted, when not a byte came; an answer that is not one of our server
/// counts, as data came.
fn exchange(
    stream: &mut TcpStream,
    server: SocketAddr,
    nonce: u64,
    filling: usize,
    patience: Duration,
    tried: &mut Tried,
) -> Option<Answer> {
    let end = Instant::now() + patience;
    let mut answer = Answer::new(MOST_BYTES);
    let mut any = false;
    let result = ask(stream, server, nonce, filling, patience).and_then(|()| {
        let mut buffer = [0; 8 << 10];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut buffer) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                Ok(len) => {
                    any = true;
                    // What is no HTTP is data all the same.
                    if answer.feed(buffer.get(..len).unwrap_or_default()).is_err()
                        || answer.is_over()
                        || answer.body_bytes() > MOST_BYTES as u64
                    {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    });
    if let Err(error) = result
        && !any
    {
        let waited = matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
        tried.at = if waited { Attempt::Stalled } else { Attempt::Broken };
        tried.error = Some(if waited { "no answer".to_owned() } else { said(&error) });
        return None;
    }
    Some(answer)
}

fn ask(
    stream: &mut TcpStream,
    server: SocketAddr,
    nonce: u64,
    filling: usize,
    patience: Duration,
) -> io::Result<()> {
    stream.set_write_timeout(Some(patience))?;
    let host = match server {
        SocketAddr::V4(server) => server.ip().to_string(),
        SocketAddr::V6(server) => format!("[{}]", server.ip()),
    };
    let mut request = format!(
        "POST {PATH}?nonce={nonce:016x} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: subflow\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {filling}\r\n\r\n"
    )
    .into_bytes();
    request.resize(request.len() + filling, b'.');
    stream.write_all(&request)
}

/// What the system says, without its number for it.
pub(super) fn said(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// A number that nobody guesses, seeded by the system.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
