//! A check of every path: each local address with each port.

use std::net::{IpAddr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use subflow_netio::mptcp::Protocol;
use subflow_rows::Time;

use super::Error;
use super::judge::{Tries, judge};
use super::local::{Local, find};
use super::settings::Settings;
use super::talk::{Path, Tried, attempt};
use super::watch::Watch;
use crate::Stop;
use crate::rows::{Attempt, Check, CheckVerdict};

/// What a check found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One row per path.
    pub checks: Vec<Check>,
    /// Addresses of the server to which there is no way from here.
    pub no_way: Vec<IpAddr>,
    /// Why packets were not watched, though they were to be.
    pub without_packets: Option<subflow_netio::Error>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

impl Outcome {
    /// Whether a box keeps Multipath TCP from working on some path; null when no path tells.
    pub fn affected(&self) -> Option<bool> {
        affected(&self.checks)
    }
}

/// Whether a box keeps Multipath TCP from working on some path; null when no path tells.
pub fn affected(checks: &[Check]) -> Option<bool> {
    checks.iter().filter_map(|row| row.verdict.affected()).max()
}

/// Checks every path, one after the other; `each` is told of a row as soon as it is there.
///
/// # Errors
/// Settings that make no sense. What goes wrong on a path is in its row.
pub fn run(settings: &Settings, stop: &Stop, mut each: impl FnMut(&Check)) -> Result<Outcome, Error> {
    settings.check()?;
    let mut outcome = Outcome::default();
    let watch = if settings.packets { Watch::open(&settings.ports).map(Some) } else { Ok(None) };
    let watch = watch.unwrap_or_else(|error| {
        outcome.without_packets = Some(error);
        None
    });
    for &server in &settings.servers {
        let locals = find(server, &settings.from);
        if locals.is_empty() {
            outcome.no_way.push(server);
        }
        for local in &locals {
            for &port in &settings.ports {
                if stop.times() > 0 {
                    outcome.stopped = true;
                    return Ok(outcome);
                }
                let server = SocketAddr::new(server, port);
                let row = path(&Path { settings, watch: watch.as_ref(), local, server }, stop);
                each(&row);
                outcome.checks.push(row);
            }
        }
    }
    Ok(outcome)
}

/// Tries both protocols on a path, in alternation, until both work, neither does, or a difference has shown often enough.
fn path(path: &Path<'_>, stop: &Stop) -> Check {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = Time(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
    let (mut mptcp, mut tcp): (Vec<Tried>, Vec<Tried>) = (Vec::new(), Vec::new());
    let works = |tries: &[Tried]| tries.iter().any(|tried| tried.at == Attempt::Complete);
    for _ in 0..path.settings.tries {
        mptcp.push(attempt(path, Protocol::Mptcp));
        if !works(&tcp) || !works(&mptcp) {
            tcp.push(attempt(path, Protocol::Tcp));
        }
        let same = works(&mptcp) == works(&tcp);
        let hopeless = mptcp.last().is_some_and(|tried| tried.missing);
        if same || hopeless || stop.times() > 0 {
            break;
        }
    }
    judge(&Tries { time, local: path.local, server: path.server, mptcp: &mptcp, tcp: &tcp })
}

/// Whether the check of a path ended in something that more detail from the other end could explain.
pub(super) fn needs_server(row: &Check) -> bool {
    row.server_sight.is_none() && matches!(row.verdict, CheckVerdict::FellBack | CheckVerdict::HandshakeOnly)
}

/// The local addresses from which a check would leave.
pub fn locals(settings: &Settings) -> Vec<Local> {
    settings.servers.iter().flat_map(|&server| find(server, &settings.from)).collect()
}
