//! Probes as frames: made once for each kind and family, then patched for each target, checksums by difference.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use subflow_wire::checksum::{Sum, pseudo_header};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::mptcp::{Capable, Join, Mptcp};
use subflow_wire::tcp::{self, Flags, TcpOption};
use subflow_wire::{Full, Key};

use super::{CANARY_KIND, Cookie, Kind, Secret, SourcePorts};
use crate::targets::Target;

/// Bytes of an Ethernet header.
const LINK: usize = 14;
/// Bytes of the options that every SYN has, laid out as Linux does: MSS, SACK permitted, timestamps, padding, window scale.
const COMMON: usize = 20;
/// Where among the options the timestamp's value stands.
const CLOCK: usize = 8;
/// Longest frame: IPv6 and 40 bytes of options.
const LONGEST: usize = LINK + v6::HEADER_LEN + tcp::HEADER_LEN + 40;
/// Window of a Linux client.
const WINDOW: u16 = 64_240;
const WINDOW_SCALE: u8 = 7;
/// MP_CAPABLE flags: HMAC, and in version 0 checksums, as its Linux implementation asked by default.
const V1_FLAGS: u8 = Capable::HMAC;
const V0_FLAGS: u8 = Capable::HMAC | Capable::CHECKSUM_REQUIRED;

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

/// One frame to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    bytes: [u8; 128],
    len: usize,
}

impl Frame {
    /// An empty one, to be written into.
    pub const EMPTY: Self = Self { bytes: [0; 128], len: 0 };

    /// The frame, link header first.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// A frame with zeros where the target's fields belong, and the sum over the rest.
#[derive(Clone, Copy, Debug)]
struct Template {
    frame: Frame,
    /// Sum over pseudo header and segment.
    segment: Sum,
    /// Sum over the IPv4 header.
    header: Sum,
    /// Where the segment begins.
    tcp: usize,
    /// Where 8 bytes of key, or token and random number, belong.
    key: Option<usize>,
    /// Where the canary's two bytes belong.
    canary: Option<usize>,
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
        templates.as_ref().map(|templates| templates[kind as usize].frame.len)
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

impl Template {
    fn syn(mac: [u8; 6], gateway: [u8; 6], src: IpAddr, kind: Kind, canary: bool) -> Result<Self, Full> {
        let mss = if src.is_ipv4() { 1460 } else { 1440 };
        let mut options = vec![
            TcpOption::MaxSegmentSize(mss),
            TcpOption::SackPermitted,
            TcpOption::Timestamps { value: 0, echo: 0 },
            TcpOption::Nop,
            TcpOption::WindowScale(WINDOW_SCALE),
        ];
        let capable = |version, flags, sender_key| {
            let capable =
                Capable { version, flags, sender_key, receiver_key: None, data_len: None, checksum: None };
            TcpOption::Mptcp(Mptcp::Capable(capable))
        };
        let v1 = capable(1, V1_FLAGS, None);
        let v0 = capable(0, V0_FLAGS, Some(Key(0)));
        let join = Join::Syn { backup: false, address_id: 1, token: 0, nonce: 0, reserved: 0 };
        let asking = match kind {
            Kind::V1 => (vec![v1], None),
            Kind::V0 => (vec![v0], Some(COMMON + 4)),
            Kind::Both => (vec![v1, v0], Some(COMMON + 8)),
            Kind::Plain => (vec![], None),
            Kind::Join => (vec![TcpOption::Mptcp(Mptcp::Join(join))], Some(COMMON + 4)),
        };
        options.extend(asking.0);
        let canary_at: usize = options.iter().map(TcpOption::len).sum();
        if canary {
            options.push(TcpOption::Unknown { kind: CANARY_KIND, data: &[0, 0] });
        }
        let mut template = Self::build(mac, gateway, src, Flags::SYN, WINDOW, &options)?;
        let options_at = template.tcp + tcp::HEADER_LEN;
        template.key = asking.1.map(|at| options_at + at);
        template.canary = canary.then_some(options_at + canary_at + 2);
        Ok(template)
    }

    fn reset(mac: [u8; 6], gateway: [u8; 6], src: IpAddr) -> Result<Self, Full> {
        Self::build(mac, gateway, src, Flags::RST, 0, &[])
    }

    fn build(
        mac: [u8; 6],
        gateway: [u8; 6],
        src: IpAddr,
        flags: Flags,
        window: u16,
        options: &[TcpOption<'_>],
    ) -> Result<Self, Full> {
        let mut bytes = [0; 128];
        let room = bytes.len();
        let full = Full { needed: LONGEST, room };
        let (link, packet) = bytes.split_at_mut_checked(LINK).ok_or(full)?;
        link[..6].copy_from_slice(&gateway);
        link[6..12].copy_from_slice(&mac);
        link[12..].copy_from_slice(&if src.is_ipv4() { [0x08, 0x00] } else { [0x86, 0xdd] });
        let segment_len = tcp::Header::segment_len(options, &[]);
        let header_len = match src {
            IpAddr::V4(src) => {
                v4::Header::new(src, Ipv4Addr::UNSPECIFIED, protocol::TCP).emit(segment_len, packet)?
            }
            IpAddr::V6(src) => {
                v6::Header::new(src, Ipv6Addr::UNSPECIFIED, protocol::TCP).emit(segment_len, packet)?
            }
        };
        let (header, segment) = packet.split_at_mut_checked(header_len).ok_or(full)?;
        let dst = if src.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let tcp = tcp::Header { flags, window, ..tcp::Header::default() };
        tcp.emit(src, dst, options, &[], segment)?;
        // The sums are over everything but the checksums themselves.
        segment[16..18].fill(0);
        let mut segment_sum = pseudo_header(src, dst, protocol::TCP, segment_len as u32);
        segment_sum.add(&segment[..segment_len]);
        if src.is_ipv4() {
            header[10..12].fill(0);
        }
        let mut header_sum = Sum::new();
        header_sum.add(header);
        Ok(Self {
            frame: Frame { bytes, len: LINK + header_len + segment_len },
            segment: segment_sum,
            header: header_sum,
            tcp: LINK + header_len,
            key: None,
            canary: None,
        })
    }

    #[inline]
    fn fill(&self, target: &Target, cookie: &Cookie, src_port: u16, micros: u32, out: &mut Frame) {
        *out = self.frame;
        let mut sum = self.segment;
        let mut put = |at: usize, value: &[u8]| {
            if let Some(place) = out.bytes.get_mut(at..at + value.len()) {
                place.copy_from_slice(value);
            }
        };
        match target.addr {
            IpAddr::V4(addr) => {
                let addr = u32::from(addr);
                let mut header = self.header;
                header.add_u32(addr);
                header.add_u16(cookie.id);
                sum.add_u32(addr);
                put(LINK + 4, &cookie.id.to_be_bytes());
                put(LINK + 10, &header.checksum().to_be_bytes());
                put(LINK + 16, &addr.to_be_bytes());
            }
            IpAddr::V6(addr) => {
                let addr = u128::from(addr);
                sum.add_u64((addr >> 64) as u64);
                sum.add_u64(addr as u64);
                put(LINK + 2, &cookie.id.to_be_bytes());
                put(LINK + 24, &addr.to_be_bytes());
            }
        }
        let ports = u32::from(src_port) << 16 | u32::from(target.port);
        sum.add_u32(ports);
        sum.add_u32(cookie.seq);
        put(self.tcp, &ports.to_be_bytes());
        put(self.tcp + 4, &cookie.seq.to_be_bytes());
        if self.frame.len > self.tcp + tcp::HEADER_LEN {
            let clock = micros.wrapping_add(cookie.clock);
            sum.add_u32(clock);
            put(self.tcp + tcp::HEADER_LEN + CLOCK, &clock.to_be_bytes());
        }
        if let Some(at) = self.key {
            sum.add_u64(cookie.key);
            put(at, &cookie.key.to_be_bytes());
        }
        if let Some(at) = self.canary {
            sum.add_u16(cookie.canary);
            put(at, &cookie.canary.to_be_bytes());
        }
        put(self.tcp + 16, &sum.checksum().to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::Asked;
    use subflow_wire::checksum::{ones_complement, transport};
    use subflow_wire::tcp::Tcp;
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
