//! One captured frame: link layers, IP, TCP with its options, ICMP with what it quotes.

use subflow_wire::icmp::{Family, Message};
use subflow_wire::ip::protocol;
use subflow_wire::tcp::Tcp;
use subflow_wire::{Dissection, LinkType, dissect};

/// Two bytes of link type and two of length on the wire (little-endian), then the frame.
pub fn packet(data: &[u8]) {
    let Some((&[a, b, c, d], frame)) = data.split_first_chunk() else { return };
    let link = LinkType(u16::from_le_bytes([a, b]));
    let wire_len = u32::from(u16::from_le_bytes([c, d])).max(frame.len() as u32);
    match dissect(link, frame, wire_len) {
        Dissection::Ip(ip) => {
            assert!(ip.header.len() + ip.payload.len() <= frame.len(), "read beyond the frame");
            assert!(ip.payload.len() <= ip.payload_len as usize, "more captured than there was");
            assert_eq!(ip.total_len, ip.payload_len + ip.header.len() as u32);
            match ip.protocol {
                protocol::TCP => tcp(ip.payload),
                protocol::ICMP => quote(Family::V4, ip.payload),
                protocol::ICMPV6 => quote(Family::V6, ip.payload),
                _ => {}
            }
        }
        Dissection::Malformed(why) => assert!(!why.reason.is_empty(), "damage without a reason"),
        Dissection::UnknownLink(_) | Dissection::NotIp => {}
    }
}

fn tcp(segment: &[u8]) {
    let Ok(tcp) = Tcp::parse(segment) else { return };
    assert!((20..=60).contains(&tcp.header_len()));
    assert_eq!(20 + tcp.option_bytes().len() + tcp.payload().len(), segment.len());
    assert!(tcp.options().count() <= 41, "more options than bytes");
}

fn quote(family: Family, message: &[u8]) {
    let Some(message) = Message::parse(family, message) else { return };
    let _ = message.quote();
    if let Some(extensions) = message.extensions() {
        assert!(extensions.objects().count() <= 64 * 1024, "objects without end");
    }
}
