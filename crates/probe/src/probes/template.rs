//! A probe as a frame: made once for each kind and family, then patched for each target, checksums by difference.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use subflow_wire::checksum::{Sum, pseudo_header};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::mptcp::{Capable, Join, Mptcp};
use subflow_wire::tcp::{self, Flags, TcpOption};
use subflow_wire::{Full, Key};

use super::{CANARY_KIND, Cookie, Kind};
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
pub(super) struct Template {
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

impl Template {
    /// A SYN of a kind.
    pub(super) fn syn(
        mac: [u8; 6],
        gateway: [u8; 6],
        src: IpAddr,
        kind: Kind,
        canary: bool,
    ) -> Result<Self, Full> {
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

    /// A reset.
    pub(super) fn reset(mac: [u8; 6], gateway: [u8; 6], src: IpAddr) -> Result<Self, Full> {
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

    /// Bytes of the frame.
    pub(super) fn frame_len(&self) -> usize {
        self.frame.len
    }

    /// Writes the frame for a target.
    #[inline]
    pub(super) fn fill(&self, target: &Target, cookie: &Cookie, src_port: u16, micros: u32, out: &mut Frame) {
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
