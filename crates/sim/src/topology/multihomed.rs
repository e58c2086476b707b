//! A phone: a host with WiFi and cellular, and a server on the Internet.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Error;
use crate::net::{Graph, LinkId, LinkSettings};

/// A host with two radios. Its interfaces are 0 (WiFi) and 1 (cellular); the server has interface 2, which both reach, and with
/// `second` also 3.
#[derive(Clone, Debug, PartialEq)]
pub struct Multihomed {
    /// WiFi: up from the host, and down to it.
    pub wifi: (LinkSettings, LinkSettings),
    /// Cellular: up from the host, and down to it.
    pub cellular: (LinkSettings, LinkSettings),
    /// Between each radio's router and the server's router, in both directions.
    pub internet: LinkSettings,
    /// The server's links, in both directions.
    pub server: LinkSettings,
    /// Whether the server has a second interface.
    pub second: bool,
}

impl Multihomed {
    /// The links of the radios in [`graph`](Self::graph): WiFi up and down, cellular up and down. A handover is a failure of the first two.
    pub const RADIOS: [LinkId; 4] = [LinkId(4), LinkId(5), LinkId(6), LinkId(7)];

    /// Nodes and links. WiFi has the addresses 192.168.1.2 and fd00:1::2, cellular 100.64.0.2 and 2001:db8:64::2, the server 198.51.100.1 and .2,
    /// 2001:db8::1 and ::2.
    ///
    /// # Errors
    ///
    /// None as yet.
    pub fn graph(&self) -> Result<Graph, Error> {
        let mut graph = Graph::default();
        let (home, tower) = (graph.switch("access-point", 0), graph.switch("base-station", 0));
        let router = graph.switch("router", 1);
        graph.cable(home, router, &self.internet);
        graph.cable(tower, router, &self.internet);
        let (phone, server) = (graph.host("phone"), graph.host("server"));
        let wifi = (Ipv4Addr::new(192, 168, 1, 2), Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 2));
        let cellular = (Ipv4Addr::new(100, 64, 0, 2), Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0, 0, 0, 0, 2));
        graph.interface(phone, home, self.wifi.clone(), wifi);
        graph.interface(phone, tower, self.cellular.clone(), cellular);
        for n in 1..=1 + u8::from(self.second) {
            let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n.into());
            let links = (self.server.clone(), self.server.clone());
            graph.interface(server, router, links, (Ipv4Addr::new(198, 51, 100, n), v6));
        }
        Ok(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{InterfaceId, Network};
    use crate::time::{Duration, Rate};

    #[test]
    fn both_radios_reach_the_server() {
        let link = LinkSettings::new(Rate::from_mbps(10), Duration::from_millis(5));
        let pair = || (link.clone(), link.clone());
        let phone = Multihomed {
            wifi: pair(),
            cellular: pair(),
            internet: link.clone(),
            server: link.clone(),
            second: true,
        };
        let mut net = Network::new(phone.graph().expect("fits"), 0);
        for from in [0, 1] {
            for to in [2, 3] {
                assert_eq!(net.paths(InterfaceId(from), InterfaceId(to)).len(), 1);
                assert_eq!(net.paths(InterfaceId(to), InterfaceId(from)).len(), 1);
            }
        }
        let names = Multihomed::RADIOS.map(|link| net.graph().link_name(link));
        let wanted = [
            "phone -> access-point",
            "access-point -> phone",
            "phone -> base-station",
            "base-station -> phone",
        ];
        assert_eq!(names, wanted);
        let host = net.graph().interfaces()[0].host;
        assert_eq!(net.graph().interfaces_of(host).collect::<Vec<_>>(), [InterfaceId(0), InterfaceId(1)]);
    }
}
