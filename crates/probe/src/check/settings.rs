//! What is to be checked.

use std::net::{IpAddr, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

use super::Error;

/// Ports that are checked, and that the server listens at, when none are named.
pub const DEFAULT_PORTS: [u16; 3] = [80, 443, 8080];

/// A server as it is named: `host`, `host:80,443`, `192.0.2.1:80`, `[2001:db8::1]:443`, `2001:db8::1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name or address.
    pub host: String,
    /// Ports in the order given, each once.
    pub ports: Vec<u16>,
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadServer { text: text.to_owned() };
        // An address of IPv6 has colons itself.
        let (host, ports) = if text.parse::<IpAddr>().is_ok() {
            (text, None)
        } else if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(bad)?;
            let ports = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or_else(bad)?),
            };
            (host, ports)
        } else {
            text.split_once(':').map_or((text, None), |(host, ports)| (host, Some(ports)))
        };
        if !is_host(host) {
            return Err(bad());
        }
        let mut found: Vec<u16> = Vec::new();
        for port in ports.into_iter().flat_map(|ports| ports.split(',')) {
            let port = port.parse().ok().filter(|&port| port > 0).ok_or_else(bad)?;
            if !found.contains(&port) {
                found.push(port);
            }
        }
        if ports.is_none() {
            found.extend(DEFAULT_PORTS);
        }
        Ok(Self { host: host.to_owned(), ports: found })
    }
}

/// Whether a text can be a name or an address: no blanks, no marks of a URL.
pub(super) fn is_host(host: &str) -> bool {
    let marks = ['/', '@', '?', '#', '[', ']', '\\'];
    !host.is_empty()
        && host.len() <= 253
        && !host.chars().any(|char| char.is_whitespace() || char.is_control() || marks.contains(&char))
}

impl Place {
    /// Its addresses, the first of each family.
    pub fn resolve(&self) -> Result<Vec<IpAddr>, Error> {
        let missing = |source| Error::NoAddress { host: self.host.clone(), source };
        let found: Vec<IpAddr> = (self.host.as_str(), 0)
            .to_socket_addrs()
            .map_err(|source| missing(Some(source)))?
            .map(|addr| addr.ip().to_canonical())
            .collect();
        let first = |v6: bool| found.iter().copied().find(|addr| addr.is_ipv6() == v6);
        let both: Vec<IpAddr> = [first(false), first(true)].into_iter().flatten().collect();
        if both.is_empty() { Err(missing(None)) } else { Ok(both) }
    }
}

/// What is to be checked, and how patiently.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses of the server, one of each family at most.
    pub servers: Vec<IpAddr>,
    /// Its ports.
    pub ports: Vec<u16>,
    /// Local addresses; empty for all from which there is a way.
    pub from: Vec<IpAddr>,
    /// How long a connection is waited for. Below three seconds, Linux does not yet leave the option out by itself, nor draw its conclusions
    /// for other connections.
    pub connect_timeout: Duration,
    /// How long an answer is waited for.
    pub answer_timeout: Duration,
    /// Attempts of each kind before a path is called broken.
    pub tries: u32,
    /// Whether packets are to be watched, where this process may.
    pub packets: bool,
    /// Whether to try to join a second subflow, where this process may.
    pub join: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            ports: DEFAULT_PORTS.to_vec(),
            from: Vec::new(),
            connect_timeout: Duration::from_millis(2_700),
            answer_timeout: Duration::from_secs(5),
            tries: 2,
            packets: true,
            join: true,
        }
    }
}

impl Settings {
    /// Refuses what makes no sense.
    pub fn check(&self) -> Result<(), Error> {
        if self.servers.is_empty() {
            return Err(Error::Setting { what: "no server given" });
        }
        if self.ports.is_empty() || self.ports.contains(&0) {
            return Err(Error::NoPorts);
        }
        if self.tries == 0 {
            return Err(Error::Setting { what: "tries must be at least 1" });
        }
        if self.connect_timeout.is_zero() || self.answer_timeout.is_zero() {
            return Err(Error::Setting { what: "timeouts must be above 0" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn servers_with_and_without_ports() {
        let place = |text: &str| text.parse::<Place>().map(|place| (place.host, place.ports)).ok();
        let all = DEFAULT_PORTS.to_vec();
        assert_eq!(place("example.org"), Some(("example.org".to_owned(), all.clone())));
        assert_eq!(place("example.org:443,80,443"), Some(("example.org".to_owned(), vec![443, 80])));
        assert_eq!(place("192.0.2.1:8080"), Some(("192.0.2.1".to_owned(), vec![8080])));
        assert_eq!(place("2001:db8::1"), Some(("2001:db8::1".to_owned(), all.clone())));
        assert_eq!(place("[2001:db8::1]"), Some(("2001:db8::1".to_owned(), all)));
        assert_eq!(place("[2001:db8::1]:80"), Some(("2001:db8::1".to_owned(), vec![80])));
        for bad in [
            "",
            ":80",
            "a b",
            "host:",
            "host:0",
            "host:80,",
            "host:70000",
            "[::1",
            "[::1]80",
            "http://host",
            "u@host",
        ] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_need_no_look_up() {
        let place: Place = "[::1]:80".parse().unwrap();
        assert_eq!(place.resolve().unwrap(), [IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16])]);
        let place: Place = "127.0.0.1".parse().unwrap();
        assert_eq!(place.resolve().unwrap(), [IpAddr::from([127, 0, 0, 1])]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Place>();
        }
    }
}
