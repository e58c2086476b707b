//! Packets as talks send them.

use std::net::IpAddr;

use subflow_wire::Full;
use subflow_wire::icmp::{HEADER_LEN, emit_echo};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::tcp::{self, TcpOption};

/// Longest IP header here.
const LONGEST: usize = v6::HEADER_LEN;

/// What a talk chooses of the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Our address.
    pub src: IpAddr,
    /// Where to, of the same family.
    pub dst: IpAddr,
    /// Hop limit, or time to live.
    pub hop_limit: u8,
    /// Identification of IPv4.
    pub identification: u16,
    /// Flow label of IPv6, 20 bits.
    pub flow_label: u32,
    /// DSCP and ECN.
    pub traffic_class: u8,
}

impl Head {
    /// A hop limit of 64, and an identification and flow label of 1.
    pub fn new(src: IpAddr, dst: IpAddr) -> Self {
        Self { src, dst, hop_limit: 64, identification: 1, flow_label: 1, traffic_class: 0 }
    }

    /// Writes the header before a payload, and returns its length.
    fn emit(&self, protocol: u8, payload_len: usize, out: &mut [u8]) -> Result<usize, Full> {
        let (hop_limit, traffic_class) = (self.hop_limit, self.traffic_class);
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let identification = self.identification;
                let header = v4::Header::new(src, dst, protocol);
                v4::Header { hop_limit, traffic_class, identification, ..header }.emit(payload_len, out)
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let flow_label = self.flow_label;
                let header = v6::Header::new(src, dst, protocol);
                v6::Header { hop_limit, traffic_class, flow_label, ..header }.emit(payload_len, out)
            }
            // No header is long enough for both.
            _ => Err(Full { needed: usize::MAX, room: out.len() }),
        }
    }

    /// Writes a segment with its IP header into `out`, which it replaces.
    pub fn segment(
        &self,
        header: &tcp::Header,
        options: &[TcpOption<'_>],
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Full> {
        let len = tcp::Header::segment_len(options, payload);
        self.packet(protocol::TCP, len, out, |out| header.emit(self.src, self.dst, options, payload, out))
    }

    /// Writes an echo request with its IP header into `out`, which it replaces.
    pub fn echo(&self, identifier: u16, sequence: u16, data: &[u8], out: &mut Vec<u8>) -> Result<(), Full> {
        let number = if self.src.is_ipv4() { protocol::ICMP } else { protocol::ICMPV6 };
        self.packet(number, HEADER_LEN + data.len(), out, |out| {
            emit_echo(self.src, self.dst, false, (identifier, sequence), data, out)
        })
    }

    fn packet(
        &self,
        protocol: u8,
        len: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut [u8]) -> Result<usize, Full>,
    ) -> Result<(), Full> {
        out.clear();
        out.resize(LONGEST + len, 0);
        let header_len = self.emit(protocol, len, out)?;
        let needed = header_len + len;
        let room = out.len();
        let place = out.get_mut(header_len..needed).ok_or(Full { needed, room })?;
        write(place)?;
        out.truncate(needed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Received;
    use subflow_wire::checksum::{ones_complement, transport};
    use subflow_wire::tcp::Flags;

    #[test]
    fn packets_are_right_and_read_back() {
        let mut bytes = Vec::new();
        for (src, dst) in [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8:7::5")] {
            let (src, dst): (IpAddr, IpAddr) = (src.parse().unwrap(), dst.parse().unwrap());
            let head =
                Head { hop_limit: 3, identification: 0x1234, flow_label: 0x5_4321, ..Head::new(src, dst) };
            let header = tcp::Header {
                src_port: 61_000,
                dst_port: 80,
                seq: 7,
                flags: Flags::SYN,
                window: 1000,
                ..tcp::Header::default()
            };
            head.segment(&header, &[TcpOption::MaxSegmentSize(1460)], b"data", &mut bytes).unwrap();
            let read = Received::parse(5, &bytes).unwrap();
            assert_eq!((read.time, read.ip.hop_limit, read.ip.src, read.ip.dst), (5, 3, src, dst));
            assert_eq!(transport(src, dst, protocol::TCP, read.ip.payload), 0);
            let segment = read.tcp().unwrap();
            assert_eq!((segment.src_port(), segment.seq(), segment.payload()), (61_000, 7, &b"data"[..]));
            if src.is_ipv4() {
                assert_eq!((ones_complement(read.ip.header), read.ip.identification), (0, 0x1234));
            } else {
                assert_eq!(bytes[..4], [0x60, 0x05, 0x43, 0x21]);
            }
            head.echo(61_001, 9, b"?", &mut bytes).unwrap();
            let read = Received::parse(5, &bytes).unwrap();
            assert_eq!(read.icmp().unwrap().echo(), Some((61_001, 9)));
        }
        let mixed = Head::new("192.0.2.1".parse().unwrap(), "::1".parse().unwrap());
        assert!(mixed.echo(1, 1, b"", &mut bytes).is_err());
    }
}
