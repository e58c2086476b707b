//! A packet that has come, as far as it is read for everybody.

use subflow_wire::icmp::{Family, Message};
use subflow_wire::ip::{IpPacket, protocol};
use subflow_wire::tcp::Tcp;
use subflow_wire::{Dissection, LinkType, dissect};

use super::Nanos;

/// A packet to us.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// When the kernel took it in.
    pub time: Nanos,
    /// The packet from its IP header on.
    pub bytes: &'a [u8],
    /// The header.
    pub ip: IpPacket<'a>,
    /// What it carries.
    pub what: What<'a>,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// A segment.
    Tcp(Tcp<'a>),
    /// An error, whose quote is [`Message::quote`], or an echo reply.
    Icmp(Message<'a>),
}

impl<'a> Received<'a> {
    /// Reads an IP packet; `None` for what is neither TCP nor ICMP, cut in its headers, or a later fragment.
    pub fn parse(time: Nanos, bytes: &'a [u8]) -> Option<Self> {
        let Dissection::Ip(ip) = dissect(LinkType::RAW, bytes, u32::try_from(bytes.len()).ok()?) else {
            return None;
        };
        if ip.is_later_fragment() {
            return None;
        }
        let what = match ip.protocol {
            protocol::TCP => What::Tcp(Tcp::parse(ip.payload).ok()?),
            protocol::ICMP => What::Icmp(Message::parse(Family::V4, ip.payload)?),
            protocol::ICMPV6 => What::Icmp(Message::parse(Family::V6, ip.payload)?),
            _ => return None,
        };
        Some(Self { time, bytes, ip, what })
    }

    /// The segment, when it is one.
    pub fn tcp(&self) -> Option<&Tcp<'a>> {
        match &self.what {
            What::Tcp(tcp) => Some(tcp),
            What::Icmp(_) => None,
        }
    }

    /// The ICMP message, when it is one.
    pub fn icmp(&self) -> Option<&Message<'a>> {
        match &self.what {
            What::Icmp(message) => Some(message),
            What::Tcp(_) => None,
        }
    }
}
