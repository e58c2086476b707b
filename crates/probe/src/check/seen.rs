//! One packet of TCP as somebody saw it.

use std::net::SocketAddr;

use subflow_wire::mptcp;
use subflow_wire::tcp::{Flags, Options, Tcp, TcpOption};
use subflow_wire::{Dissection, LinkType, dissect, ip::protocol};

/// One packet of TCP as somebody saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it came from.
    pub src: SocketAddr,
    /// Where it went to.
    pub dst: SocketAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Flags.
    pub flags: Flags,
    /// Sequence number.
    pub seq: u32,
    /// Window, not scaled.
    pub window: u16,
    /// Bytes of data.
    pub data_len: u32,
    /// All options as they stand in the header, padding included; at most 40 bytes.
    pub options: Vec<u8>,
}

/// Paddings in a row that no stack writes between its options, but a box does that overwrites one.
const PADDING: u32 = 4;

impl Seen {
    /// Reads an IP packet; `None` when it is none of TCP, a later fragment, or its options are not whole.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let Dissection::Ip(ip) = dissect(LinkType::RAW, packet, packet.len() as u32) else { return None };
        let whole = ip.protocol == protocol::TCP && !ip.is_later_fragment();
        let tcp = whole.then(|| Tcp::parse(ip.payload).ok())??;
        if tcp.options_cut() {
            return None;
        }
        Some(Self {
            src: SocketAddr::new(ip.src, tcp.src_port()),
            dst: SocketAddr::new(ip.dst, tcp.dst_port()),
            ttl: ip.hop_limit,
            flags: tcp.flags(),
            seq: tcp.seq(),
            window: tcp.window(),
            data_len: ip.payload_len.saturating_sub(tcp.header_len() as u32),
            options: tcp.option_bytes().to_vec(),
        })
    }

    /// Walks the options.
    pub fn options(&self) -> Options<'_> {
        Options::new(&self.options)
    }

    /// Maximum segment size.
    pub fn mss(&self) -> Option<u16> {
        self.options().find_map(|option| match option {
            TcpOption::MaxSegmentSize(size) => Some(size),
            _ => None,
        })
    }

    /// The sender's timestamp.
    pub fn timestamp(&self) -> Option<u32> {
        self.options().find_map(|option| match option {
            TcpOption::Timestamps { value, .. } => Some(value),
            _ => None,
        })
    }

    /// Whether SACK is permitted.
    pub fn sack(&self) -> bool {
        self.options().any(|option| option == TcpOption::SackPermitted)
    }

    /// Window scale.
    pub fn window_scale(&self) -> Option<u8> {
        self.options().find_map(|option| match option {
            TcpOption::WindowScale(shift) => Some(shift),
            _ => None,
        })
    }

    /// The kinds of the options in their order, without padding and Multipath TCP.
    pub fn kinds(&self) -> impl Iterator<Item = u8> {
        self.options().map(|option| option.kind()).filter(|&kind| kind > 1 && kind != mptcp::KIND)
    }

    /// Whether there is an option of Multipath TCP, readable or not.
    pub fn has_mptcp(&self) -> bool {
        self.options().any(|option| option.kind() == mptcp::KIND)
    }

    /// The options of Multipath TCP as they stand there, one after the other.
    pub fn mptcp_bytes(&self) -> Vec<u8> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 64]);
        for option in self.options().filter(|option| option.kind() == mptcp::KIND) {
            let len = option.emit(&mut buffer).unwrap_or(0);
            bytes.extend_from_slice(buffer.get(..len).unwrap_or_default());
        }
        bytes
    }

    /// Whether there is more padding in a row than any stack writes: a box wrote it over an option.
    pub fn is_padded(&self) -> bool {
        let (mut row, mut longest) = (0, 0);
        for option in self.options() {
            row = if option == TcpOption::Nop { row + 1 } else { 0 };
            longest = longest.max(row);
        }
        longest >= PADDING
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use subflow_wire::ip::{v4, v6};
    use subflow_wire::tcp::Header;

    use super::*;
    use std::net::IpAddr;

    /// A packet with these option bytes, which have to be whole words.
    pub(in crate::check) fn packet(
        src: &str,
        dst: &str,
        flags: Flags,
        seq: u32,
        options: &[u8],
        data: &[u8],
    ) -> Vec<u8> {
        let (src, dst): (SocketAddr, SocketAddr) = (src.parse().unwrap(), dst.parse().unwrap());
        let header = Header {
            src_port: src.port(),
            dst_port: dst.port(),
            seq,
            ack: 0,
            flags,
            window: 64_240,
            urgent: 0,
        };
        let options: Vec<TcpOption<'_>> = Options::new(options).collect();
        let mut segment = vec![0; 60 + data.len()];
        let len = header.emit(src.ip(), dst.ip(), &options, data, &mut segment).unwrap();
        let mut head = [0; 40];
        let head_len = match (src.ip(), dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                v4::Header::new(src, dst, protocol::TCP).emit(len, &mut head).unwrap()
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                v6::Header::new(src, dst, protocol::TCP).emit(len, &mut head).unwrap()
            }
            _ => panic!("mixed families"),
        };
        [&head[..head_len], &segment[..len]].concat()
    }

    /// Options of a SYN of Linux 6 with Multipath TCP.
    pub(in crate::check) const SYN_OPTIONS: [u8; 24] =
        [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7, 30, 4, 1, 1];

    #[test]
    fn a_syn_of_linux() {
        for (src, dst) in [("10.0.0.1:4000", "10.0.0.2:80"), ("[fd00::1]:4000", "[fd00::2]:80")] {
            let seen = Seen::read(&packet(src, dst, Flags::SYN, 7, &SYN_OPTIONS, b"")).unwrap();
            assert_eq!((seen.src, seen.dst), (src.parse().unwrap(), dst.parse().unwrap()));
            assert_eq!((seen.ttl, seen.seq, seen.window, seen.data_len), (64, 7, 64_240, 0));
            assert_eq!((seen.mss(), seen.timestamp(), seen.window_scale()), (Some(1460), Some(9), Some(7)));
            assert!(seen.sack() && seen.has_mptcp() && !seen.is_padded());
            assert_eq!(seen.mptcp_bytes(), [30, 4, 1, 1]);
            assert_eq!(seen.kinds().collect::<Vec<_>>(), [2, 4, 8, 3]);
        }
    }

    #[test]
    fn padding_over_an_option_is_told_from_that_between_options() {
        let mut options = SYN_OPTIONS;
        options[20..].fill(1);
        let seen = Seen::read(&packet("10.0.0.1:4", "10.0.0.2:80", Flags::SYN, 7, &options, b"")).unwrap();
        assert!(seen.is_padded() && !seen.has_mptcp());
        assert!(seen.mptcp_bytes().is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(seen) = Seen::read(&bytes) {
                prop_assert!(seen.options.len() <= 40);
                let _ = (seen.is_padded(), seen.mptcp_bytes(), seen.kinds().count());
            }
        }

        #[test]
        fn no_options_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let seen = Seen {
                src: "10.0.0.1:1".parse().unwrap(),
                dst: "10.0.0.1:1".parse().unwrap(),
                ttl: 1,
                flags: Flags::SYN,
                seq: 0,
                window: 0,
                data_len: 0,
                options: bytes,
            };
            let _ = (seen.mss(), seen.timestamp(), seen.sack(), seen.window_scale());
            prop_assert!(seen.mptcp_bytes().len() <= 40);
        }
    }
}
