//! From frames of a ring to packets of a capture: link types, cooked headers, VLAN tags.

use subflow_netio::{Frame, Framing, Vlan};
use subflow_wire::LinkType;
use subflow_wire::link::sll::{HEADER_LEN2, Header2};

/// ARPHRD numbers of `linux/if_arp.h`.
const RAWIP: u16 = 519;
const IEEE80211: u16 = 801;
const IEEE80211_PRISM: u16 = 802;
const IEEE80211_RADIOTAP: u16 = 803;
const NONE: u16 = 0xfffe;
/// Where a VLAN tag stands in an Ethernet header.
const TAG_AT: usize = 12;
/// Bytes of a VLAN tag.
const TAG_LEN: u32 = 4;

/// The link type that packets of a ring have after [`append`].
pub(super) fn link_type(framing: Framing) -> LinkType {
    match framing {
        Framing::Link(RAWIP | NONE) => LinkType::RAW,
        Framing::Link(IEEE80211) => LinkType::IEEE802_11,
        Framing::Link(IEEE80211_PRISM) => LinkType::IEEE802_11_PRISM,
        Framing::Link(IEEE80211_RADIOTAP) => LinkType::IEEE802_11_RADIOTAP,
        Framing::Link(_) => LinkType::ETHERNET,
        Framing::Cooked => LinkType::SLL2,
    }
}

/// Appends the packet's bytes, with the header that its link type wants and the tag that the kernel took out put back.
/// Returns its length on the wire, both included.
pub(super) fn append(frame: &Frame<'_>, link: LinkType, out: &mut Vec<u8>) -> u32 {
    match (link, frame.vlan) {
        (LinkType::SLL2, vlan) => {
            cooked(frame, vlan, out);
            let tag = if vlan.is_some() { TAG_LEN } else { 0 };
            frame.wire_len.saturating_add(HEADER_LEN2 as u32 + tag)
        }
        (LinkType::ETHERNET, Some(vlan)) if frame.data.len() >= TAG_AT => {
            let (addresses, rest) = frame.data.split_at(TAG_AT);
            out.extend_from_slice(addresses);
            out.extend_from_slice(&vlan.tpid.to_be_bytes());
            out.extend_from_slice(&vlan.tci.to_be_bytes());
            out.extend_from_slice(rest);
            frame.wire_len.saturating_add(TAG_LEN)
        }
        _ => {
            out.extend_from_slice(frame.data);
            frame.wire_len
        }
    }
}

/// A cooked header, version 2; a tag stands behind it, as it would behind Ethernet addresses.
fn cooked(frame: &Frame<'_>, vlan: Option<Vlan>, out: &mut Vec<u8>) {
    let header = Header2 {
        ether_type: vlan.map_or(frame.protocol, |vlan| vlan.tpid),
        interface: frame.interface,
        hardware: frame.hardware,
        packet_type: frame.packet_type,
        address: frame.address,
    };
    let mut bytes = [0; HEADER_LEN2];
    // It has the length that is asked for.
    let _ = header.emit(&mut bytes);
    out.extend_from_slice(&bytes);
    if let Some(vlan) = vlan {
        out.extend_from_slice(&vlan.tci.to_be_bytes());
        out.extend_from_slice(&frame.protocol.to_be_bytes());
    }
    out.extend_from_slice(frame.data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use subflow_wire::{Dissection, dissect};

    /// An IPv4 header with 20 bytes behind it.
    const IP: [u8; 40] = {
        let mut ip = [0; 40];
        (ip[0], ip[3], ip[8], ip[9]) = (0x45, 40, 64, 6);
        ip
    };

    fn frame(data: &[u8], vlan: Option<Vlan>) -> Frame<'_> {
        Frame {
            time_ns: 1,
            wire_len: data.len() as u32,
            data,
            vlan,
            interface: 7,
            hardware: 1,
            protocol: 0x0800,
            packet_type: 4,
            address: ([2, 0, 0, 0, 0, 1, 0, 0], 6),
        }
    }

    fn is_ip(link: LinkType, frame: &Frame<'_>) -> bool {
        let mut out = vec![0xee; 3];
        let wire_len = append(frame, link, &mut out);
        assert_eq!(wire_len as usize, out.len() - 3);
        matches!(dissect(link, &out[3..], wire_len), Dissection::Ip(ip) if ip.total_len == 40)
    }

    #[test]
    fn every_framing_is_read_again() {
        let ethernet = [&[0; 12][..], &[8, 0], &IP].concat();
        for tci in [None, Some(0x2005)] {
            let vlan = tci.map(|tci| Vlan { tpid: 0x8100, tci });
            assert!(is_ip(link_type(Framing::Link(1)), &frame(&ethernet, vlan)));
            assert!(is_ip(link_type(Framing::Link(772)), &frame(&ethernet, vlan)));
            assert!(is_ip(link_type(Framing::Cooked), &frame(&IP, vlan)));
        }
        assert!(is_ip(link_type(Framing::Link(NONE)), &frame(&IP, None)));
    }

    #[test]
    fn a_tag_goes_back_where_it_was() {
        let mut out = Vec::new();
        let data = [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 8, 0, 9];
        let wire_len =
            append(&frame(&data, Some(Vlan { tpid: 0x88a8, tci: 5 })), LinkType::ETHERNET, &mut out);
        assert_eq!(out, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0x88, 0xa8, 0, 5, 8, 0, 9]);
        assert_eq!(wire_len, 19);
    }

    #[test]
    fn a_cooked_header_says_what_the_kernel_said() {
        let mut out = Vec::new();
        append(&frame(&[0xaa], None), LinkType::SLL2, &mut out);
        assert_eq!(out, [8, 0, 0, 0, 0, 0, 0, 7, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0xaa]);
    }
}
