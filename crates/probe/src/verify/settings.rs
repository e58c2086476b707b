//! What a verification is to do, apart from its targets.

use std::time::Duration;

use subflow_wire::keys::Version;

use super::request::Request;
use crate::Error;
use crate::network::{self, Nanos};
use crate::rows::Finding;
use crate::targets::special;

/// Which versions are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Version 1 (RFC 8684).
    pub v1: bool,
    /// Version 0 (RFC 6824).
    pub v0: bool,
}

impl Versions {
    /// Both.
    pub const BOTH: Self = Self { v1: true, v0: true };

    /// The versions, the newer one first.
    pub fn iter(self) -> impl Iterator<Item = Version> {
        [(self.v1, Version::V1), (self.v0, Version::V0)]
            .into_iter()
            .filter_map(|(wanted, version)| wanted.then_some(version))
    }

    /// The versions whose option a scan saw answered by a target, properly or as a mirror does: those that there is something to
    /// verify about; `None` when there is none.
    pub fn of_scan(row: &crate::rows::Target) -> Option<Self> {
        let all = [row.v1, row.v0, row.both];
        let any = |finding| all.contains(&Some(finding));
        let versions = Self { v1: any(Finding::V1), v0: any(Finding::V0) };
        (versions.v1 || versions.v0).then_some(versions)
    }
}

/// What is verified: an address, a port, and which versions are tried there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Address.
    pub addr: std::net::IpAddr,
    /// Port.
    pub port: u16,
    /// Versions.
    pub versions: Versions,
}

impl Target {
    /// A target of which nothing is known.
    pub fn new(addr: std::net::IpAddr, port: u16) -> Self {
        Self { addr, port, versions: Versions::BOTH }
    }

    /// A candidate of a scan, with the versions that it answered; `None` for other verdicts.
    pub fn of_scan(row: &crate::rows::Target) -> Option<Self> {
        Versions::of_scan(row).map(|versions| Self { addr: row.addr, port: row.port, versions })
    }
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// First time until something unacknowledged is sent again; it doubles each time. Once a round-trip time is known, twice that and a
    /// quarter of a second.
    pub again: Duration,
    /// How often it is sent again.
    pub retries: u32,
    /// Longest time for one step: a request acknowledged, a second subflow opened, an answer begun.
    pub step: Duration,
    /// Longest time from an acknowledgement by TCP to that of Multipath TCP.
    pub signal: Duration,
    /// Longest time for a polite end; what is still open then is reset.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            again: Duration::from_secs(1),
            retries: 2,
            step: Duration::from_secs(5),
            signal: Duration::from_secs(1),
            linger: Duration::from_secs(1),
        }
    }
}

/// The same in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) rto: Nanos,
    pub(super) retries: u32,
    pub(super) patience: Nanos,
    pub(super) grace: Nanos,
    pub(super) linger: Nanos,
}

impl From<&Patience> for Timing {
    fn from(patience: &Patience) -> Self {
        let nanos = |duration: Duration| Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX / 4);
        Self {
            rto: nanos(patience.again),
            retries: patience.retries,
            patience: nanos(patience.step),
            grace: nanos(patience.signal),
            linger: nanos(patience.linger),
        }
    }
}

/// What a verification is to do, apart from its targets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is sent to every target; by default a ClientHello to [`tls_ports`](Self::tls_ports) and HTTP to others.
    pub request: Option<Request>,
    /// Name of the host for HTTP and TLS; by default the address for HTTP and none for TLS.
    pub host: Option<String>,
    /// Ports that get a ClientHello.
    pub tls_ports: Vec<u16>,
    /// Whom to ask about the requests; it stands in the User-Agent of HTTP.
    pub contact: Option<String>,
    /// Whether to ask for DSS checksums. Servers that demand them get them anyway.
    pub checksum: bool,
    /// Whether to measure how many hops away answers come from, which alone tells a proxy.
    pub hops: bool,
    /// Whether to try plain TCP even where Multipath TCP says enough.
    pub always_plain: bool,
    /// How long is waited for what.
    pub patience: Patience,
    /// Targets that are verified at the same time.
    pub at_once: usize,
    /// Packets a second, all targets together; `None` for no limit.
    pub rate: Option<f64>,
    /// The way to the targets, where it is not to be found out.
    pub network: network::Options,
    /// That the owners of public addresses have been considered: without it at most [`special::MOST_PUBLIC`] of them are verified.
    pub acknowledge_public: bool,
    /// Makes keys, random numbers and initial sequence numbers; by default another one in each run.
    pub seed: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            request: None,
            host: None,
            tls_ports: vec![443],
            contact: None,
            checksum: false,
            hops: true,
            always_plain: false,
            patience: Patience::default(),
            at_once: 1000,
            rate: Some(1000.0),
            network: network::Options::default(),
            acknowledge_public: false,
            seed: None,
        }
    }
}

impl Settings {
    /// The User-Agent.
    pub(super) fn agent(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match &self.contact {
            Some(contact) => format!("subflow/{version} (Multipath TCP measurement; {contact})"),
            None => format!("subflow/{version} (Multipath TCP measurement)"),
        }
    }

    /// What is sent to a port.
    pub(super) fn request_to(&self, port: u16) -> Request {
        match &self.request {
            Some(request) => request.clone(),
            None if self.tls_ports.contains(&port) => Request::Tls { host: self.host.clone() },
            None => Request::Http { host: self.host.clone() },
        }
    }

    /// Finds what makes no sense before anything is sent.
    pub fn check(&self, targets: &[Target]) -> Result<(), Error> {
        let setting = |what| Err(Error::Setting { what });
        if targets.is_empty() {
            return Err(Error::NoTargets);
        }
        if targets.iter().any(|target| target.port == 0) {
            return setting("port 0 is no port");
        }
        if targets.iter().any(|target| target.versions.iter().next().is_none()) {
            return setting("no version of Multipath TCP to verify");
        }
        if self.rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return setting("the rate must be a number above 0");
        }
        if self.at_once == 0 {
            return setting("at least one target has to be verified at a time");
        }
        let texts = [self.host.as_deref(), self.contact.as_deref()];
        if texts.into_iter().flatten().any(|text| text.chars().any(char::is_control)) {
            return setting("host and contact must be without control characters");
        }
        let agent = self.agent();
        let ports: std::collections::BTreeSet<u16> = targets.iter().map(|target| target.port).collect();
        if ports.iter().any(|&port| !self.request_to(port).fits(&agent)) {
            return setting("the request is too long, or too short to be sent in two parts");
        }
        let public = special::count_public(targets.iter().map(|target| target.addr));
        special::check_public(public, self.acknowledge_public, self.rate.is_some())
    }
}
