//! A packet as matching sees it: everything that says which packet it is, and everything a box may change.

use foldhash::fast::FixedState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use subflow_capture::Packet;
use subflow_wire::tcp::{Flags, Tcp, TcpOption};
use subflow_wire::{Dissection, dissect};

/// Payload bytes whose digest can be compared between captures of different snap lengths.
pub(crate) const HEAD: usize = 32;

/// An address and a port.
pub(crate) type End = (IpAddr, u16);

/// One TCP packet.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) time: i64,
    pub(crate) frame: u64,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    /// Payload bytes on the wire.
    pub(crate) len: u32,
    /// Payload bytes in the capture.
    pub(crate) captured: u32,
    /// Digest of the first [`HEAD`] of them, if so many (or all) were captured.
    pub(crate) head: Option<u64>,
    /// Digest of all captured ones.
    pub(crate) whole: u64,
    pub(crate) identification: u32,
    pub(crate) flags: u16,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
    /// Value and echo of the timestamps option.
    pub(crate) stamps: Option<(u32, u32)>,
    options: [u8; 40],
    options_len: u8,
    /// The capture cuts the options.
    pub(crate) options_cut: bool,
}

impl Record {
    /// The option bytes, as far as captured.
    pub(crate) fn option_bytes(&self) -> &[u8] {
        self.options.get(..usize::from(self.options_len)).unwrap_or(&[])
    }

    pub(crate) fn has(&self, flags: Flags) -> bool {
        Flags(self.flags).intersects(flags)
    }

    /// Sequence space that it takes.
    pub(crate) fn span(&self) -> u32 {
        self.len + u32::from(self.has(Flags::SYN)) + u32::from(self.has(Flags::FIN))
    }
}

/// A TCP packet and between whom it went; nothing for all else, and for fragments.
pub(crate) fn record(packet: &Packet<'_>) -> Option<(End, End, Record)> {
    let Dissection::Ip(ip) = dissect(packet.link, packet.data, packet.wire_len) else { return None };
    if ip.protocol != subflow_wire::ip::protocol::TCP || ip.fragment.is_some() {
        return None;
    }
    let tcp = Tcp::parse(ip.payload).ok()?;
    let len = ip.payload_len.saturating_sub(tcp.header_len() as u32);
    let payload = tcp.payload();
    let bytes = tcp.option_bytes();
    let mut options = [0; 40];
    let options_len = bytes.len().min(40);
    if let (Some(to), Some(from)) = (options.get_mut(..options_len), bytes.get(..options_len)) {
        to.copy_from_slice(from);
    }
    let stamps = tcp.options().find_map(|option| match option {
        TcpOption::Timestamps { value, echo } => Some((value, echo)),
        _ => None,
    });
    let enough = payload.len() >= HEAD || payload.len() >= len as usize;
    let head = enough.then(|| digest(payload.get(..HEAD).unwrap_or(payload)));
    Some((
        (ip.src, tcp.src_port()),
        (ip.dst, tcp.dst_port()),
        Record {
            time: packet.time_ns,
            frame: packet.frame,
            seq: tcp.seq(),
            ack: tcp.ack(),
            len,
            captured: payload.len() as u32,
            head,
            whole: digest(payload),
            identification: ip.identification,
            flags: tcp.flags().0,
            window: tcp.window(),
            urgent: tcp.urgent(),
            hop_limit: ip.hop_limit,
            traffic_class: ip.traffic_class,
            stamps,
            options,
            options_len: options_len as u8,
            options_cut: tcp.options_cut(),
        },
    ))
}

/// The same number for the same value in both captures.
pub(crate) fn digest<T: std::hash::Hash>(value: T) -> u64 {
    FixedState::with_seed(0x7375_6266_6c6f_7721).hash_one(value)
}
