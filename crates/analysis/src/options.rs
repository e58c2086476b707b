//! What the analysis is asked to do.

use std::{net::IpAddr, str::FromStr};

/// Settings of an [`Analyzer`](crate::Analyzer).
#[derive(Clone, Debug)]
pub struct Options {
    /// A connection (or plain flow) that is silent for longer than this has ended, in nanoseconds.
    pub idle_timeout_ns: i64,
    /// One whose SYN nothing answers has ended after this much silence, in nanoseconds.
    pub handshake_timeout_ns: i64,
    /// A connection whose every subflow is closed is kept this long for late packets, in nanoseconds.
    pub linger_ns: i64,
    /// Whether to yield every packet, carriage of data and round-trip sample of the connections that the filter keeps, too
    /// (tables `packets`, `carriages`, `samples`).
    pub detail: bool,
    /// Width of the intervals of table `series`, in nanoseconds; `None` for no such rows.
    pub series_ns: Option<i64>,
    /// The shortest stall that is a row of table `stalls`, in nanoseconds.
    pub stall_ns: i64,
    /// What to keep.
    pub filter: Filter,
}

impl Default for Options {
    /// An hour of silence (joins after an hour have been published), three minutes for an answer to a SYN (Linux
    /// repeats it for two), a minute for late packets, intervals of a second, stalls from 100 ms on, no filter.
    fn default() -> Self {
        Self {
            idle_timeout_ns: 3_600_000_000_000,
            handshake_timeout_ns: 180_000_000_000,
            linger_ns: 60_000_000_000,
            detail: false,
            series_ns: Some(1_000_000_000),
            stall_ns: 100_000_000,
            filter: Filter::default(),
        }
    }
}

/// Which packets and connections to keep; an empty list keeps all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Keep connections and flows that use one of these ports.
    pub ports: Vec<u16>,
    /// Keep connections and flows with an end in one of these prefixes.
    pub hosts: Vec<IpPrefix>,
    /// Ignore packets before this moment, nanoseconds since the epoch.
    pub since_ns: Option<i64>,
    /// Ignore packets from this moment on, nanoseconds since the epoch.
    pub until_ns: Option<i64>,
    /// Keep connections with these numbers only (plain TCP is then left out).
    pub connections: Vec<u64>,
}

impl Filter {
    /// Whether a packet of this time is looked at.
    pub fn takes_time(&self, time_ns: i64) -> bool {
        self.since_ns.is_none_or(|since| time_ns >= since)
            && self.until_ns.is_none_or(|until| time_ns < until)
    }

    /// Whether a flow between these ends matches the ports and hosts asked for.
    pub fn takes_flow(&self, a: (IpAddr, u16), b: (IpAddr, u16)) -> bool {
        let port = self.ports.is_empty() || self.ports.iter().any(|&port| port == a.1 || port == b.1);
        port && (self.hosts.is_empty()
            || self.hosts.iter().any(|host| host.contains(a.0) || host.contains(b.0)))
    }

    /// Whether plain TCP flows are of interest at all.
    pub fn takes_plain(&self) -> bool {
        self.connections.is_empty()
    }

    /// Whether the connection with this number is.
    pub fn takes_connection(&self, id: u64) -> bool {
        self.connections.is_empty() || self.connections.contains(&id)
    }
}

/// An address prefix, as `10.0.0.0/8`; a bare address is a prefix of full length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpPrefix {
    addr: IpAddr,
    len: u8,
}

impl IpPrefix {
    /// Whether an address lies in the prefix.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.addr, addr) {
            (IpAddr::V4(prefix), IpAddr::V4(addr)) => {
                (prefix.to_bits() ^ addr.to_bits()).checked_shr(32 - u32::from(self.len)).unwrap_or(0) == 0
            }
            (IpAddr::V6(prefix), IpAddr::V6(addr)) => {
                (prefix.to_bits() ^ addr.to_bits()).checked_shr(128 - u32::from(self.len)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for IpPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (addr, len) = text.split_once('/').map_or((text, None), |(addr, len)| (addr, Some(len)));
        let addr: IpAddr = addr.parse().map_err(|_| format!("'{addr}' is not an IP address"))?;
        let most = if addr.is_ipv4() { 32 } else { 128 };
        let len = match len {
            None => most,
            Some(len) => len
                .parse()
                .ok()
                .filter(|&len| len <= most)
                .ok_or_else(|| format!("prefix length '{len}' is not a number from 0 to {most}"))?,
        };
        Ok(Self { addr, len })
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, IpPrefix};

    #[test]
    fn prefixes_contain_what_they_should() {
        let ten: IpPrefix = "10.0.0.0/8".parse().unwrap();
        assert!(ten.contains("10.255.0.1".parse().unwrap()));
        assert!(!ten.contains("11.0.0.1".parse().unwrap()));
        let all: IpPrefix = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("255.255.255.255".parse().unwrap()));
        assert!(!all.contains("::1".parse().unwrap()));
        let host: IpPrefix = "2001:db8::1".parse().unwrap();
        assert!(host.contains("2001:db8::1".parse().unwrap()));
        assert!(!host.contains("2001:db8::2".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<IpPrefix>().is_err());
        assert!("ten".parse::<IpPrefix>().is_err());
    }

    #[test]
    fn empty_filter_takes_everything() {
        let end = ("10.0.0.1".parse().unwrap(), 80);
        assert!(Filter::default().takes_flow(end, end));
        assert!(Filter::default().takes_time(i64::MIN));
        let port = Filter { ports: vec![443], ..Filter::default() };
        assert!(!port.takes_flow(end, end));
    }
}
