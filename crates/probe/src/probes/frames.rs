//! All probes of a campaign: a function from target, kind and time to frames.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use subflow_wire::Full;

use super::template::{Frame, Template};
use super::{Cookie, Kind, Secret, SourcePorts};
use crate::targets::Target;

/// Where probes come from and where their first hop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Hardware address of the interface.
    pub mac: [u8; 6],
    /// Hardware address of the gateway for IPv4, and the address that probes are sent from.
    pub v4: Option<([u8; 6], Ipv4Addr)>,
    /// The same for IPv6.
    pub v6: Option<([u8; 6], Ipv6Addr)>,
}

/// All probes of a campaign: a function from target, kind and time to frames.
#[derive(Clone, Debug)]
pub struct Probes {
    secret: Secret,
    ports: SourcePorts,
    source: Source,
    canary: bool,
    v4: Option<[Template; 5]>,
    v6: Option<[Template; 5]>,
    resets: (Option<Template>, Option<Template>),
}

impl Probes {
    /// Prepares the frames.
    pub fn new(secret: Secret, ports: SourcePorts, source: Source, canary: bool) -> Result<Self, Full> {
        let all = |src: IpAddr, gateway| {
            let mut templates = [Template::reset(source.mac, gateway, src)?; 5];
            for (template, &kind) in templates.iter_mut().zip(Kind::ALL) {
                *template = Template::syn(source.mac, gateway, src, kind, canary)?;
            }
            Ok::<_, Full>(templates)
        };
        let reset = |src: IpAddr, gateway| Template::reset(source.mac, gateway, src);
        Ok(Self {
            secret,
            ports,
            source,
            canary,
            v4: source.v4.map(|(gateway, src)| all(src.into(), gateway)).transpose()?,
            v6: source.v6.map(|(gateway, src)| all(src.into(), gateway)).transpose()?,
            resets: (
                source.v4.map(|(gateway, src)| reset(src.into(), gateway)).transpose()?,
                source.v6.map(|(gateway, src)| reset(src.into(), gateway)).transpose()?,
            ),
        })
    }

    /// The key.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Where probes come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Which ports probes come from.
    pub fn ports(&self) -> SourcePorts {
        self.ports
    }

    /// Whether probes carry a canary.
    pub fn has_canary(&self) -> bool {
        self.canary
    }

    /// Bytes on the wire of a probe, link header included.
    pub fn frame_len(&self, kind: Kind, v6: bool) -> Option<usize> {
        let templates = if v6 { &self.v6 } else { &self.v4 };
        templates.as_ref().map(|templates| templates[kind as usize].frame_len())
    }

    /// Writes the probe of a kind to a target. `micros` is the time of sending in microseconds, of which the low 32 bits
    /// matter. Returns whether there is a source address of the target's family.
    #[inline]
    pub fn write(&self, target: &Target, kind: Kind, micros: u32, out: &mut Frame) -> bool {
        let templates = if target.addr.is_ipv4() { &self.v4 } else { &self.v6 };
        let Some(templates) = templates else { return false };
        let cookie = self.secret.cookie(target, kind);
        let src_port = self.ports.port(kind, &cookie);
        templates[kind as usize].fill(target, &cookie, src_port, micros, out);
        true
    }

    /// Writes the reset that closes what a SYN/ACK left half open: `port` is where our probe came from, `seq` what the
    /// SYN/ACK acknowledged.
    pub fn write_reset(&self, target: &Target, port: u16, seq: u32, out: &mut Frame) -> bool {
        let template = if target.addr.is_ipv4() { &self.resets.0 } else { &self.resets.1 };
        let Some(template) = template else { return false };
        template.fill(target, &Cookie { seq, ..Cookie::default() }, port, 0, out);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::Asked;
    use subflow_wire::checksum::{ones_complement, transport};
    use subflow_wire::ip::protocol;
    use subflow_wire::tcp::{Flags, Tcp, TcpOption};
    use subflow_wire::{Dissection, LinkType, dissect};

    fn probes(canary: bool) -> Probes {
        let source = Source {
            mac: [2, 0, 0, 0, 0, 1],
            v4: Some(([2, 0, 0, 0, 0, 9], "192.0.2.1".parse().unwrap())),
            v6: Some(([2, 0, 0, 0, 0, 8], "2001:db8::1".parse().unwrap())),
        };
        Probes::new(Secret::new(5), SourcePorts::default(), source, canary).unwrap()
    }

    #[test]
    fn every_probe_is_a_right_packet_that_asks_what_it_should() {
        let mut frame = Frame::EMPTY;
        for canary in [false, true] {
            let probes = probes(canary);
            for (text, port) in
                [("198.51.100.7", 443), ("2001:db8:7::5", 80), ("0.0.0.0", 1), ("255.255.255.255", 65535)]
            {
                let target = Target { addr: text.parse().unwrap(), port };
                for &kind in Kind::ALL {
                    assert!(probes.write(&target, kind, 0x89ab_cdef, &mut frame));
                    let bytes = frame.as_slice();
                    assert_eq!(Some(bytes.len()), probes.frame_len(kind, target.addr.is_ipv6()));
                    let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, bytes, bytes.len() as u32) else {
                        panic!("no IP packet")
                    };
                    assert_eq!(
                        (ip.dst, ip.hop_limit, ip.payload_len as usize),
                        (target.addr, 64, ip.payload.len())
                    );
                    assert_eq!(transport(ip.src, ip.dst, protocol::TCP, ip.payload), 0, "{kind} {text}");
                    if target.addr.is_ipv4() {
                        assert_eq!(ones_complement(ip.header), 0);
                    }
                    let tcp = Tcp::parse(ip.payload).unwrap();
                    let cookie = probes.secret.cookie(&target, kind);
                    assert_eq!((tcp.dst_port(), tcp.seq(), tcp.window()), (port, cookie.seq, 64_240));
                    assert_eq!(probes.ports.kind(tcp.src_port()), Some(kind));
                    assert_eq!(Asked::by(&tcp), Some(Asked::of(kind, &cookie, canary)));
                    let options: Vec<_> = tcp.options().collect();
                    let mss = if target.addr.is_ipv4() { 1460 } else { 1440 };
                    let value = 0x89ab_cdef_u32.wrapping_add(cookie.clock);
                    assert_eq!(
                        options[..5],
                        [
                            TcpOption::MaxSegmentSize(mss),
                            TcpOption::SackPermitted,
                            TcpOption::Timestamps { value, echo: 0 },
                            TcpOption::Nop,
                            TcpOption::WindowScale(7)
                        ]
                    );
                }
            }
        }
    }

    #[test]
    fn the_bytes_of_a_version_1_syn() {
        let mut frame = Frame::EMPTY;
        let target = Target { addr: "198.51.100.7".parse().unwrap(), port: 443 };
        probes(false).write(&target, Kind::V1, 0, &mut frame);
        let bytes = frame.as_slice();
        assert_eq!(bytes[..14], [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 0]);
        assert_eq!(bytes[14..18], [0x45, 0, 0, 64]);
        assert_eq!(bytes[20..24], [0x40, 0, 64, 6]);
        assert_eq!(bytes[46..48], [0xb0, 0x02]);
        assert_eq!(bytes[54..60], [2, 4, 5, 180, 4, 2]);
        assert_eq!(bytes[70..], [1, 3, 3, 7, 30, 4, 1, 1]);
    }

    #[test]
    fn a_reset_closes_what_the_answer_opened() {
        let mut frame = Frame::EMPTY;
        let target = Target { addr: "2001:db8:7::5".parse().unwrap(), port: 80 };
        assert!(probes(true).write_reset(&target, 61_007, 0x0102_0304, &mut frame));
        let bytes = frame.as_slice();
        let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, bytes, bytes.len() as u32) else {
            panic!("no IP")
        };
        let tcp = Tcp::parse(ip.payload).unwrap();
        assert_eq!(tcp.flags(), Flags::RST);
        assert_eq!((tcp.seq(), tcp.src_port(), tcp.dst_port()), (0x0102_0304, 61_007, 80));
        assert_eq!(transport(ip.src, ip.dst, protocol::TCP, ip.payload), 0);
    }

    #[test]
    fn a_family_without_a_source_has_no_probes() {
        let source = Source { v6: None, ..probes(false).source };
        let probes = Probes::new(Secret::new(5), SourcePorts::default(), source, false).unwrap();
        let target = Target { addr: "2001:db8:7::5".parse().unwrap(), port: 80 };
        assert!(!probes.write(&target, Kind::V1, 0, &mut Frame::EMPTY.clone()));
    }
}
