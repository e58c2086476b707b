//! Link layers, by the numbers of the tcpdump group's registry (<https://www.tcpdump.org/linktypes.html>).

pub(crate) mod bsd;
pub mod ether_type;
pub mod ethernet;
pub(crate) mod hdlc;
pub(crate) mod lan;
pub(crate) mod llc;
pub(crate) mod nflog;
pub mod null;
pub mod ppp;
pub(crate) mod radio;
pub mod sll;
pub(crate) mod wifi;

use core::fmt;

use crate::dissect::{Next, Step};

/// A LINKTYPE number, as pcap and pcapng files hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

macro_rules! link_types {
    ($($name:ident = $number:literal, $doc:literal;)*) => {
        impl LinkType {
            $(#[doc = $doc] pub const $name: Self = Self($number);)*

            /// The registry's name without `LINKTYPE_`, when this crate reads the type.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

link_types! {
    NULL = 0, "BSD loopback: address family in the capturing host's byte order.";
    ETHERNET = 1, "Ethernet.";
    IEEE802_5 = 6, "Token Ring.";
    SLIP = 8, "SLIP with a BSD pseudo header.";
    PPP = 9, "PPP, with or without HDLC-like framing.";
    FDDI = 10, "FDDI.";
    RAW_12 = 12, "Raw IP, as some systems number it.";
    RAW_14 = 14, "Raw IP, as OpenBSD numbers it.";
    PPP_HDLC = 50, "PPP in HDLC-like framing, or Cisco HDLC.";
    PPP_ETHER = 51, "PPPoE session packets without Ethernet header.";
    ATM_RFC1483 = 100, "LLC-encapsulated ATM.";
    RAW = 101, "Raw IP.";
    CHDLC = 104, "Cisco HDLC.";
    IEEE802_11 = 105, "Wi-Fi.";
    FRELAY = 107, "Frame Relay.";
    LOOP = 108, "OpenBSD loopback: address family in network byte order.";
    ENC = 109, "OpenBSD encapsulation.";
    SLL = 113, "Linux cooked capture.";
    PFLOG = 117, "OpenBSD packet filter log.";
    IEEE802_11_PRISM = 119, "Wi-Fi behind a Prism header.";
    IP_OVER_FC = 122, "IP over Fibre Channel.";
    SUNATM = 123, "ATM with a SunATM header.";
    IEEE802_11_RADIOTAP = 127, "Wi-Fi behind a radiotap header.";
    APPLE_IP_OVER_IEEE1394 = 138, "IP over FireWire.";
    IEEE802_11_AVS = 163, "Wi-Fi behind an AVS header.";
    PPP_PPPD = 166, "PPP from pppd, with a direction byte in place of the address.";
    PPI = 192, "Per-packet information around another link type.";
    PPP_WITH_DIR = 204, "PPP behind a direction byte.";
    C_HDLC_WITH_DIR = 205, "Cisco HDLC behind a direction byte.";
    FRELAY_WITH_DIR = 206, "Frame Relay behind a direction byte.";
    MPLS = 219, "MPLS label stack.";
    IPNET = 226, "Solaris ipnet.";
    IPV4 = 228, "Raw IPv4.";
    IPV6 = 229, "Raw IPv6.";
    NFLOG = 239, "Linux netfilter log.";
    NETANALYZER = 240, "Ethernet behind a netANALYZER header.";
    IPOIB = 242, "IP over InfiniBand.";
    ETHERNET_MPACKET = 274, "Ethernet with preamble (IEEE 802.3br).";
    SLL2 = 276, "Linux cooked capture, version 2.";
    DSA_TAG_BRCM = 281, "Ethernet with a Broadcom switch tag.";
    DSA_TAG_BRCM_PREPEND = 282, "Ethernet behind a Broadcom switch tag.";
    DSA_TAG_DSA = 284, "Ethernet with a Marvell switch tag.";
    DSA_TAG_EDSA = 285, "Ethernet with a Marvell switch tag and EtherType.";
}

/// The name, else the number.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "LINKTYPE {}", self.0),
        }
    }
}

/// Reads the link header at `at`.
pub(crate) fn enter(link: LinkType, frame: &[u8], at: usize, wire_end: usize) -> Step {
    let go = |next, skip: usize| Step::new(next, at + skip, wire_end);
    match link {
        LinkType::ETHERNET => go(Next::Ethernet, 0),
        LinkType::RAW | LinkType::RAW_12 | LinkType::RAW_14 | LinkType::IPV4 | LinkType::IPV6 => {
            go(Next::Ip, 0)
        }
        LinkType::SLL => sll::enter(frame, at, wire_end),
        LinkType::SLL2 => sll::enter2(frame, at, wire_end),
        LinkType::NULL => null::enter(frame, at, wire_end),
        LinkType::LOOP => null::enter(frame, at, wire_end),
        LinkType::PPP => go(Next::Ppp, 0),
        LinkType::PPP_HDLC | LinkType::CHDLC => hdlc::enter(frame, at, wire_end),
        LinkType::PPP_ETHER => crate::tunnel::pppoe::enter(frame, at, wire_end),
        LinkType::PPP_WITH_DIR => go(Next::Ppp, 1),
        LinkType::PPP_PPPD => ppp::enter_pppd(frame, at, wire_end),
        LinkType::C_HDLC_WITH_DIR => hdlc::enter(frame, at + 1, wire_end),
        LinkType::FRELAY => hdlc::enter_frame_relay(frame, at, wire_end),
        LinkType::FRELAY_WITH_DIR => hdlc::enter_frame_relay(frame, at + 1, wire_end),
        LinkType::IEEE802_11 => wifi::enter(frame, at, wire_end, false),
        LinkType::IEEE802_11_RADIOTAP => radio::enter_radiotap(frame, at, wire_end),
        LinkType::IEEE802_11_PRISM => radio::enter_prism(frame, at, wire_end),
        LinkType::IEEE802_11_AVS => radio::enter_avs(frame, at, wire_end),
        LinkType::PPI => radio::enter_ppi(frame, at, wire_end),
        LinkType::NFLOG => nflog::enter(frame, at, wire_end),
        LinkType::MPLS => go(Next::Mpls, 0),
        LinkType::SLIP | LinkType::ENC | LinkType::PFLOG | LinkType::IPNET => {
            bsd::enter(link, frame, at, wire_end)
        }
        _ => lan::enter(link, frame, at, wire_end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(LinkType::SLL2.to_string(), "SLL2");
        assert_eq!(LinkType(189).to_string(), "LINKTYPE 189");
        assert_eq!(LinkType(14), LinkType::RAW_14);
    }
}
